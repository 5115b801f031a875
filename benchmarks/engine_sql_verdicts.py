"""Readings judged in SQL: one expression for each distinct target, and what a contact says of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.spells.layout import KINDS, encode_condition
from ncdsurv.spells.rules import AT_TARGET, OFF_MODERATE, OFF_SEVERE, OFF_TARGET, UNREAD, Rules

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.conditions import Condition
    from ncdsurv.catalog.models import Measurement, Preset, Target

_SIGN = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def _sql(condition: Condition, value=lambda column: column) -> str:
    tests = []
    for test in encode_condition(condition).tests:
        tests += [f"{value(test.column)} {_SIGN[operator]} {limit}" for operator, limit in test.bounds]
        if test.values:
            tests.append(f"{value(test.column)} IN ({', '.join(str(v) for v in test.values)})")
    return "coalesce(" + " AND ".join(tests or ["true"]) + ", false)"


def _judge(measurement: Measurement, target: Target, preset: Preset) -> str:
    cases = []
    kinds = ", ".join(str(KINDS.index(kind)) for kind in preset.visit_kinds)
    for kind, reading in measurement.readings.items():
        if kind not in target.readings:
            continue
        present = [f"{column} IS NOT NULL" for column in reading.columns]
        usable = " AND ".join([*present, _sql(reading.where)])
        combine = {"last": None, "lowest": "min", "mean": "avg"}[preset.same_day]

        def value(column, usable=usable, combine=combine):
            if combine is None:
                return column
            of_day = f"CASE WHEN {usable} AND kind IN ({kinds}) THEN {column} END"
            return f"{combine}({of_day}) OVER (PARTITION BY person, day)"

        off = str(OFF_TARGET)
        if kind in target.moderate:
            off = f"CASE WHEN {_sql(target.moderate[kind], value)} THEN {OFF_MODERATE} ELSE {OFF_SEVERE} END"
        met = f"CASE WHEN {_sql(target.readings[kind], value)} THEN {AT_TARGET} ELSE {off} END"
        cases.append(f"WHEN {usable} THEN {met}")
    return f"CASE {' '.join(cases)} ELSE {UNREAD} END" if cases else str(UNREAD)


def judged_columns(catalog: Catalog, presets: list[str]) -> list[str]:
    """One verdict expression per distinct target and same-day rule, in the order of `preset_rules`."""
    expressions: dict[str, str] = {}
    for preset in (catalog.presets[name] for name in presets):
        diseases = catalog.diseases.values()
        asked = [d.measurement for d in diseases] + [d.companion for d in diseases]
        for name in asked:
            target = preset.target(name)
            if name is None or target is None:
                continue
            made = _judge(catalog.measurements[name], target, preset)
            expressions.setdefault(f"{name} {made}", made)
    return list(expressions.values())


def verdict_of(rules: Rules) -> tuple[str, str]:
    """The verdict of a contact on a case under one preset, and the companion's."""
    read = _by_disease(rules.judged)
    trusted = ", ".join(str(d) for d, reported in enumerate(rules.reported) if reported) or "-1"
    told = f"CASE reported_target WHEN 1 THEN {AT_TARGET} WHEN 0 THEN {OFF_TARGET} ELSE {UNREAD} END"
    verdict = f"CASE WHEN {read} <> {UNREAD} OR NOT speaks OR disease NOT IN ({trusted}) THEN {read} ELSE {told} END"
    return verdict, _by_disease(rules.companion)


def _by_disease(columns) -> str:
    cases = [f"WHEN {disease} THEN judged_{column}" for disease, column in enumerate(columns) if column >= 0]
    return f"(CASE disease {' '.join(cases)} ELSE {UNREAD} END)" if cases else str(UNREAD)
