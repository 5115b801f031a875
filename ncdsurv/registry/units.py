"""Counting by facility and source system: totals only, since a station has too few people for sex and age.

A person is counted where the last contact before the month's end was made, not at home (see `spells.places`).
Facility and source are counted as one place, so that one pass over a bucket serves both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import Sex, Unit
from ncdsurv.errors import IdentityError
from ncdsurv.registry.cells import add
from ncdsurv.spells import NEVER, Bucket
from ncdsurv.spells.layout import SEXES

if TYPE_CHECKING:
    from ncdsurv.spells import Plan

_BETWEEN = "\x1f"  # the unit separator: no name of a facility or source holds a control character
_STRATA = ("sex", "age_band")


def as_units(bucket: Bucket) -> Bucket:
    """The bucket with facility and source as one place, and all people alike in sex and age."""
    people = bucket.people.with_columns(
        pl.lit(SEXES.index(Sex.UNKNOWN), pl.Int8).alias("sex"), pl.lit(NEVER, pl.Int32).alias("birth_month")
    )
    both = pl.concat_str([pl.col(unit).fill_null("") for unit in Unit], separator=_BETWEEN)
    return replace(
        bucket, people=people, assignments=bucket.assignments.with_columns(both.alias(Unit.FACILITY))
    )


def split_units(cells: pl.DataFrame) -> pl.DataFrame:
    """Counts of `as_units` with facility and source apart; empty text where no contact names one."""
    parts = pl.col(Unit.FACILITY).str.split_exact(_BETWEEN, len(Unit) - 1)
    named = [
        parts.struct.field(f"field_{number}").fill_null("").alias(unit) for number, unit in enumerate(Unit)
    ]
    return cells.select(*named, pl.exclude(Unit.FACILITY, *_STRATA))


def add_units(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Counts of all buckets by facility and source, each cell once: one part is held beside the sum."""
    total: pl.DataFrame | None = None
    for part in parts:
        total = part if total is None else add([total, part])
    assert total is not None
    return add([total])


class UnitChecks:
    """Checks that the figures by facility and by source are those of the nation, divided.

    Args:
        counted: The nation's counts: period, disease, preset and the measures (`ValueChecks.counted`).
        plan: The plan they were counted by.
    """

    HELD = ("facilities = sources = sum of the counts, in every month",)

    def __init__(self, counted: pl.DataFrame, plan: Plan) -> None:
        self.counted, self.plan = counted, plan

    def check(self, values: pl.DataFrame) -> None:
        """Check the values of one indicator.

        Raises:
            IdentityError: Facilities or sources do not add up to the nation.
        """
        cell = ["preset", "disease", "period"]
        levels = values.select("area_vintage", "area_level").unique()
        for name in values["indicator"].unique().sort().to_list():
            sides = {"numerator": self.plan.numerators, "denominator": self.plan.denominators}
            asked = {side: columns[name] for side, columns in sides.items() if name in columns}
            own = values.filter(pl.col("indicator") == name)
            sums = own.group_by(*cell, *levels.columns).agg(pl.col(list(asked)).sum())
            presets = own["preset"].unique()
            whole = self.counted.filter(pl.col("preset").is_in(presets.implode())).join(levels, how="cross")
            both = whole.select(
                *cell,
                *levels.columns,
                *(pl.col(column).alias(f"all_{side}") for side, column in asked.items()),
            ).join(sums, on=[*cell, *levels.columns], how="full", coalesce=True)
            for side in asked:
                unequal = pl.col(side).fill_null(0) != pl.col(f"all_{side}").fill_null(0)
                broken = both.filter(unequal)
                if broken.height:
                    raise IdentityError(
                        "an identity does not hold; nothing was published",
                        got=f"{broken.height} cells, for instance {name}, "
                        + ", ".join(str(value) for value in broken.sort(cell).select(cell).row(0)),
                        allowed=self.HELD[0],
                        do="report this",
                    )
