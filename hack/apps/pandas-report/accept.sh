# shellcheck shell=bash
is 'help' 'Summarize a table' run
exits 'no arguments' 2 'required: to' run data/sales.csv
report() { run data/sales.csv "$@"; }
is 'pictures' 'saved.*r.webp.*saved.*r.svgz' report /tmp/r.{pdf,svg,jpg,eps,tiff,webp,svgz}
is 'a line in another style' saved report /tmp/r.png --kind line --style ggplot --colors plasma
is 'boxes on dark' saved report /tmp/r.png --kind box --style dark_background
is 'a histogram' saved report /tmp/r.pdf --kind hist --style fivethirtyeight --colors tab10
is 'an area' saved report /tmp/r.svg --kind area --style bmh
exits 'an unknown style' 1 'nonsense' report /tmp/r.png --style nonsense
exits 'an unknown kind of picture' 1 'not supported' report /tmp/r.xyz
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
is 'a data base' '46.75' run -p python3 -c '
import sqlite3
import pandas as pd
with sqlite3.connect("/tmp/t.db") as db:
    pd.read_csv("data/sales.csv").to_sql("sales", db)
    print(pd.read_sql("select sum(amount) from sales", db).iloc[0, 0])
'
is 'times' 'Thursday.*2024-03-01 05:00:00\+09:00.*2024-02-29' run -p python3 -c '
import pandas as pd
t = pd.date_range("2024-02-29", periods=3, freq="B", tz="America/New_York")
print(t[0].day_name(), pd.Timestamp("29.02.2024 20:00", tz="UTC").tz_convert("Asia/Tokyo"), pd.Period("2024-02").end_time.date())
print(pd.Series(range(9), pd.date_range("2024", periods=9)).rolling("3D").mean().describe())
print(pd.read_csv("data/sales.csv", sep=None, engine="python", parse_dates=["date"]).dtypes)
'
is 'other pictures' 'drawn' run -p python3 -c '
import matplotlib
matplotlib.use("Agg")
from matplotlib import pyplot as plt
import numpy as np
x = np.linspace(0, 1, 20)
figure, axes = plt.subplots(2, 3)
axes[0, 0].imshow(np.outer(x, x)); axes[0, 1].contourf(np.outer(x, x)); axes[0, 2].hist(x); axes[1, 0].errorbar(x, x, x); axes[1, 1].quiver(x, x)
axes[1, 2].set_title("$\\frac{a}{b} \\alpha$", family="serif")
figure.savefig("/tmp/a.ps")
plt.figure().add_subplot(projection="3d").plot(x, x, x)
plt.savefig("/tmp/b.png")
plt.figure().add_subplot(projection="polar").plot(x, x)
plt.savefig("/tmp/c.pdf")
print("drawn")
'
