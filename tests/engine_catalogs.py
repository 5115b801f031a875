"""The package's definitions with the rules of every preset drawn anew: all of them are data."""

from __future__ import annotations

import os

from hypothesis import strategies as st

from ncdsurv.catalog import Catalog, load_catalog
from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import VisitKind

CATALOG = load_catalog()
KINDS = [(VisitKind.EXAM,), (VisitKind.EXAM, VisitKind.REFILL), tuple(VisitKind)]


def examples(quick: int) -> int:
    """How many examples to draw; NCDSURV_DEEP=20 draws twenty times as many."""
    return quick * int(os.environ.get("NCDSURV_DEEP", "1"))


@st.composite
def catalogs(draw, same_kinds: bool = False) -> Catalog:
    """A catalog whose presets differ in every rule from those shipped.

    Args:
        same_kinds: All presets count the same kinds of contact.
    """
    shared = draw(st.sampled_from(KINDS))
    presets = {}
    for name, preset in CATALOG.presets.items():
        rules = {
            "outcome_window_months": draw(st.integers(1, 5)),
            "enrolment_buffer_months": draw(st.integers(0, 5)),
            "lost_after_months": draw(st.integers(1, 14)),
            "lost_grace": draw(st.booleans()),
            "treated_window_months": draw(st.integers(1, 13)),
            "default_interval_days": draw(st.sampled_from([1, 28, 30, 31, 90])),
            "overdue_grace_days": draw(st.sampled_from([0, 1, 30])),
            "or_reported": draw(st.booleans()),
            "reading": draw(st.sampled_from(["last_reading", "last_visit"])),
            "same_day": draw(st.sampled_from(["last", "lowest", "mean"])),
            "visit_kinds": shared if same_kinds else draw(st.sampled_from(KINDS)),
            "targets": tuple(draw(_targets(target)) for target in preset.targets if draw(st.integers(0, 9))),
        }
        presets[name] = preset.model_copy(update=rules)
    diseases = {
        name: disease.model_copy(
            update={
                "or_reported": draw(st.booleans()),
                "companion": draw(st.sampled_from([disease.companion, "blood_pressure", "glycaemia"])),
            }
        )
        for name, disease in CATALOG.diseases.items()
    }
    return CATALOG.model_copy(update={"presets": presets, "diseases": diseases})


@st.composite
def nearly_alike(draw) -> Catalog:
    """Presets that differ in one rule only: a count may be shared where that rule does not matter, nowhere else."""
    base = next(iter(CATALOG.presets.values()))
    rule, values = draw(
        st.sampled_from(
            [
                ("lost_grace", [True, False]),
                ("lost_after_months", [3, 12]),
                ("enrolment_buffer_months", [0, 3]),
                ("treated_window_months", [1, 3]),
                ("default_interval_days", [1, 90]),
                ("overdue_grace_days", [0, 60]),
                ("visit_kinds", KINDS),
            ]
        )
    )
    alike = {"visit_kinds": KINDS[0], "lost_after_months": 3}  # enrolments by refill, so that grace matters
    presets = {
        name: base.model_copy(update={"id": name, **alike, rule: values[number % len(values)]})
        for number, name in enumerate(CATALOG.presets)
    }
    return CATALOG.model_copy(update={"presets": presets})


@st.composite
def _targets(draw, target):
    """A target with other limits of blood pressure, and with or without degrees."""
    degrees = target.moderate if draw(st.integers(0, 3)) else {}
    if "clinic" not in target.readings:
        return target.model_copy(update={"moderate": degrees})
    limits = {
        "sbp": {draw(st.sampled_from(["lt", "le"])): draw(st.sampled_from([120, 139, 140]))},
        "dbp": {draw(st.sampled_from(["lt", "le"])): draw(st.sampled_from([80, 85, 90]))},
    }
    if draw(st.booleans()):
        limits.pop("dbp")
    return target.model_copy(update={"readings": {"clinic": Condition.parse(limits)}, "moderate": degrees})
