"""What the cells of each column could be, told by the same readers that clean them later; shares, never cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from ncdsurv.catalog.sources import FIELDS
from ncdsurv.clean.amounts import number, within, written_unit
from ncdsurv.clean.columns import RAW
from ncdsurv.clean.dates import read_dates
from ncdsurv.clean.diseases import icd_codes
from ncdsurv.clean.identifiers import add_identifiers
from ncdsurv.clean.pressure import add_pressure
from ncdsurv.draft.words import Words
from ncdsurv.ingest.headers import fold

_DISTINCT = 600  # different cells of a column that are looked at
_WRITTEN_DATE = r"^\d{1,4}\s?[-/. ]\s?\d{1,2}\s?[-/. ]\s?\d{1,4}(?:\D.*)?$|^\d{8}(?:\d{4})?$"
_US_DATE = r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})"
MONTHS, _DAYS = 12, 31
_PERSONAL = r"^\W?(?:\d[ .]?){9,12}$|^[A-Z]\d{7}$"
_NAME = r"^[^\d,;:/()]+$"
_SERIAL = r"^[1-9]\d{4}(?:\.\d+)?$"
_YEAR = r"^(?:19|20)\d\d$"
_CODE = r"^\d{4,5}$"
_MEASURED = {
    "sbp": "sbp", "dbp": "dbp", "weight_kg": "weight_kg", "height_cm": "height_cm", "glucose": "glucose_mmol_l",
    "hba1c": "hba1c_percent", "supply_days": "supply_days", "age": "age_years",
}  # fmt: skip
NUMBERS = frozenset((*_MEASURED, "age_male", "age_female"))
"""Fields that hold one number."""
_FEW_CODES, _FEW = 20, 5


@dataclass(frozen=True, repr=False)
class Column:
    """A column as far as its shape goes.

    Attributes:
        place: Its position, from 0.
        label: Its header; empty without one.
        filled: Cells that hold something.
        rows: Rows looked at.
        different: Different cells.
        shares: Field -> share of the filled cells that could be that field (left out: cannot be told).
        median: Middle of its numbers.
        units: Unit written in the cells -> share.
        month_first: Whether its dates are written month/day/year: some only read so, and none of the table
            only reads day/month/year.
        cells: The cells in order; never printed, never written.
    """

    place: int
    label: str
    filled: int
    rows: int
    different: int
    shares: dict[str, float]
    median: float | None
    units: dict[str, float]
    month_first: bool
    cells: Sequence[str | None] = field(repr=False)

    @property
    def coded(self) -> bool:
        """Whether so few different cells come back so often that they can be codes."""
        return self.different <= _FEW_CODES and (self.different <= _FEW or 2 * self.different <= self.filled)

    @property
    def letter(self) -> str:
        """The column's letter as a spreadsheet shows it."""
        left, out = self.place + 1, ""
        while left:
            left, rest = divmod(left - 1, 26)
            out = chr(ord("A") + rest) + out
        return out


def read_columns(
    labels: Sequence[str], body: list[list[str | None]], words: Words, catalog: Any, communes: frozenset[str]
) -> list[Column]:
    """Every column of a table that has a cell, with the shares of its cells that fit each field."""
    width = max([len(labels), *map(len, body)], default=0)
    columns, parts = [], []
    for place in range(width):
        cells = [row[place] if place < len(row) else None for row in body]
        counted = Counter(text.strip() for text in cells if text and text.strip())
        if not counted:
            continue
        columns.append((place, cells, counted))
        common = counted.most_common(_DISTINCT)
        parts.append(
            pl.DataFrame({"place": place, "text": [t for t, _ in common], "n": [n for _, n in common]})
        )
    if not parts:
        return []
    shares = _shares(pl.concat(parts), catalog, communes)
    found = []
    for place, cells, counted in columns:
        row = shares[place]
        label = labels[place] if place < len(labels) else ""
        found.append(
            Column(
                place,
                label,
                counted.total(),
                len(cells),
                len(counted),
                {**row["shares"], **_coded(counted, words)},
                row["median"],
                row["units"],
                row["month_first"],
                cells,
            )
        )
    return found


def _shares(cells: pl.DataFrame, catalog: Any, communes: frozenset[str]) -> dict[int, dict[str, Any]]:
    limits = catalog.plausibility
    nothing = pl.lit(None, pl.String)
    frame = cells.with_columns(
        *(
            pl.col("text").alias(RAW + name)
            for name in ("citizen_id", "insurance_number", "phone", "blood_pressure")
        ),
        nothing.alias(RAW + "sbp"),
        nothing.alias(RAW + "dbp"),
    )
    frame = add_pressure(add_identifiers(frame), limits["sbp"], limits["dbp"])
    icd = [bool(icd_codes(text)) for text in frame["text"].to_list()]
    frame = frame.with_columns(
        read_dates(frame["text"])["date"].alias("day"), pl.Series("icd", icd, pl.Boolean)
    )
    value, text = number(pl.col("text")), pl.col("text")
    written = text.str.contains(_WRITTEN_DATE)
    us = text.str.extract_groups(_US_DATE)
    first, second = (us.struct.field(part).cast(pl.Int32, strict=False) for part in ("1", "2"))
    tests = {
        "citizen_id": pl.col("citizen_id").is_not_null() & text.str.contains(_PERSONAL),
        "insurance_number": pl.col("insurance_number").is_not_null(),
        "phone": pl.col("phone").is_not_null(),
        "blood_pressure": pl.col("sbp").is_not_null(),
        "diagnosis": pl.col("icd"),
        "visited_on": written & pl.col("day").is_not_null(),
        "serial": text.str.contains(_SERIAL) & pl.col("day").is_not_null(),
        "year": text.str.contains(_YEAR),
        "commune": text.str.contains(_CODE) & text.str.zfill(5).is_in(list(communes)),
        "facility": text.str.contains(r"^[A-Z0-9]{4,5}$"),
        "name": text.str.contains(_NAME) & text.str.contains(r"\S\s+\S"),
        "words": text.str.contains(r"\p{L}{3}"),
        "month_first": (second > MONTHS) & (first <= MONTHS),
        "day_first": (first > MONTHS) & (second <= MONTHS),
        "month_day": first.is_between(1, MONTHS) & second.is_between(1, _DAYS),
        **{name: _fits(limits[key], value) for name, key in _MEASURED.items()},
    }
    weighed = frame.with_columns(
        *(test.fill_null(False).alias(f"is:{name}") for name, test in tests.items()),
        value.alias("value"),
        written_unit(text).alias("unit"),
    )
    total = pl.col("n").sum()
    per_column = weighed.group_by("place").agg(
        *((pl.col("n").filter(f"is:{name}").sum() / total).alias(name) for name in tests),
        pl.col("value").repeat_by("n").explode().drop_nulls().median().alias("median"),
    )
    units = weighed.drop_nulls("unit").group_by("place", "unit").agg(pl.col("n").sum())
    cells_of = dict(cells.group_by("place").agg(pl.col("n").sum()).iter_rows())
    out: dict[int, dict[str, Any]] = {}
    for row in per_column.iter_rows(named=True):
        place, middle = row.pop("place"), row.pop("median")
        out[place] = {"shares": row, "median": middle, "units": {}}
    for place, unit, count in units.iter_rows():
        out[place]["units"][unit] = count / cells_of[place]
    every = [row["shares"] for row in out.values()]
    us_table = any(share["month_first"] for share in every) and not any(share["day_first"] for share in every)
    for row in out.values():
        share = row["shares"]
        row["month_first"] = us_table and share["month_day"] > 0
        if row["month_first"]:
            share["visited_on"] = max(share["visited_on"], share["month_day"])
    return out


def _fits(plausible: Any, value: pl.Expr) -> pl.Expr:
    every = [plausible.limits, *(unit.limits for unit in plausible.other_units.values())]
    return pl.any_horizontal(within(limits, value) for limits in every) | (value == 0)


def _coded(counted: Counter[str], words: Words) -> dict[str, float]:
    """Share of the cells that are known code words, per coded field; numbers are codes of anything."""
    if len(counted) > _FEW_CODES:
        return dict.fromkeys(words.codes, 0.0)
    return {
        name: sum(n for text, n in counted.items() if fold(text) in codes and not text.isdigit())
        / counted.total()
        for name, codes in words.codes.items()
        if FIELDS[name]
    }


def days_of(column: Column) -> list[date | None]:
    """Dates of the cells of a column."""
    cells = pl.Series(list(column.cells), dtype=pl.String)
    if column.month_first:
        cells = cells.str.replace(_US_DATE, "$2/$1/$3")
    found: list[date | None] = read_dates(cells)["date"].to_list()
    return found
