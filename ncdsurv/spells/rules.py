"""A preset's rules as the engine uses them: small integers, and readings judged against the targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.conditions import BOUNDS, Condition
from ncdsurv.spells.layout import KINDS, encode_condition

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Measurement, Preset, Target

# What one contact says of one measurement; off target stands where the degree is untold.
VERDICTS = UNREAD, AT_TARGET, OFF_TARGET, OFF_MODERATE, OFF_SEVERE = tuple(range(1 + 1 + 1 + 1 + 1))


@dataclass(frozen=True)
class Rules:
    """One preset: windows in months, the visit kinds that count, and a judged column for each disease.

    Attributes:
        lost_grace: Nobody is lost before `lost_after` months have passed since the enrolment.
        last_visit_only: The reading must come from the last visit day; else the last one in the window.
        interval_days: Days until the next visit is due where a contact does not say.
        grace_days: Days after the due day on which nobody is overdue yet.
        judged: For each disease, in catalog order, the column of `judged_readings` that decides it, or -1
            where the source's own verdict (`reported_target`) decides.
        reported: For each disease, whether the source's own verdict decides where nothing was read.
        companion: For each disease, the judged column of its companion measurement, or -1.
    """

    preset: str
    outcome_window: int
    enrolment_buffer: int
    lost_after: int
    lost_grace: bool
    treated_window: int
    last_visit_only: bool
    kinds: tuple[int, ...]
    interval_days: int
    grace_days: int
    judged: tuple[int, ...]
    reported: tuple[bool, ...]
    companion: tuple[int, ...]


def preset_rules(catalog: Catalog, presets: list[str]) -> tuple[list[Rules], list[pl.Expr]]:
    """The rules of some presets, and the expressions that judge every contact once for all of them.

    Returns:
        The rules in the order asked for, and UInt8 expressions over contacts (`VERDICTS`), one for each
        distinct target and same-day rule; presets that agree share a column.
    """
    judge = _Judge(catalog)
    rules = []
    for preset in (catalog.presets[name] for name in presets):
        diseases = catalog.diseases.values()
        judged = tuple(judge.column(preset, disease.measurement) for disease in diseases)
        rules.append(
            Rules(
                preset=preset.id,
                outcome_window=preset.outcome_window_months,
                enrolment_buffer=preset.enrolment_buffer_months,
                lost_after=preset.lost_after_months,
                lost_grace=preset.lost_grace,
                treated_window=preset.treated_window_months,
                last_visit_only=preset.reading == "last_visit",
                kinds=_kinds(preset),
                interval_days=preset.default_interval_days,
                grace_days=preset.overdue_grace_days,
                judged=judged,
                reported=tuple(
                    j < 0 or d.or_reported or preset.or_reported
                    for j, d in zip(judged, diseases, strict=True)
                ),
                companion=tuple(judge.column(preset, disease.companion) for disease in diseases),
            )
        )
    return rules, judge.judged


def _kinds(preset: Preset) -> tuple[int, ...]:
    return tuple(KINDS.index(kind) for kind in preset.visit_kinds)


class _Judge:
    """Collects the distinct judged columns that presets ask for."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.judged: list[pl.Expr] = []
        self.known: dict[str, int] = {}

    def column(self, preset: Preset, measurement: str | None) -> int:
        """Number of the column that judges a measurement under a preset; -1 where it has no target."""
        target = preset.target(measurement)
        if target is None or measurement is None:
            return -1
        # The readings of one day hang together only under a same-day rule, and then the counted kinds matter.
        day = () if preset.same_day == "last" else (preset.same_day, _kinds(preset))
        limits = [sorted(conditions.items()) for conditions in (target.readings, target.moderate)]
        key = f"{measurement} {limits!r} {day!r}"
        if key not in self.known:
            self.known[key] = len(self.judged)
            verdict = _judge(self.catalog.measurements[measurement], target, preset)
            self.judged.append(verdict.alias(f"judged_{len(self.judged)}"))
        return self.known[key]


def _judge(measurement: Measurement, target: Target, preset: Preset) -> pl.Expr:
    """The first usable kind of reading of a contact, in the measurement's order, against its limits."""
    verdict = pl.lit(UNREAD, pl.UInt8)
    for kind, reading in reversed(measurement.readings.items()):
        if kind not in target.readings:
            continue
        present = pl.all_horizontal(pl.col(column).is_not_null() for column in reading.columns)
        usable = present & encode_condition(reading.where).expr() if reading.where.tests else present
        value = _value_of_the_day(preset, usable)
        off = pl.lit(OFF_TARGET, pl.UInt8)
        if kind in target.moderate:
            moderate = _holds(encode_condition(target.moderate[kind]), value)
            off = pl.when(moderate).then(pl.lit(OFF_MODERATE, pl.UInt8)).otherwise(OFF_SEVERE)
        met = _holds(encode_condition(target.readings[kind]), value)
        said = pl.when(met).then(pl.lit(AT_TARGET, pl.UInt8)).otherwise(off)
        verdict = pl.when(usable).then(said).otherwise(verdict)
    return verdict.cast(pl.UInt8)


def _value_of_the_day(preset: Preset, usable: pl.Expr) -> Callable[[str], pl.Expr]:
    """What a column is worth: its own value, or the lowest or mean of the person's counted readings that day."""
    if preset.same_day == "last":
        return pl.col
    counted = pl.when(usable & pl.col("kind").is_in(list(_kinds(preset))))

    def value(column: str) -> pl.Expr:
        of_day = counted.then(pl.col(column))
        found = of_day.min() if preset.same_day == "lowest" else of_day.mean()
        return found.over("person", "day")

    return value


def _holds(condition: Condition, value: Callable[[str], pl.Expr]) -> pl.Expr:
    """Whether values satisfy a condition; never null."""
    tests = []
    for test in condition.tests:
        tests += [BOUNDS[operator](value(test.column), limit) for operator, limit in test.bounds]
        if test.values:
            tests.append(pl.any_horizontal(value(test.column) == v for v in test.values))
    return pl.all_horizontal(tests).fill_null(False) if tests else pl.lit(True)
