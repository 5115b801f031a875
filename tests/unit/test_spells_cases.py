"""Several statements of one diagnosis: the earliest begins it, the latest that stands keeps it."""

from __future__ import annotations

from datetime import date as D

import pytest

from ncdsurv.spells import NEVER
from tests.unit.test_spells_arrange import DISEASES, PRESSURE, STATED, case, laid_out, month, taken_back

GROUP = DISEASES.index("copd_or_asthma")
VISITS = [{"visited_on": D(2023, 4, 5)}, {"visited_on": D(2024, 4, 5)}, {"visited_on": D(2025, 4, 5)}]
EARLY = {"detected_on": D(2022, 11, 1), "recorded_on": D(2024, 1, 10)}
LATE = {"detected_on": D(2023, 12, 1), "recorded_on": D(2025, 1, 10)}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("first", "second", "number"),
    [("hypertension", "hypertension", PRESSURE), ("copd", "asthma", GROUP)],
)
def test_a_case_is_detected_and_enrolled_from_its_earliest_statement_on(first, second, number, order):
    rows = [{"disease": first, **EARLY}, {"disease": second, **LATE}][::order]
    found = case(laid_out(VISITS, rows), number)
    assert found["detected_month"] == month(D(2022, 11, 1))
    assert found["enrolled_month"] == month(D(2024, 4, 1))  # the visit of 2023 came before any statement


def test_a_visit_on_the_day_of_the_statement_enrols():
    rows = [{"disease": "hypertension", "recorded_on": D(2024, 4, 5)}]
    assert case(laid_out(VISITS, rows), PRESSURE)["enrolled_month"] == month(D(2024, 4, 1))


def test_of_several_statements_that_stand_the_latest_counts_against_one_taken_back():
    again = {"disease": "hypertension", "recorded_on": D(2025, 8, 1)}
    for rows in ([STATED, again], [again, STATED]):
        found = case(laid_out(VISITS, [*rows, taken_back(D(2025, 6, 2))]), PRESSURE)
        assert found["withdrawn_month"] == NEVER


def test_a_statement_that_was_taken_back_keeps_nothing_however_late_it_was_made():
    once = taken_back(D(2025, 6, 2)) | {"last_stated_on": D(2025, 7, 1)}
    found = case(laid_out(VISITS, [once]), PRESSURE)
    assert found["withdrawn_month"] == month(D(2025, 6, 2))


def test_of_several_high_readings_the_first_raises_the_suspicion_and_the_first_raised_one_the_risk():
    sugar = DISEASES.index("diabetes")
    readings = {D(2024, 2, 1): 6.0, D(2024, 3, 1): 6.5, D(2024, 5, 1): 8.0, D(2024, 9, 1): 9.0}
    visits = [{"visited_on": day, "glucose_mmol_l": value} for day, value in readings.items()]
    found = case(laid_out([{**one, "glucose_kind": "fasting"} for one in visits]), sugar)
    assert found["at_risk_month"] == month(D(2024, 2, 1))
    assert found["suspected_month"] == month(D(2024, 5, 1))
