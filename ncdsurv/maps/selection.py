"""Which rows a map shows, and what is known of every area on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ncdsurv.catalog.vocabulary import HELD_BACK, Flag, Period
from ncdsurv.errors import UsageError, unknown
from ncdsurv.maps.frames import IDENTITY, require_single, take_values

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.reference import Reference

SHOWN, NOT_DEFINED, NOT_REPORTED = "shown", "not_defined", "not_reported"
SUPPRESSED = Flag.SUPPRESSED.value  # the status is called as the flag that most often stands behind it


@dataclass(frozen=True)
class MapRows:
    """One indicator of one period: `identity` says which; `frame` has one row per area with a value row."""

    identity: dict[str, Any]
    frame: pl.DataFrame
    level: str
    vintage: str
    period: str
    back: Callable[[pl.DataFrame], Any]


@dataclass(frozen=True)
class Narrowed:
    """One row an area of one figure.

    Attributes:
        frame: The rows.
        where: Their `period`, `area_level` and `area_vintage`.
        identity: Indicator, preset, disease, sex, age band, standardisation, release and unit.
        wider: Rows of the same period and vintage at every level.
    """

    frame: pl.DataFrame
    where: dict[str, Any]
    identity: dict[str, Any]
    wider: pl.DataFrame


def narrow(
    table: pl.DataFrame,
    what: str,
    *,
    period: str | None,
    level: str | None,
    vintage: str | None,
    untold: Sequence[str] = (),
) -> Narrowed:
    """Choose the rows of one period, vintage and level, and check that they are one figure; None must be single.

    Args:
        table: Values of the values schema.
        what: What is made of them, as errors name it: "a map".
        period, level, vintage: Which rows.
        untold: Columns that the values need not fill; where none is filled, every row is taken.

    Raises:
        UsageError: No such period, vintage or level in the values, they mix indicators, sexes, ages, or an area
            stands twice.
    """
    wanted_period = None if period is None else str(Period.parse(str(period)))
    wider = table
    for column, wanted in (("period", wanted_period), ("area_vintage", vintage), ("area_level", level)):
        if wanted is None or (column in untold and table[column].null_count() == table.height):
            continue
        chosen = table.filter(pl.col(column) == str(wanted))
        if chosen.is_empty():
            known = table[column].drop_nulls().unique().to_list()
            raise unknown(f"{column.replace('_', ' ')} among these values", str(wanted), known)
        table = chosen
        wider = wider if column == "area_level" else chosen
    where = require_single(table, ("period", "area_level", "area_vintage"), what)
    identity = require_single(table, (*IDENTITY, "unit"), what)
    if table["area_code"].n_unique() != table.height:
        raise UsageError(
            "an area stands twice in the values",
            got=f"{table.height} rows of {table['area_code'].n_unique()} areas",
            do="narrow the values to one row an area",
        )
    return Narrowed(table, where, identity, wider)


def choose_rows(values: Any, *, period: str | None, level: str | None, vintage: str | None) -> MapRows:
    """The rows of a map: see `narrow`.

    Raises:
        UsageError: As `narrow`, or values without the columns of a map.
    """
    table, back = take_values(values)
    found = narrow(table, "a map", period=period, level=level, vintage=vintage)
    where = found.where
    return MapRows(
        found.identity, found.frame, where["area_level"], where["area_vintage"], where["period"], back
    )


def join_areas(codes: list[str], rows: MapRows) -> pl.DataFrame:
    """Every area of the map with its value and status.

    Returns:
        [area_code, value, lower, upper, numerator, denominator, flag, status], in the order of `codes`; status is
        `shown`, `suppressed` (held back, its numbers too small), `not_defined` (a row without a value) or
        `not_reported` (no row). What is flagged as suppressed has no number here, whatever its row says.
    """
    areas = pl.DataFrame({"area_code": codes}, schema={"area_code": pl.String}).with_row_index("place")
    columns = ["area_code", "value", "lower", "upper", "numerator", "denominator", "flag"]
    found = rows.frame.select(columns).with_columns(reported=pl.lit(True))
    joined = areas.join(found, on="area_code", how="left").sort("place")
    hidden = (pl.col("flag") == SUPPRESSED).fill_null(False)
    numbers = ("value", "lower", "upper", "numerator", "denominator")
    joined = joined.with_columns(pl.when(hidden).then(None).otherwise(name).alias(name) for name in numbers)
    status = (
        pl.when(pl.col("value").is_not_null())
        .then(pl.lit(SHOWN))
        .when(pl.col("flag").is_in([flag.value for flag in HELD_BACK]).fill_null(False))
        .then(pl.lit(SUPPRESSED))
        .when(pl.col("reported").fill_null(False))
        .then(pl.lit(NOT_DEFINED))
        .otherwise(pl.lit(NOT_REPORTED))
    )
    return joined.with_columns(status=status).drop("place", "reported")


def same_kind(values: Any, rows: MapRows, codes: list[str]) -> np.ndarray:
    """Values of the map's areas in every period as long as the map's (months with months), NaN where missing."""
    table, _ = take_values(values)
    longs = {one: Period.parse(one).kind for one in table["period"].drop_nulls().unique()}
    alike = [one for one, kind in longs.items() if kind == longs[rows.period]]
    table = table.filter(
        pl.col("period").is_in(alike),
        pl.col("area_code").is_in(codes),
        area_level=rows.level,
        area_vintage=rows.vintage,
    )
    require_single(table, IDENTITY, "a map")
    table = table.filter(pl.col("flag").ne_missing(SUPPRESSED))
    return table["value"].to_numpy().astype(float)


def infer_within(rows: MapRows, reference: Reference) -> str | None:
    """The province, when all values below province level lie in one; else None: the nation."""
    chain = reference.parents(rows.vintage)
    if rows.level not in ("commune", "district"):
        return None
    inside = chain.filter(pl.col(rows.level).is_in(rows.frame["area_code"].to_list()))["province"].unique()
    return str(inside[0]) if len(inside) == 1 else None


def is_small(flag: str | None) -> bool:
    """Whether a value is to be hatched."""
    return flag in (Flag.SMALL_NUMBER, Flag.TOO_FEW_EVENTS)


def target_of(identity: dict[str, Any], period: str, catalog: Catalog) -> Any:
    """The national target that applies: the first due at or after the period's year, else the last; or None."""
    found = [
        target
        for target in catalog.targets.values()
        if target.indicator == identity["indicator"] and target.disease == identity["disease"]
    ]
    year = int(period[:4])
    due = sorted((target for target in found if target.year >= year), key=lambda target: target.year)
    past = sorted(found, key=lambda target: -target.year)
    return next(iter(due + past), None)
