"""Figures by facility and by source system, month by month: of the indicators flagged `by_facility`.

They stand apart from the values of areas (a facility's code may be the code of a commune), in rows of the same
columns: `area_level` is `facility` or `source`, `area_code` the facility's code or the source's id. Neither
hangs on the list of administrative units; the rows stand under both vintages so that either may be asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import ALL_AGES, BOTH_SEXES, Unit, Vintage, month_label
from ncdsurv.indicators.figures import finish
from ncdsurv.indicators.rollup import in_order
from ncdsurv.remembered import Remembered
from ncdsurv.spells import Plan, measure_plan

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Indicator

UNKNOWN_UNIT = "unknown"
"""Code of the row that holds people whose contacts name no facility."""


def unit_catalog(catalog: Catalog) -> Catalog:
    """The catalog with only the indicators that are published by facility: a lean count.

    >>> from ncdsurv.catalog import load_catalog
    >>> "control_rate" in unit_catalog(load_catalog()).indicators
    True
    """
    return _LEAN.of(catalog)


def _lean(catalog: Catalog) -> Catalog:
    wanted = {name: one for name, one in catalog.indicators.items() if one.by_facility}
    return catalog.model_copy(update={"indicators": wanted})


_LEAN: Remembered[Catalog, Catalog] = Remembered(_lean)


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
        Columns of `catalog.tables.VALUES`, in the order of publication; cells with no count at all are absent.
    """
    lean = unit_catalog(catalog)
    plan = measure_plan(lean)
    rules = next(iter(catalog.publication.values()))
    sums = _by_unit(counts, plan, first_month, last_month)
    types = {name: pl.Enum(sorted(sums[name].unique())) for name in ("disease", "area_code", "period")}
    types |= {
        "preset": pl.Enum(sorted(catalog.presets)),
        "area_level": pl.Enum(sorted(unit.value for unit in Unit)),
    }
    types |= {"area_vintage": pl.Enum(sorted(vintage.value for vintage in Vintage))}
    sums = sums.cast({name: kind for name, kind in types.items() if name in sums.columns})
    whole = {"sex": BOTH_SEXES, "age_band": ALL_AGES}
    fixed = [pl.lit(word, pl.Enum([word])).alias(name) for name, word in whole.items()]
    vintages = pl.DataFrame(
        {"area_vintage": pl.Series([vintage.value for vintage in Vintage], dtype=types["area_vintage"])}
    )
    for name in sorted(lean.indicators):
        indicator = lean.indicators[name]
        parts = [_cells(sums, plan, indicator, preset, types["preset"]) for preset in indicator.presets]
        cells = pl.concat(parts)
        if not cells.is_empty():
            placed = cells.join(vintages, how="cross").with_columns(fixed)
            yield finish(in_order(placed), indicator, rules, release_id)


def _by_unit(counts: pl.DataFrame, plan: Plan, first: int, last: int) -> pl.DataFrame:
    """Counts of every facility and of every source, disease and month, one below the other."""
    labels = {month: month_label(month) for month in range(first, last + 1)}
    kept = counts.filter(pl.col("month").is_between(first, last)).with_columns(
        pl.col("disease").cast(pl.String),
        period=pl.col("month").replace_strict(labels, return_dtype=pl.String),
    )
    parts = [
        kept.group_by(pl.col(unit).alias("area_code"), "disease", "period")
        .agg(pl.col(plan.columns).sum())
        .with_columns(pl.col("area_code").replace("", UNKNOWN_UNIT), pl.lit(unit.value).alias("area_level"))
        for unit in Unit
    ]
    return pl.concat(parts)


def _cells(
    sums: pl.DataFrame, plan: Plan, indicator: Indicator, preset: str, presets: pl.Enum
) -> pl.DataFrame:
    """Numerator and denominator wherever the preset counts anybody."""
    above, below = plan.numerator(indicator.id, preset), plan.denominator(indicator.id, preset)
    assert above is not None  # `by_facility` is for counts of people
    counted = pl.any_horizontal(pl.col(plan.columns_of([preset])) != 0)
    if indicator.diseases:
        counted &= pl.col("disease").cast(pl.String).is_in(list(indicator.diseases))
    return sums.filter(counted).select(
        "area_level",
        "area_code",
        "disease",
        "period",
        preset=pl.lit(preset, presets),
        numerator=pl.col(above).cast(pl.Float64),
        denominator=(pl.lit(None) if below is None else pl.col(below)).cast(pl.Float64),
    )
