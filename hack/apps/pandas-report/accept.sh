# shellcheck shell=bash
is 'help' 'Summarize a table' run
exits 'no arguments' 2 'required: to' run data/sales.csv
report() { run data/sales.csv "$@"; }
is 'pictures' 'saved.*r.webp.*saved.*r.svgz' report /tmp/r.{pdf,svg,jpg,eps,tiff,webp,svgz}
is 'a line in another style' saved report /tmp/r.png --kind line --style ggplot --colors plasma
is 'boxes on dark' saved report /tmp/r.png --kind box --style dark_background
is 'tables' 'saved.*r.xlsx.*saved.*r.pkl' report /tmp/r.{csv,json,xlsx,html,pkl}
is 'by month in another zone' '2024-02-29.*37\.5.*2024-03-31' report - --by month --zone Asia/Tokyo
is 'by week day' 'Thursday.*27' report - --by week --zone America/New_York
exits 'an unknown zone' 1 'Mars' report - --zone Mars/Base
is 'other ways to use pandas' '46.75.\(4, 3\).*south +9.25' run -p python3 -c '
import pandas as pd
t = pd.read_csv("data/sales.csv")
t.to_excel("/tmp/t.xlsx")
print(pd.read_excel("/tmp/t.xlsx")["amount"].sum())
t.to_json("/tmp/t.json", orient="table")
print(pd.read_json("/tmp/t.json", orient="table").shape)
print(t.merge(t, on="region").corr(numeric_only=True).iloc[0, 0], t["amount"].ewm(2).mean().round(2).tolist())
print(t.pivot_table(index="region", values="amount", aggfunc="max"))
'
