"""Appointments long after every other window has run out: both forms of the engine stop where the due day passes."""

from __future__ import annotations

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import Period, month_label
from ncdsurv.frames import build_spells
from ncdsurv.spells import count_wide, measure_plan

PRESET = "hearts"
CATALOG = load_catalog()
# Records refuse an appointment more than a year ahead; the engine must not need them to.
FAR = CATALOG.plausibility["next_visit_days"].model_copy(update={"limits": Condition()})
ANY_DUE = CATALOG.model_copy(update={"plausibility": CATALOG.plausibility | {"next_visit_days": FAR}})
# Enrolled and seen once on 10 January 2024; the due day, and the first month at whose end it has passed.
DUE = """
2024-12-30 2024-12
2024-12-31 2024-12   (overdue on 1 January: the day is over)
2025-01-01 2025-01
2025-02-28 2025-02
2025-03-01 2025-03
2025-10-15 2025-10
"""


@pytest.mark.parametrize("form", ["polars", "compiled"])
@pytest.mark.parametrize("line", DUE.strip().splitlines())
def test_overdue_begins_when_the_due_day_has_passed_however_late_that_is(line: str, form: str) -> None:
    due, month = line.split()[:2]
    spells = build_spells(
        pl.DataFrame({"person_id": ["A"]}),
        pl.DataFrame({"person_id": ["A"], "disease": ["hypertension"], "recorded_on": ["2024-01-10"]}),
        pl.DataFrame({"person_id": ["A"], "visited_on": ["2024-01-10"], "next_visit_on": [due]}),
        first="2024-01",
        last="2026-06",
        preset=PRESET,
        catalog=ANY_DUE,
    )
    span = {"first_month": spells.first_month, "last_month": spells.last_month}
    counts = count_wide(spells.bucket, spells.catalog, [PRESET], **span, form=form).sort("month")
    plan = measure_plan(spells.catalog)
    sides = plan.numerator("overdue", PRESET), plan.denominator("returned_to_care_rate", PRESET)
    begun = Period.parse(month).first_month
    late, late_at_start = (counts.filter(pl.col(side) == 1)["month"].to_list() for side in sides)
    assert late == list(range(begun, spells.last_month + 1)), month_label(begun)
    assert late_at_start == list(range(begun + 1, spells.last_month + 1))


@pytest.mark.parametrize("form", ["polars", "compiled"])
def test_two_rows_of_one_day_are_one_visit_and_one_reading(form: str) -> None:
    days = ["2024-01-10", "2024-01-10", "2024-02-12", "2024-02-12"]
    spells = build_spells(
        pl.DataFrame({"person_id": ["A"]}),
        pl.DataFrame({"person_id": ["A"], "disease": ["hypertension"], "recorded_on": ["2024-01-10"]}),
        pl.DataFrame(
            {"person_id": ["A"] * 4, "visited_on": days, "sbp": [130, 150, 150, 152], "dbp": [80] * 4}
        ),
        first="2024-01",
        last="2024-05",
        preset=PRESET,
    )
    span = {"first_month": spells.first_month, "last_month": spells.last_month}
    counts = count_wide(spells.bucket, spells.catalog, [PRESET], **span, form=form)
    plan = measure_plan(spells.catalog)
    visits, missed = (
        plan.numerator("visits_made", PRESET),
        plan.numerator("intensification_missed_rate", PRESET),
    )
    below = plan.denominator("days_between_visits", PRESET)
    by_month = {row["month"] - spells.first_month: row for row in counts.iter_rows(named=True)}
    assert [by_month[month][visits] for month in (0, 1)] == [1, 1]
    assert [by_month[month][below] for month in (0, 1)] == [0, 1]
    assert by_month[3][missed] == 1  # 150 on both days: the last row of a day is its reading
