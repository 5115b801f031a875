"""Identities that must hold in what is about to be published; a release that breaks one is not written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ncdsurv.catalog.vocabulary import ALL_AGES, BOTH_SEXES, Level, month_label
from ncdsurv.errors import IdentityError
from ncdsurv.spells import Plan
from ncdsurv.spells.states import members

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog


def check_measures(measures: pl.DataFrame, plan: Plan, catalog: Catalog) -> list[str]:
    """Check every cell of the counts: numerators within denominators, exclusive states adding up.

    Args:
        measures: Columns of `measures_schema`.
        plan: The plan they were counted by.
        catalog: Presets.

    Returns:
        The identities that were checked and hold, as sentences.

    Raises:
        IdentityError: One does not; the message counts the cells.
    """
    held = []
    for indicator, below in plan.denominators.items():
        above = plan.numerators[indicator]
        presets = list(catalog.indicators[indicator].presets)
        cells = measures.filter(pl.col("preset").cast(pl.String).is_in(presets))
        _none(cells.filter(pl.col(above) > pl.col(below)), f"{above} <= {below}")
        held.append(f"{above} <= {below}")
    for preset in catalog.presets:
        cells = measures.filter(pl.col("preset").cast(pl.String) == preset)
        for whole, parts in partitions(plan, preset).items():
            rule = f"{preset}: {whole} = {' + '.join(parts)}"
            _none(cells.filter(pl.col(whole) != pl.sum_horizontal(parts)), rule)
            held.append(rule)
    return list(dict.fromkeys(held))


def partitions(plan: Plan, preset: str) -> dict[str, list[str]]:
    """Measures that other measures divide without gap or overlap, as the definitions imply.

    Found from the states each measure counts, so that a new indicator is checked without a word said.
    """
    states = {
        measure.name: members(plan.table, measure.conditions[preset])
        for measure in plan.measures
        if preset in measure.conditions
    }
    found = {}
    for whole, counted in states.items():
        inside = {
            name: part
            for name, part in states.items()
            if name != whole and part.any() and not (part & ~counted).any() and (counted & ~part).any()
        }
        cover = _exact_cover(counted, inside)
        if cover:
            found[whole] = cover
    return found


def _exact_cover(left: np.ndarray, parts: dict[str, np.ndarray]) -> list[str] | None:
    """Parts that are disjoint and together make up `left`, or None."""
    if not left.any():
        return []
    first = int(np.argmax(left))
    for name, part in parts.items():
        if part[first] and not (part & ~left).any():
            rest = _exact_cover(left & ~part, parts)
            if rest is not None:
                return [name, *rest]
    return None


def check_values(values: pl.DataFrame, measures: pl.DataFrame, plan: Plan, catalog: Catalog) -> list[str]:
    """Check what is published: areas add up to the nation, the nation to the counts, limits enclose values.

    Raises:
        IdentityError: One identity does not hold.
    """
    crude = values.filter(
        (pl.col("sex") == BOTH_SEXES)
        & (pl.col("age_band") == ALL_AGES)
        & (pl.col("standardisation") == "crude")
        & pl.col("indicator").is_in(list(plan.numerators))
    )
    cell = ["indicator", "preset", "disease", "period"]
    levels = {
        indicator.id: {str(level) for level in indicator.levels} for indicator in catalog.indicators.values()
    }
    sums = crude.group_by(*cell, "area_vintage", "area_level").agg(pl.col("numerator").sum())
    nation = sums.filter(pl.col("area_level") == Level.NATION.value).drop("area_level")
    nation = nation.rename({"numerator": "whole"})
    published = pl.DataFrame(
        [{"indicator": name, "area_level": level} for name, several in levels.items() for level in several],
        schema={"indicator": pl.String, "area_level": pl.String},
    )
    compared = sums.join(published, on=["indicator", "area_level"], how="semi").join(
        nation, on=[*cell, "area_vintage"]
    )
    _none(compared.filter(pl.col("numerator") != pl.col("whole")), "sums of areas = nation, at every level")
    _check_nation(crude, measures, plan, catalog)
    counts = values.filter(pl.col("numerator") > pl.col("denominator")).filter(
        pl.col("indicator").is_in(list(plan.denominators))
    )
    _none(counts, "numerator <= denominator in every value")
    empty = values.filter((pl.col("denominator") == 0) & pl.col("value").is_not_null())
    _none(empty, "an empty denominator gives no value")
    outside = (pl.col("value") < pl.col("lower") - 1e-9) | (pl.col("value") > pl.col("upper") + 1e-9)
    _none(values.filter(outside), "lower limit <= value <= upper limit")
    return [
        "communes = districts = provinces = regions = nation, in both vintages",
        "nation = sum of the counts, for every indicator and preset",
        "numerator <= denominator in every value",
        "an empty denominator gives no value, never 0",
        "lower limit <= value <= upper limit",
    ]


def _check_nation(crude: pl.DataFrame, measures: pl.DataFrame, plan: Plan, catalog: Catalog) -> None:
    """The published national numerator of each month is the sum over the measures."""
    names = sorted(set(plan.numerators.values()))
    labels = {month: month_label(month) for month in measures["month"].unique().to_list()}
    counted = (
        measures.group_by("month", "disease", "preset")
        .agg(pl.col(names).sum())
        .with_columns(
            pl.col("month").replace_strict(labels, return_dtype=pl.String).alias("period"),
            pl.col("disease", "preset").cast(pl.String),
        )
    )
    whole_ages = [
        (name, measure)
        for name, measure in plan.numerators.items()
        if catalog.indicators[name].denominator_source in ("spells", "none")
    ]  # a rate over people counts only the ages of its base
    pairs = pl.DataFrame(whole_ages, schema={"indicator": pl.String, "measure": pl.String}, orient="row")
    long = counted.unpivot(
        names, index=["period", "disease", "preset"], variable_name="measure", value_name="counted"
    ).join(pairs, on="measure")
    nation = crude.filter(pl.col("area_level") == Level.NATION.value)
    joined = nation.join(long, on=["indicator", "preset", "disease", "period"])
    _none(joined.filter(pl.col("numerator") != pl.col("counted")), "nation = sum of the counts")


def _none(broken: pl.DataFrame, rule: str) -> None:
    if broken.is_empty():
        return
    where: Iterable[str] = [
        name for name in ("indicator", "preset", "disease", "period") if name in broken.columns
    ]
    example = ", ".join(str(value) for value in broken.select(where).row(0)) if where else ""
    raise IdentityError(
        "an identity does not hold; nothing was published",
        got=f"{broken.height} cells" + (f", for instance {example}" if example else ""),
        allowed=rule,
        do="report this",
    )
