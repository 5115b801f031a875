"""Figures by facility and by source system, month by month: of the indicators flagged `by_facility`.

They stand apart from the values of areas (a facility's code may be the code of a commune), in rows of the same
columns: `area_level` is `facility` or `source`, `area_code` the facility's code or the source's id. Neither
hangs on the list of administrative units; the rows stand under both vintages so that either may be asked for.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import ALL_AGES, BOTH_SEXES, Unit, Vintage, month_label
from ncdsurv.indicators.figures import finish
from ncdsurv.spells import Plan, measure_plan

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Indicator

UNKNOWN_UNIT = "unknown"
"""Code of the row that holds people whose contacts name no facility."""
ORDER = ["preset", "disease", "area_vintage", "area_level", "area_code", "period"]
_MADE: dict[int, tuple[weakref.ref[Catalog], Catalog]] = {}


def unit_catalog(catalog: Catalog) -> Catalog:
    """The catalog with only the indicators that are published by facility: a lean count.

    >>> from ncdsurv.catalog import load_catalog
    >>> "control_rate" in unit_catalog(load_catalog()).indicators
    True
    """
    known = _MADE.get(id(catalog))
    if known is None or known[0]() is not catalog:
        wanted = {name: one for name, one in catalog.indicators.items() if one.by_facility}
        known = weakref.ref(catalog), catalog.model_copy(update={"indicators": wanted})
        _MADE.clear()
        _MADE[id(catalog)] = known
    return known[1]


def iter_unit_values(
    counts: pl.DataFrame, catalog: Catalog, release_id: str, first_month: int, last_month: int
) -> Iterator[pl.DataFrame]:
    """The values of facilities and sources, one indicator at a time in the order of their ids.

    Args:
        counts: [facility, source, month, disease] and the columns of the plan of `unit_catalog`.
        catalog: Definitions, whole.
        release_id: Written into every row.
        first_month: First month published.
        last_month: Last month published.

    Yields:
        Columns of `catalog.tables.VALUES`, in the order of `ORDER`; cells with no count at all are absent.
    """
    lean = unit_catalog(catalog)
    plan = measure_plan(lean)
    months = range(first_month, last_month + 1)
    kept = counts.filter(pl.col("month").is_in(list(months)))
    periods = pl.DataFrame(
        {"month": months, "period": [month_label(month) for month in months]},
        schema={"month": pl.Int32, "period": pl.String},
    )
    rules = next(iter(catalog.publication.values()))
    for name in sorted(lean.indicators):
        indicator = lean.indicators[name]
        parts = [_cells(kept, plan, indicator, preset, unit) for preset in indicator.presets for unit in Unit]
        cells = pl.concat(parts).join(periods, on="month")
        if cells.is_empty():
            continue
        vintages = pl.DataFrame({"area_vintage": [vintage.value for vintage in Vintage]})
        placed = cells.join(vintages, how="cross").with_columns(
            sex=pl.lit(BOTH_SEXES), age_band=pl.lit(ALL_AGES), n_months=pl.lit(1, pl.Int32)
        )
        yield finish(placed.sort(ORDER), indicator, rules, release_id)


def _cells(counts: pl.DataFrame, plan: Plan, indicator: Indicator, preset: str, unit: Unit) -> pl.DataFrame:
    """Numerator and denominator of every unit, disease and month in which the preset counts anybody."""
    above, below = plan.numerator(indicator.id, preset), plan.denominator(indicator.id, preset)
    assert above is not None  # `by_facility` is for counts of people
    code = pl.when(pl.col(unit) == "").then(pl.lit(UNKNOWN_UNIT)).otherwise(pl.col(unit))
    anybody = counts.filter(pl.any_horizontal(pl.col(plan.columns_of([preset])) != 0))
    if indicator.diseases:
        anybody = anybody.filter(pl.col("disease").cast(pl.String).is_in(list(indicator.diseases)))
    return (
        anybody.group_by(code.alias("area_code"), pl.col("disease").cast(pl.String), "month")
        .agg(
            numerator=pl.col(above).sum().cast(pl.Float64),
            denominator=pl.lit(None, pl.Float64) if below is None else pl.col(below).sum().cast(pl.Float64),
        )
        .with_columns(preset=pl.lit(preset), area_level=pl.lit(unit.value))
    )
