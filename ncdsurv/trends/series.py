"""From published values to one checked monthly series; what cannot carry a trend is refused with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ncdsurv.catalog.vocabulary import ALL_AGES, BOTH_SEXES, Flag, Period, month_label
from ncdsurv.errors import StatisticsError, UsageError, unknown
from ncdsurv.maps.frames import IDENTITY, require_single
from ncdsurv.trends.refusal import SeriesRefused

SCALE = {"percent": 100.0, "per_100000": 100_000.0}
_STANDARD = {"sex": BOTH_SEXES, "age_band": ALL_AGES}


@dataclass(frozen=True)
class MonthlySeries:
    """One area's months without a gap; `frame` has month, period, numerator, denominator, value, flag."""

    identity: dict[str, Any]
    frame: pl.DataFrame
    scale: float
    excluded: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def small_months(self) -> int:
        """Months flagged as small numbers."""
        return self.frame.filter(pl.col("flag") == Flag.SMALL_NUMBER).height


def monthly_series(
    table: pl.DataFrame,
    *,
    area: str | None,
    area_vintage: str | None,
    minimum_months: int,
    gaps: str = "refuse",
    zeros: str = "refuse",
    minimum_events: int = 0,
) -> MonthlySeries:
    """Pick and check one monthly series.

    Args:
        table: Values (schema `VALUES`).
        area: Area code, or None when the table holds one area.
        area_vintage: Vintage of the code, or None when the table holds one.
        minimum_months: Fewer months are refused.
        gaps: `refuse` months without a value, or `keep` the series with them left out and counted.
        zeros: `refuse` a series whose numerators are all zero, or `keep` it.
        minimum_events: A series with fewer events in all its numerators is refused.

    Returns:
        The series; what was left out stands in `excluded` as (reason key, numbers).

    Raises:
        UsageError: The selection is a mixture, or names an area that is not there.
        StatisticsError: The series cannot carry a rate trend; the message says why.
    """
    table = _choose_area(table, area, area_vintage)
    table, excluded = _drop_other_rows(table)
    identity = require_single(table, ("area_level", "area_code"), "a trend")
    identity |= _single_vintage(table)
    identity |= require_single(table, (*IDENTITY, "unit", "ci_method"), "a trend")
    if identity["unit"] not in SCALE:
        raise StatisticsError(
            "a rate trend needs a denominator",
            got=f"an indicator in the unit {identity['unit']!r}",
            allowed=", ".join(SCALE),
            do="choose an indicator that has a numerator and a denominator",
        )
    table = table.with_columns(
        pl.col("period").map_elements(_month, return_dtype=pl.Int64).alias("month")
    ).sort("month")
    repeated = table.filter(pl.col("month").is_duplicated())["period"].unique().sort()
    if len(repeated):
        raise UsageError(
            "a month stands twice in the series", got=", ".join(repeated[:6]), do="narrow the values"
        )
    table = _trim_edges(table, excluded)
    if gaps == "keep":
        table = _without_gaps(table, excluded)
    else:
        _refuse_gaps(table)
    if table.height < minimum_months:
        raise SeriesRefused(
            "too few months for a trend",
            reason="months",
            parts={"months": table.height, "needed": minimum_months},
            got=f"{table.height} months",
            allowed=f"at least {minimum_months}",
            do="take a longer run of months",
        )
    if zeros == "refuse" and not table["numerator"].sum() > 0:
        raise SeriesRefused(
            "every numerator is zero, so a relative change is not defined",
            reason="zeros",
            got=f"{table.height} months of 0",
            do="show the counts instead of a trend",
        )
    events = float(table["numerator"].sum())
    if events < minimum_events:
        raise SeriesRefused(
            "too few events for a relative change",
            reason="events",
            parts={"events": round(events), "months": table.height, "needed": minimum_events},
            got=f"{events:.0f} in {table.height} months",
            allowed=f"at least {minimum_events}",
            do="take a larger area, or show the counts",
        )
    return MonthlySeries(identity, table, SCALE[identity["unit"]], excluded)


def _choose_area(table: pl.DataFrame, area: str | None, vintage: str | None) -> pl.DataFrame:
    for column, wanted in (("area_code", area), ("area_vintage", vintage)):
        if wanted is None:
            continue
        if not isinstance(wanted, str):
            raise UsageError(
                f"{column} is text", got=repr(wanted), allowed='text such as "01"', do="quote it"
            )
        chosen = table.filter(pl.col(column) == wanted)
        if chosen.is_empty():
            raise unknown(column.replace("_", " "), wanted, table[column].drop_nulls().unique().to_list())
        table = chosen
    return table


def _single_vintage(table: pl.DataFrame) -> dict[str, Any]:
    found = sorted(table["area_vintage"].drop_nulls().unique().to_list())
    if len(found) > 1:
        raise UsageError(
            "a code means another territory in each vintage, so a step of geography would be drawn as a trend",
            got="vintages " + " and ".join(found),
            allowed="one area_vintage for all months",
            do=f'add area_vintage="{found[-1]}"',
        )
    return {"area_vintage": found[0] if found else None}


def _drop_other_rows(table: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[str, dict[str, Any]]]]:
    """Leave out (and count) what a monthly trend of crude counts cannot use."""
    excluded: list[tuple[str, dict[str, Any]]] = []
    tests = {
        "other_periods": pl.col("period").map_elements(_is_month, return_dtype=pl.Boolean),
        "standardised": (pl.col("standardisation") == "crude").fill_null(True),
    }
    for reason, keep in tests.items():
        kept = table.filter(keep)
        if dropped := table.height - kept.height:
            if kept.is_empty():
                raise StatisticsError(
                    "no monthly row of crude counts is left",
                    got=f"{dropped} rows of other periods or age-standardised",
                    do='take monthly values with standardisation="crude"',
                )
            excluded.append((reason, {"n": dropped}))
        table = kept
    for column, common in _STANDARD.items():
        if table[column].n_unique() > 1:
            raise UsageError(
                f"the values mix groups of {column.replace('_', ' ')}",
                got=", ".join(sorted(str(item) for item in table[column].unique())),
                allowed=f"one {column}",
                do=f'narrow the values first, for instance {column}="{common}"',
            )
    return table, excluded


def _trim_edges(table: pl.DataFrame, excluded: list[tuple[str, dict[str, Any]]]) -> pl.DataFrame:
    """Months before the first and after the last denominator are not yet (or no longer) counted: cut and said."""
    counted = table.filter(pl.col("denominator") > 0)
    if counted.is_empty():
        raise StatisticsError(
            "no month has a denominator",
            got=f"{table.height} months, denominator 0 or empty in each",
            do="choose an area or indicator with people in the denominator",
        )
    first, last = counted["month"][0], counted["month"][-1]
    before, after = table.filter(pl.col("month") < first).height, table.filter(pl.col("month") > last).height
    if before:
        excluded.append(("leading", {"n": before, "first": month_label(first)}))
    if after:
        excluded.append(("trailing", {"n": after, "last": month_label(last)}))
    return table.filter(pl.col("month").is_between(first, last))


_USABLE = (pl.col("denominator") > 0) & pl.col("numerator").is_not_null() & pl.col("value").is_not_null()


def _without_gaps(table: pl.DataFrame, excluded: list[tuple[str, dict[str, Any]]]) -> pl.DataFrame:
    kept = table.filter(_USABLE)
    if kept.is_empty():
        raise StatisticsError(
            "no month has a value", got=f"{table.height} months without one", do="choose a larger area"
        )
    missing = table["month"][-1] - table["month"][0] + 1 - kept.height
    if missing:
        excluded.append(("gaps", {"n": missing}))
    return kept


def _refuse_gaps(table: pl.DataFrame) -> None:
    usable = table.filter(_USABLE)
    expected = range(table["month"][0], table["month"][-1] + 1)
    absent = sorted(set(expected) - set(usable["month"].to_list()))
    if absent:
        shown = ", ".join(month_label(month) for month in absent[:12])
        raise SeriesRefused(
            "months without a value interrupt the series",
            reason="gaps",
            parts={"months": len(absent)},
            got=shown + (f", ... ({len(absent)} in all)" if len(absent) > 12 else ""),
            allowed="a value in every month from the first to the last",
            do="start after the gap, or use a larger area",
        )


def _is_month(period: str) -> bool:
    return Period.parse(period).n_months == 1


def _month(period: str) -> int:
    return Period.parse(period).last_month
