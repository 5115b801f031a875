"""What a user would write today: a row for every person and month in pandas, and a table of those rows.

One disease, one preset, two counts: people under care and enrolled long enough, and those of them at target.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from ncdsurv.catalog import Catalog
from ncdsurv.catalog.models import Preset
from ncdsurv.catalog.vocabulary import PatientStatus
from ncdsurv.spells import measure_plan
from ncdsurv.spells.layout import KINDS, NEVER, STATUSES

DISEASE, INDICATOR = "hypertension", "control_rate"
OUT = STATUSES.index(PatientStatus.TRANSFERRED_OUT) + 1
SYSTOLIC, DIASTOLIC = 140, 90
CELL = ["atom", "month", "sex", "band"]


def count_grid(folders: Sequence[Path], preset: Preset, first: int, last: int) -> pd.DataFrame:
    """Counts by place, month, sex and age band: [*CELL, below, above]."""
    return pd.concat([_count(folder, preset, first, last) for folder in folders])


def _count(folder: Path, preset: Preset, first: int, last: int) -> pd.DataFrame:
    people, segments, cases, contacts = (
        pd.read_parquet(folder / f"{name}.parquet") for name in ("people", "segments", "cases", "contacts")
    )
    cases = cases[cases["disease"] == 0].merge(people, on="person")
    months = pd.DataFrame({"month": np.arange(first, last + 1, dtype=np.int32)})
    grid = cases.merge(months, how="cross")
    grid = grid[
        (grid["enrolled_month"] + preset.enrolment_buffer_months <= grid["month"])
        & (grid["death_month"] > grid["month"])
        & (grid["withdrawn_month"] > grid["month"])
    ].sort_values(["month", "person"])

    visits = contacts[contacts["kind"].isin([KINDS.index(kind) for kind in preset.visit_kinds])].copy()
    visits = visits[visits["person"].isin(cases["person"])]
    visits["seen"] = visits["month"]
    last_seen = visits.drop_duplicates(["person", "month"], keep="last")[["person", "month", "seen"]]
    read = visits.dropna(subset=["sbp", "dbp"]).copy()
    read["met"] = (read["sbp"] < SYSTOLIC) & (read["dbp"] < DIASTOLIC)
    read["read"] = read["month"]
    last_read = read.drop_duplicates(["person", "month"], keep="last")[["person", "month", "read", "met"]]
    told = visits[((visits["diseases"] & 1) != 0) & (visits["status"] > 0)]
    told = told.drop_duplicates(["person", "day"], keep="last")[["person", "day", "status"]]
    days = visits.drop_duplicates(["person", "month"], keep="last")[["person", "month", "day"]]
    status = days.merge(told, on=["person", "day"], how="left").fillna({"status": 0})
    for found in (last_seen, last_read, status[["person", "month", "status"]], _lived(segments)):
        grid = pd.merge_asof(grid, found.sort_values("month"), on="month", by="person")

    lost = grid["month"] - grid["seen"].fillna(-NEVER) >= preset.lost_after_months
    if preset.lost_grace:
        lost &= grid["month"] - grid["enrolled_month"] >= preset.lost_after_months
    grid = grid[~lost & (grid["status"] != OUT)]
    recent = grid["month"] - grid["seen"] < preset.outcome_window_months
    recent &= grid["month"] - grid["read"] < preset.outcome_window_months
    grid = grid.assign(above=recent & grid["met"].eq(True), below=1)
    grid["age"] = (grid["month"] - grid["birth_month"]) // 12
    return grid.groupby(["atom", "month", "sex", "age"], as_index=False)[["below", "above"]].sum()


def _lived(segments: pd.DataFrame) -> pd.DataFrame:
    lived = segments.rename(columns={"from_month": "month"})
    opening = ~lived["person"].duplicated()
    return lived.assign(month=np.where(opening, 0, lived["month"])).astype({"month": "int32"})


def same_counts(
    found: pd.DataFrame, counted: pl.DataFrame, catalog: Catalog, preset: Preset
) -> dict[str, Any]:
    """Both counts by place, month and sex, of pandas and of the engine; equal or not."""
    plan = measure_plan(catalog)
    names = {
        plan.denominator(INDICATOR, preset.id): "below",
        plan.numerator(INDICATOR, preset.id): "above",
    }
    key = ["atom", "month", "sex"]
    theirs = (
        pl.from_pandas(found[[*key, "below", "above"]])
        .group_by(key)
        .agg(pl.col("below", "above").cast(pl.Int64).sum())
        .cast({"atom": pl.Int32, "month": pl.Int32, "sex": pl.Int32})
        .sort(key)
    )
    ours = (
        counted.filter(pl.col("disease").cast(pl.String) == DISEASE)
        .with_columns(pl.col("sex").to_physical().cast(pl.Int32))
        .group_by(key)
        .agg(pl.col(physical).cast(pl.Int64).sum().alias(name) for physical, name in names.items())
        .filter(pl.col("below") > 0)
        .sort(key)
    )
    same = ours.equals(theirs.filter(pl.col("below") > 0))
    return {"same": same, "people": int(ours["below"].sum()), "theirs": int(theirs["below"].sum())}
