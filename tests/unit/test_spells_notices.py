"""Rows that only report a death or a move: what makes them one, and what they leave alone."""

from __future__ import annotations

from datetime import date

import pytest

from ncdsurv.catalog.tables import VISITS
from ncdsurv.catalog.vocabulary import CARE_COLUMNS, PatientStatus, VisitKind
from ncdsurv.spells import NEVER
from ncdsurv.spells.layout import KINDS, NOTICE, STATUSES
from tests.unit.test_spells_arrange import laid_out

EXAM = KINDS.index(VisitKind.EXAM)
OUT = STATUSES.index(PatientStatus.TRANSFERRED_OUT) + 1
FIRST, MOVE = date(2024, 3, 5), date(2024, 5, 20)


def kinds_and_statuses(*visits: dict) -> list[tuple[int, int]]:
    contacts = laid_out(list(visits)).contacts
    return contacts.select("kind", "status").rows()


# Nothing that care leaves behind; then one such thing at a time.
SILENT = [{}, {"supply_days": 0}, {"reported_target": 2}]
CARED = [
    *({name: value} for name, value in (("supply_days", 30), ("reported_target", 0), ("reported_target", 1))),
    *(
        {name: value}
        for name, value in (("sbp", 190), ("dbp", 80), ("glucose_mmol_l", 7.2), ("hba1c_percent", 6.5))
    ),
    *({name: value} for name, value in (("lung_grade", 1), ("asthma_control", 0), ("weight_kg", 60.0))),
    *({name: value} for name, value in (("height_cm", 160.0), ("next_visit_on", date(2024, 6, 20)))),
    {"sbp": 130, "dbp": 80, "pregnant": True},
    *({"patient_status": status} for status in ("managed", "transferred_in")),
]
OF_A_KIND = [({"kind": str(kind)}, KINDS.index(kind)) for kind in (VisitKind.REFILL, VisitKind.SCREENING)]


@pytest.mark.parametrize(
    ("filled", "kind"),
    [*((filled, NOTICE) for filled in SILENT), *((filled, EXAM) for filled in CARED), *OF_A_KIND],
)
def test_only_a_row_without_anything_that_care_leaves_behind_is_a_notice(filled: dict, kind: int) -> None:
    row = {"visited_on": MOVE, "patient_status": "transferred_out", **filled}
    assert kinds_and_statuses({"visited_on": FIRST}, row)[1][0] == kind


def test_a_notice_of_death_is_no_visit_and_leaves_the_death_to_the_persons_date() -> None:
    assert kinds_and_statuses({"visited_on": MOVE, "patient_status": "dead"}) == [(NOTICE, 0)]


def test_what_else_happened_that_day_makes_it_part_of_the_days_contact() -> None:
    gone = {"visited_on": MOVE, "patient_status": "transferred_out"}
    assert kinds_and_statuses(gone, {"visited_on": MOVE, "sbp": 130}) == [(EXAM, OUT), (EXAM, 0)]
    assert kinds_and_statuses(gone, {"visited_on": FIRST, "sbp": 130}) == [(EXAM, 0), (NOTICE, OUT)]


def test_a_move_is_believed_from_the_facility_of_the_last_contact_only() -> None:
    gone = {"visited_on": MOVE, "patient_status": "transferred_out"}
    here, there = ({"visited_on": FIRST, "facility": name} for name in ("F1", "F2"))
    assert kinds_and_statuses(here, gone) == [(EXAM, 0), (NOTICE, OUT)]
    assert kinds_and_statuses(there, gone) == [(EXAM, 0), (NOTICE, 0)]
    assert kinds_and_statuses(there, {**gone, "facility": None}) == [(EXAM, 0), (NOTICE, OUT)]
    # A screening is no care, and what comes later does not unsay it.
    assert kinds_and_statuses({**there, "kind": "screening"}, gone)[1] == (NOTICE, OUT)
    assert kinds_and_statuses({**there, "visited_on": date(2024, 6, 1)}, gone)[0] == (NOTICE, OUT)
    # Both write on the day of the move: who treated the person that day knows better.
    assert kinds_and_statuses({**there, "visited_on": MOVE, "sbp": 130}, gone) == [(EXAM, 0), (NOTICE, 0)]


def test_a_notice_enrols_nobody_and_assigns_no_facility() -> None:
    known = [{"disease": "hypertension", "recorded_on": date(2024, 1, 10)}]
    gone = {"visited_on": MOVE, "patient_status": "transferred_out", "facility": None}
    dead = {"visited_on": date(2024, 7, 1), "patient_status": "dead", "facility": "F9"}
    bucket = laid_out([gone, dead], known)
    assert bucket.cases["enrolled_month"].to_list() == [NEVER]
    bucket = laid_out([{"visited_on": FIRST, "facility": "F2"}, gone, dead], known)
    assert bucket.cases["enrolled_month"].to_list() == [2024 * 12 + 3]
    assert bucket.assignments.select("from_month", "facility").rows() == [(2024 * 12 + 3, "F2")]


def test_the_columns_of_care_are_columns_of_a_visit() -> None:
    assert set(CARE_COLUMNS) <= set(VISITS)
