"""Values of areas over several months, by an arithmetic that a test can repeat, and pages read back."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import polars as pl

from ncdsurv.catalog.tables import VALUES
from ncdsurv.catalog.vocabulary import Flag
from ncdsurv.maps.interactive.packing import unpack

RELEASE = "2026-06-abc"
HIDDEN, UNDEFINED, ABSENT = 3, 4, 5  # places of the areas that are so in the last month
SECRET = 987_654.0  # a number beside a suppressed value, which no page may hold


def months(level: str, vintage: str, codes: list[str], periods: list[str], **columns: Any) -> pl.DataFrame:
    """Values of every area and period: `numerator(at, t)` of `denominator(at)`; every seventh area is small."""
    rows = []
    for t, period in enumerate(periods):
        last = t == len(periods) - 1
        for at, code in enumerate(codes):
            if last and at == ABSENT:
                continue
            top, below = numerator(at, t), denominator(at)
            row: dict[str, Any] = {
                "area_code": code, "period": period, "numerator": top, "denominator": below,
                "value": 100 * top / below, "lower": 100 * top / below - 2.5, "upper": 100 * top / below + 3.5,
                "flag": "small_number" if at % 7 == 6 else "ok",
            }  # fmt: skip
            if last and at == HIDDEN:
                row |= {"value": None, "lower": None, "upper": None, "flag": Flag.SUPPRESSED.value}
                row |= {"numerator": SECRET, "denominator": SECRET}
            if last and at == UNDEFINED:
                row |= {"value": None, "lower": None, "upper": None, "numerator": 0.0, "denominator": 0.0}
                row |= {"flag": "no_denominator"}
            rows.append(row)
    shared = {
        "release": RELEASE, "indicator": "control_rate", "preset": "hearts", "disease": "hypertension",
        "area_vintage": vintage, "area_level": level, "sex": "both", "age_band": "all", "ci_method": "wilson",
        "standardisation": "crude", "unit": "percent",
    } | columns  # fmt: skip
    frame = pl.DataFrame(rows).with_columns(
        pl.lit(value, dtype=pl.String).alias(name) for name, value in shared.items()
    )
    return frame.select(list(VALUES))


def numerator(at: int, t: int) -> float:
    """Counted among an area's people in a month."""
    return float(40 + (17 * at + 29 * t) % 190)


def denominator(at: int) -> float:
    """People of an area, the same in all months."""
    return float(300 + 11 * (at % 60))


def document(html: str) -> dict[str, Any]:
    """The data of a page."""
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def cells(page: dict[str, Any], name: str) -> np.ndarray:
    """A packed column as the page's script reads it: areas by periods, NaN where nothing was written."""
    steps = iter(unpack(page["cells"][name]).tolist())
    out = np.full((len(page["codes"]), len(page["periods"])), np.nan)
    for at in range(len(out)):
        last = 0
        for t in range(out.shape[1]):
            step = next(steps) if page["marks"][at * out.shape[1] + t].isalpha() else 0
            if step:
                folded = step - 1
                last += -(folded + 1) // 2 if folded % 2 else folded // 2
                out[at, t] = last
    assert next(steps, None) is None  # nothing is written but what is shown
    return out
