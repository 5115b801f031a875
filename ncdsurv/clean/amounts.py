"""Numbers with their units: read, put into the registry's unit, and held against plausible limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.plausibility import Plausible
from ncdsurv.clean.columns import RAW, first_rule, once_per_text, raw

_NUMBER = r"^(?:\D{0,12}\s)?[<>=~\s]*(\d{1,5}(?:[.,]\d+)?)\s*(%|[a-zA-Zµ][a-zA-Z/.\s0-9]*)?$"
_BY_RANGE = "by_range"


def within(limits: Condition, value: pl.Expr) -> pl.Expr:
    """Whether a value lies inside limits; never null."""
    bounds = {"lt": value.lt, "le": value.le, "gt": value.gt, "ge": value.ge}
    tests = [bounds[operator](limit) for test in limits.tests for operator, limit in test.bounds]
    return pl.all_horizontal(tests).fill_null(False)


def number(text: pl.Expr) -> pl.Expr:
    """The number of a cell, decimal comma or point; null when the cell is no single number."""
    return text.str.strip_chars().str.extract(_NUMBER, 1).str.replace(",", ".").cast(pl.Float64, strict=False)


def written_unit(text: pl.Expr) -> pl.Expr:
    """The unit written behind the number of a cell, folded (`mg/dl`, `mmol/l`, `%`); null when none."""
    return fold_unit(text.str.strip_chars().str.extract(_NUMBER, 2))


def fold_unit(text: pl.Expr) -> pl.Expr:
    """A unit without case and spaces."""
    out = text.str.to_lowercase().str.replace_all(r"[\s.]", "")
    return pl.when(out != "").then(out)


def add_number(frame: pl.DataFrame, field: str, plausible: Plausible, *, whole: bool = False) -> pl.DataFrame:
    """One number without choice of unit: zero is missing, outside the limits is not used.

    Args:
        frame: Rows with `raw:<field>`.
        field: Name of the field.
        plausible: Its limits.
        whole: Round to a whole number (a half goes up).
    """

    def work(distinct: pl.DataFrame) -> pl.DataFrame:
        return _judged(distinct.with_columns(number(raw(field)).alias(field)), field, plausible, whole)

    return once_per_text(frame, [RAW + field], work)


def _judged(frame: pl.DataFrame, field: str, plausible: Plausible, whole: bool) -> pl.DataFrame:
    value = pl.col(field)
    good = within(plausible.limits, value)
    out = (value + 0.5).floor() if whole else value.round(1)
    return frame.with_columns(
        first_rule(
            field,
            (raw(field).is_not_null() & value.is_null(), "not_a_number"),
            ((value == 0) & ~good, "zero_is_missing"),
            (value.is_not_null() & ~good, "out_of_range"),
            (good & (out != value), "rounded"),
        ),
        pl.when(good).then(out).alias(field),
    )


def add_with_unit(
    frame: pl.DataFrame, field: str, into: str, unit: str, plausible: Plausible
) -> pl.DataFrame:
    """A laboratory value in the registry's unit: by the unit written, else by the range it lies in.

    A number that could belong to no unit, or stands between the ranges, is not used; it is never guessed.

    Args:
        frame: Rows with `raw:<field>` and `raw:<field>_unit`.
        field: Name of the raw field.
        into: Name of the cleaned column.
        unit: The unit the source guarantees, or `by_range`.
        plausible: Limits, and the other units that are converted.
    """
    columns = [RAW + field, f"{RAW}{field}_unit"]

    def work(distinct: pl.DataFrame) -> pl.DataFrame:
        stated = pl.coalesce(written_unit(raw(field)), fold_unit(raw(f"{field}_unit")))
        frame = distinct.with_columns(number(raw(field)).alias("number"), stated.alias("stated"))
        return _in_unit(frame, field, into, unit, plausible).drop("number", "stated")

    return once_per_text(frame, columns, work)


def _in_unit(frame: pl.DataFrame, field: str, into: str, unit: str, plausible: Plausible) -> pl.DataFrame:
    value, stated = pl.col("number"), pl.col("stated")
    others: Mapping[str, pl.Expr] = {
        name: other.convert(value).round(other.decimals) for name, other in plausible.other_units.items()
    }
    fits = {plausible.unit: within(plausible.limits, value)} | {
        name: within(other.limits, value) for name, other in plausible.other_units.items()
    }
    stated_is = {name: (stated == name.lower().replace(" ", "")).fill_null(False) for name in fits}
    known = pl.any_horizontal(stated_is.values())
    fitting = pl.sum_horizontal(test.cast(pl.Int8) for test in fits.values())
    chosen: dict[str, pl.Expr] = {}
    for name in fits:
        silent = pl.lit(name == unit) if unit != _BY_RANGE else fitting == 1
        chosen[name] = fits[name] & (stated_is[name] | (~known & silent))
    out: Any = pl.when(chosen[plausible.unit]).then(value.round(plausible.decimals))
    converted, guessed = pl.lit(False), pl.lit(False)
    for name, expr in others.items():
        out = out.when(chosen[name]).then(expr)
        converted = converted | (chosen[name] & stated_is[name])
        guessed = guessed | (chosen[name] & ~known)
    nothing = ~pl.any_horizontal(chosen.values())
    return frame.with_columns(
        out.otherwise(None).cast(pl.Float64).alias(into),
        first_rule(
            into,
            (raw(field).is_not_null() & value.is_null(), "not_a_number"),
            (value == 0, "zero_is_missing"),
            (value.is_not_null() & nothing & known, "out_of_range"),
            (value.is_not_null() & nothing, "unit_doubtful"),
            (converted, "unit_converted"),
            (guessed, "unit_from_range"),
            (value.is_not_null() & stated.is_not_null() & ~known, "unit_unknown"),
        ),
    )
