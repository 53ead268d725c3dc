import argparse
import sys

import matplotlib

matplotlib.use("Agg")
import pandas as pd
from matplotlib import pyplot as plt

parser = argparse.ArgumentParser(description="Summarize a table.")
parser.add_argument("table")
parser.add_argument("to", nargs="+", help="files, by their suffixes, or - for text")
parser.add_argument("--by", default="region")
parser.add_argument("--zone", default="UTC")
parser.add_argument("--kind", default="bar")
parser.add_argument("--style", default="default")
parser.add_argument("--colors", default="viridis")
args = parser.parse_args()

readers = {"csv": pd.read_csv, "json": pd.read_json, "xlsx": pd.read_excel, "html": pd.read_html}
table = readers[args.table.rsplit(".", 1)[-1]](args.table)
table["date"] = pd.to_datetime(table["date"], utc=True).dt.tz_convert(args.zone)
if args.by == "month":
    summary = table.set_index("date").resample("M")["amount"].sum()
elif args.by == "week":
    summary = table.groupby(table["date"].dt.day_name())["amount"].sum()
else:
    summary = table.groupby(args.by)["amount"].agg(["sum", "mean", "median", "std"])

writers = {
    "csv": summary.to_csv,
    "json": summary.to_json,
    "xlsx": lambda to: pd.DataFrame(summary).reset_index().astype(str).to_excel(to),
    "html": lambda to: pd.DataFrame(summary).to_html(to),
    "pkl": summary.to_pickle,
}
for to in args.to:
    suffix = to.rsplit(".", 1)[-1]
    if to == "-":
        print(summary.to_string())
    elif suffix in writers:
        writers[suffix](to)
        print("saved", to)
    else:
        plt.style.use(args.style)
        axes = summary.plot(kind=args.kind, title="Sales $\\sum x_i$", colormap=args.colors)
        axes.figure.savefig(to)
        plt.close("all")
        print("saved", to)
