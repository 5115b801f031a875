"""Identities that must hold in what is about to be published; a release that breaks one is not written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ncdsurv.catalog.vocabulary import Kind, Level, month_label
from ncdsurv.catalog.whole_periods import counted_over
from ncdsurv.errors import IdentityError
from ncdsurv.indicators.figures import CRUDE
from ncdsurv.indicators.periods import whole_periods
from ncdsurv.indicators.rollup import LARGE, PLACE, TOTAL
from ncdsurv.spells import Plan

_ROUNDING = 1e-9
_WHOLE = TOTAL & (pl.col("standardisation") == CRUDE)

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog


def check_measures(
    measures: pl.DataFrame,
    plan: Plan,
    catalog: Catalog,
    divided: Mapping[str, Mapping[str, list[str]]] | None = None,
) -> list[str]:
    """Check every cell of the counts: numerators within denominators, exclusive states adding up.

    Args:
        measures: Columns of `measures_schema`.
        plan: The plan they were counted by.
        catalog: Presets.
        divided: By preset, the `partitions`; found anew unless given, which takes long when there are many buckets.

    Returns:
        The identities that were checked and hold, as sentences.

    Raises:
        IdentityError: One does not; the message counts the cells.
    """
    held = []
    for indicator, below in plan.denominators.items():
        if catalog.indicators[indicator].numerator_quantity is not None:
            continue  # days over visits: no part of them
        above = plan.numerators[indicator]
        presets = list(catalog.indicators[indicator].presets)
        cells = measures.filter(pl.col("preset").cast(pl.String).is_in(presets))
        _none(cells.filter(pl.col(above) > pl.col(below)), f"{above} <= {below}")
        held.append(f"{above} <= {below}")
    for preset in catalog.presets:
        cells = measures.filter(pl.col("preset").cast(pl.String) == preset)
        for whole, parts in (divided[preset] if divided else partitions(plan, preset)).items():
            rule = f"{preset}: {whole} = {' + '.join(parts)}"
            _none(cells.filter(pl.col(whole) != pl.sum_horizontal(parts)), rule)
            held.append(rule)
    return list(dict.fromkeys(held))


def partitions(plan: Plan, preset: str) -> dict[str, list[str]]:
    """Measures that other measures divide without gap or overlap, as the definitions imply.

    Found from the states each measure counts, so that a new indicator is checked without a word said.
    """
    states = {
        measure.name: plan.members.of(measure.conditions[preset])
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


class ValueChecks:
    """Checks what is about to be published, indicator by indicator, against the counts it came from.

    Args:
        measures: The counts, or a scan of their file.
        plan: The plan they were counted by.
        catalog: Indicators and their levels.
    """

    HELD = (
        "communes = districts = provinces = regions = nation, in both vintages",
        "nation = sum of the counts, for every indicator and preset",
        "numerator <= denominator in every value",
        "an empty denominator gives no value, never 0",
        "lower limit <= value <= upper limit",
        "every disease and large area stands under every preset and in every period of an indicator",
    )

    def __init__(self, measures: pl.DataFrame | pl.LazyFrame, plan: Plan, catalog: Catalog) -> None:
        self.plan, self.catalog = plan, catalog
        sums = measures.lazy().group_by("month", "disease", "preset").agg(pl.col(plan.names).sum()).collect()
        labels = {month: month_label(month) for month in sums["month"].unique().to_list()}
        self.counted = sums.with_columns(
            pl.col("month").replace_strict(labels, return_dtype=pl.String).alias("period"),
            pl.col("disease", "preset").cast(pl.String),
        )
        self.counted_over = pl.concat([self.counted, *self._over_whole_periods()])
        # The indicator checked last, and where it has values.
        self._stood: tuple[str, pl.DataFrame] = ("", pl.DataFrame())

    def _over_whole_periods(self) -> Iterator[pl.DataFrame]:
        """The counts over periods longer than a month, named as they are published."""
        months: list[int] = self.counted["month"].unique().sort().to_list()
        if not months:
            return
        first, last = months[0], months[-1]
        for length, names in counted_over(self.catalog).items():
            found = whole_periods(
                first - length + 1, last, length
            ).periods  # its first months may count nobody
            ends = {period.last_month: str(period) for period in found if period.last_month >= first}
            for published, counted in names.items() if ends else ():
                mine = self.counted.filter(pl.col("preset") == counted, pl.col("month").is_in(list(ends)))
                period = pl.col("month").replace_strict(ends, return_dtype=pl.String)
                yield mine.with_columns(period=period, preset=pl.lit(published))

    def check(self, values: pl.DataFrame) -> None:
        """Check the values of one or several indicators, or of some presets of one: then its parts one after the other.

        Raises:
            IdentityError: An identity does not hold.
        """
        self._areas_add_up(values)
        self._nothing_is_missing(values)
        _none(
            values.filter(
                (pl.col("numerator") > pl.col("denominator"))
                & pl.col("indicator").is_in(
                    [
                        name
                        for name in self.plan.denominators
                        if self.catalog.indicators[name].numerator_quantity is None
                    ]
                )
            ),
            self.HELD[2],
        )
        empty = (pl.col("denominator") == 0) & pl.col("value").is_not_null()
        _none(values.filter(empty), self.HELD[3])
        outside = (pl.col("value") < pl.col("lower") - _ROUNDING) | (
            pl.col("value") > pl.col("upper") + _ROUNDING
        )
        _none(values.filter(outside), self.HELD[4])

    def _areas_add_up(self, values: pl.DataFrame) -> None:
        cell = ["preset", "disease", "period"]
        for name in values["indicator"].unique().sort().to_list():
            indicator = self.catalog.indicators[name]
            if name not in self.plan.numerators and indicator.denominator_source != "facilities":
                continue  # expected cases are no counts
            crude = values.lazy().filter(_WHOLE & (pl.col("indicator") == name))
            by_level = crude.group_by(*cell, "area_vintage", "area_level").agg(pl.col("numerator").sum())
            sums = by_level.collect()
            nation = sums.filter(pl.col("area_level") == Level.NATION.value).drop("area_level")
            nation = nation.rename({"numerator": "whole"})
            both = sums.join(nation, on=[*cell, "area_vintage"]).with_columns(indicator=pl.lit(name))
            _none(both.filter(pl.col("numerator") != pl.col("whole")), self.HELD[0])
            if indicator.denominator_source in ("spells", "none"):  # a rate over people counts its own ages
                sums = self.counted if indicator.kind is Kind.FLOW else self.counted_over
                counted = sums.select(*cell, counted=self.plan.numerators[name])
                joined = nation.join(counted, on=cell).with_columns(indicator=pl.lit(name))
                _none(joined.filter(pl.col("whole") != pl.col("counted")), self.HELD[1])

    def _nothing_is_missing(self, values: pl.DataFrame) -> None:
        totals = values.filter(_WHOLE & LARGE)
        places = totals.select("indicator", "disease", *PLACE).unique()
        presets, periods = (totals.select("indicator", name).unique() for name in ("preset", "period"))
        expected = places.join(presets, on="indicator").join(periods, on="indicator")
        _none(expected.join(totals, on=expected.columns, how="anti"), self.HELD[5])
        for name in values["indicator"].unique().sort().to_list():
            stands = totals.filter(indicator=name).select("indicator", "disease", *PLACE, "period").unique()
            last, before = self._stood
            for some, others in ((before, stands), (stands, before)) if name == last else ():
                _none(some.join(others, on=some.columns, how="anti"), self.HELD[5])
            self._stood = name, stands


def _none(broken: pl.DataFrame, rule: str) -> None:
    if broken.is_empty():
        return
    where = [name for name in ("indicator", "preset", "disease", "period") if name in broken.columns]
    example = ", ".join(str(value) for value in broken.select(where).row(0)) if where else ""
    raise IdentityError(
        "an identity does not hold; nothing was published",
        got=f"{broken.height} cells" + (f", for instance {example}" if example else ""),
        allowed=rule,
        do="report this",
    )
