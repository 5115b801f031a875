"""Reference numbers of the corrections, from the Python package pymannkendall (not a dependency of this project).

Run from this folder, after make_kendall.R:  pip install pymannkendall==1.4.3 && python make_corrections.py
Calls: hamed_rao_modification_test(x, alpha=0.05, lag=...), yue_wang_modification_test(x, lag=...),
seasonal_test(x, period=12), correlated_seasonal_test(x, period=12). Writes expected_corrections.csv.
"""

import csv
from importlib.metadata import version

import pymannkendall as mk

series = {}
with open("series.csv") as file:
    for row in csv.DictReader(file):
        series.setdefault(row["series"], []).append(float(row["value"]))

found = []


def say(case, test):
    found.extend(
        (case, what, getattr(test, name))
        for what, name in (("statistic", "z"), ("p_value", "p"), ("score", "s"), ("variance", "var_s"))
    )


for lag in (1, 3, 12):
    say(f"nile_hamed_rao_{lag}", mk.hamed_rao_modification_test(series["nile"], alpha=0.05, lag=lag))
    say(f"nile_yue_wang_{lag}", mk.yue_wang_modification_test(series["nile"], alpha=0.05, lag=lag))
for name in ("nottem", "deaths"):
    say(f"{name}_season", mk.seasonal_test(series[name], period=12))
    say(f"{name}_hirsch_slack", mk.correlated_seasonal_test(series[name], period=12))
with open("expected_corrections.csv", "w") as file:
    file.write(f"# pymannkendall {version('pymannkendall')}, script make_corrections.py\ncase,what,value\n")
    file.writelines(f"{case},{what},{float(value)!r}\n" for case, what, value in found)
