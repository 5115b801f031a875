"""A preset's rules as the engine uses them: small integers, and readings judged against the targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.spells.layout import KINDS, encode_condition

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Measurement, Target

UNREAD, AT_TARGET, OFF_TARGET = range(1 + 1 + 1)  # what one contact says of one measurement


@dataclass(frozen=True)
class Rules:
    """One preset: windows in months, the visit kinds that count, and a judged column for each disease.

    Attributes:
        last_visit_only: The reading must come from the last visit day; else the last one in the window.
        judged: For each disease, in catalog order, the column of `judged_readings` that decides it, or -1
            where the source's own verdict (`reported_target`) decides.
    """

    preset: str
    outcome_window: int
    enrolment_buffer: int
    lost_after: int
    treated_window: int
    last_visit_only: bool
    kinds: tuple[int, ...]
    judged: tuple[int, ...]


def preset_rules(catalog: Catalog, presets: list[str]) -> tuple[list[Rules], list[pl.Expr]]:
    """The rules of some presets, and the expressions that judge every contact once for all of them.

    Returns:
        The rules in the order asked for, and UInt8 expressions over contacts (UNREAD, AT_TARGET,
        OFF_TARGET), one for each distinct target; presets with the same target share a column.
    """
    columns: dict[str, int] = {}
    judged: list[pl.Expr] = []
    rules = []
    for preset in (catalog.presets[name] for name in presets):
        decides = []
        for disease in catalog.diseases.values():
            target = preset.target(disease.measurement)
            if target is None or disease.measurement is None:
                decides.append(-1)
                continue
            key = f"{disease.measurement} {sorted(target.readings.items())!r}"
            if key not in columns:
                columns[key] = len(judged)
                expression = _judge(catalog.measurements[disease.measurement], target)
                judged.append(expression.alias(f"judged_{len(judged)}"))
            decides.append(columns[key])
        rules.append(
            Rules(
                preset=preset.id,
                outcome_window=preset.outcome_window_months,
                enrolment_buffer=preset.enrolment_buffer_months,
                lost_after=preset.lost_after_months,
                treated_window=preset.treated_window_months,
                last_visit_only=preset.reading == "last_visit",
                kinds=tuple(KINDS.index(kind) for kind in preset.visit_kinds),
                judged=tuple(decides),
            )
        )
    return rules, judged


def _judge(measurement: Measurement, target: Target) -> pl.Expr:
    """The first usable kind of reading of a contact, in the measurement's order, against its limit."""
    verdict = pl.lit(UNREAD, pl.UInt8)
    for kind, reading in reversed(measurement.readings.items()):
        if kind not in target.readings:
            continue
        present = pl.all_horizontal(pl.col(column).is_not_null() for column in reading.columns)
        usable = present & encode_condition(reading.where).expr()
        met = encode_condition(target.readings[kind]).expr()
        off = pl.when(usable).then(pl.lit(OFF_TARGET, pl.UInt8)).otherwise(verdict)
        verdict = pl.when(usable & met).then(pl.lit(AT_TARGET, pl.UInt8)).otherwise(off)
    return verdict
