"""One patient checked by hand: records in, states month by month, the story with its rules, in both languages."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.catalog.vocabulary import Period, month_label

PATIENTS = pl.DataFrame(
    {
        "person_id": ["A", "B"],
        "sex": ["female", "male"],
        "birth_date": ["1960-05-01", None],
        "area": ["Xã 1", "Xã 2"],
    }
)
DIAGNOSES = pl.DataFrame(
    {
        "person_id": ["A", "B"],
        "disease": ["hypertension", "diabetes"],
        "recorded_on": ["2024-01-10", "2024-02-05"],
    }
)
VISITS = pl.DataFrame(
    [
        ("A", "2024-01-10", "exam", 150, 95, None, "01001", None),
        ("A", "2024-04-15", "exam", 138, 84, None, "01001", "2024-05-14"),
        ("A", "2024-09-02", "screening", 128, 78, None, "01002", None),
        ("A", "2025-04-20", "exam", 182, 90, None, "01002", None),
        ("B", "2024-02-05", "exam", None, None, 8.2, "01001", None),
    ],
    schema=["person_id", "visited_on", "kind", "sbp", "dbp", "glucose_mmol_l", "facility", "next_visit_on"],
    orient="row",
)
# What a clinician reads off the records above, for A under HEARTS (window 3, buffer 3, lost after 12 months).
BY_HAND = """
2024-01 newly_enrolled      (first managed visit)
2024-02 newly_enrolled
2024-03 newly_enrolled
2024-04 controlled          (138/84 on 15 April; month 3 after the enrolment)
2024-05 controlled
2024-06 controlled
2024-07 missed_visit        (April is three months ago)
2024-09 missed_visit        (a screening is no visit)
2025-03 missed_visit
2025-04 uncontrolled        (182/90 on 20 April 2025)
2025-06 uncontrolled
2025-07 missed_visit
2026-03 missed_visit
2026-04 lost_to_follow_up   (April 2025 is twelve months ago)
"""


@pytest.fixture(scope="module")
def spells() -> Any:
    return ns.build_spells(PATIENTS, DIAGNOSES, VISITS, first="2024-01", last="2026-06", preset="hearts")


@pytest.mark.parametrize("line", BY_HAND.strip().splitlines())
def test_states_of_one_patient_are_what_a_clinician_reads_off(spells: Any, line: str) -> None:
    month, wanted = line.split()[:2]
    row = ns.states(spells, at=month).row(by_predicate=(pl.col("person_id") == "A"), named=True)
    found = {row["care_state"], row["tenure"], row["outcome"]}
    assert wanted in found


def test_months_since_enrolment_and_facility_are_of_the_month_asked_for(spells: Any) -> None:
    rows = [ns.states(spells, at=m).filter(person_id="A").row(0, named=True) for m in ("2024-06", "2025-05")]
    assert [row["months_since_enrolment"] for row in rows] == [5, 16]
    assert [row["facility"] for row in rows] == ["01001", "01002"]
    assert [row["severity"] for row in rows] == ["at_target", "severe"]


def test_nobody_has_a_row_before_the_disease_is_known(spells: Any) -> None:
    assert ns.states(spells, at="2024-01")["person_id"].to_list() == ["A"]
    assert ns.states(spells, at="2024-02")["person_id"].to_list() == ["A", "B"]


def test_spells_of_a_person_cover_every_month_once(spells: Any) -> None:
    for (_, disease), rows in spells.data.group_by("person_id", "disease", maintain_order=True):
        ends, begins = rows["to_month"].to_list(), rows["from_month"].to_list()
        assert all(begin == end + 1 for end, begin in zip(ends, begins[1:], strict=False)), disease
        assert ends[-1] == Period.parse("2026-06").last_month


def test_counts_agree_with_the_states(spells: Any) -> None:
    for month in range(spells.first_month, spells.last_month + 1, 4):
        at = month_label(month)
        people = ns.states(spells, at=at)
        under_care = people.filter(pl.col("care_state") == "under_care")
        counted = ns.count(spells, ["under_care", "control_rate"], by=["facility"], at=at)
        assert counted.filter(indicator="under_care")["numerator"].sum() == under_care.height
        shares = counted.filter(indicator="control_rate")
        assert shares["numerator"].sum() == under_care.filter(pl.col("outcome") == "controlled").height
        assert shares["denominator"].sum() == under_care.filter(pl.col("tenure") == "established").height


def test_a_flow_is_summed_and_a_stock_is_read_at_the_end(spells: Any) -> None:
    quarter = ns.count(spells, ["newly_enrolled", "enrolled", "days_between_visits"], at="2024-Q2")
    figures = {row["indicator"]: row for row in quarter.filter(disease="hypertension").iter_rows(named=True)}
    assert figures["newly_enrolled"]["value"] == 0
    assert figures["enrolled"]["value"] == 1
    assert figures["days_between_visits"]["value"] == (date(2024, 4, 15) - date(2024, 1, 10)).days
    assert figures["days_between_visits"]["unit"] == "days"


def test_the_story_names_the_rule_behind_each_change(spells: Any) -> None:
    story = ns.explain_person(spells, "A")
    told = [line.strip() for line in str(story).splitlines()]
    for line in (
        "2024-01-31  → newly enrolled: first managed visit in 2024-01; the outcome is judged after 3 months, from "
        "2024-04 on",
        "2024-04-30  → controlled: the reading of 2024-04-15 meets systolic < 140, diastolic < 90",
        "2024-05-31  → overdue: due on 2024-05-14, not come by the month's end",
        "2024-07-31  → missed visit: no visit for 3 months; the last was on 2024-04-15",
        "2024-09-02  · screening (no managed visit) at 01002: systolic 128, diastolic 78",
        "2025-04-20  · exam at 01002: systolic 182, diastolic 90, not at target, severely; next due 2025-05-20",
        "2025-04-30  → uncontrolled, severely: the reading of 2025-04-20 does not meet systolic < 140, diastolic < 90",
        "2026-04-30  → lost to follow-up: no visit for 12 months; the last was on 2025-04-20",
    ):
        assert line in told
    assert "bỏ trị: 12 tháng không khám; lần cuối 2025-04-20" in story.explain("vi")


def test_the_story_is_drawn_with_every_state_named(spells: Any) -> None:
    figure = ns.explain_person(spells, "A", lang="vi").plot()
    words = {text.get_text().replace("\n", " ") for text in figure.legends[0].get_texts()}
    assert {"đạt mục tiêu", "chưa đạt mục tiêu", "lỡ hẹn khám", "bỏ trị", "mới đăng ký"} <= words
    assert "A: Tăng huyết áp" in {ax.get_title(loc="left") for ax in figure.axes}


def test_pandas_in_pandas_out_and_the_same_figures(spells: Any) -> None:
    frames = [frame.to_pandas() for frame in (PATIENTS, DIAGNOSES, VISITS)]
    same = ns.build_spells(*frames, first="2024-01", last="2026-06", preset="hearts")
    assert isinstance(same.data, pd.DataFrame)
    assert pl.from_pandas(same.data).equals(spells.data.with_columns(pl.col(pl.Boolean)))
    found = ns.count(same, ["control_rate"], at="2024-06")
    assert isinstance(found, pd.DataFrame)
    assert isinstance(ns.explain_person(same, "B").data, pd.DataFrame)


def test_a_group_of_diseases_has_a_story_of_its_own() -> None:
    one = ns.build_spells(
        PATIENTS.head(1),
        pl.DataFrame({"person_id": ["A"], "disease": ["copd"], "recorded_on": ["2024-01-10"]}),
        VISITS.filter(person_id="A"),
        first="2024-01",
        last="2024-06",
        preset="hearts",
    )
    assert ns.states(one, at="2024-01").filter("known_case")["disease"].to_list() == [
        "copd",
        "copd_or_asthma",
    ]
    assert "COPD and asthma" in str(ns.explain_person(one, "A"))


def test_a_person_without_any_disease_has_a_short_story() -> None:
    quiet = VISITS.filter((pl.col("person_id") == "A") & (pl.col("sbp") < 140))
    nobody = ns.build_spells(
        PATIENTS, DIAGNOSES.clear(), quiet, first="2024-01", last="2024-06", preset="hearts"
    )
    assert str(ns.explain_person(nobody, "A")) == "No disease known or suspected in these months."
    assert nobody.data.is_empty()
    figure = ns.explain_person(nobody, "A").plot()
    assert figure.axes[0].texts[0].get_text().startswith("No disease")
    assert not figure.legends  # nothing is drawn that would need one
    assert not figure.axes[0].get_yticks().size  # height means nothing


@pytest.mark.parametrize(
    ("preset", "kind", "written", "unit", "wanted"),
    [
        ("tt37", "fasting", 79, "mg/dL", "uncontrolled"),
        ("tt37", "fasting", 80, "mg/dL", "controlled"),
        ("tt37", "fasting", 130, "mg/dL", "controlled"),
        ("tt37", "fasting", 131, "mg/dL", "uncontrolled"),
        (
            "tt37",
            "fasting",
            7.22,
            "mmol/L",
            "uncontrolled",
        ),  # 130 by 18, to two decimals: as mmol/L it is over 7.2
        ("hearts", "fasting", 125, "mg/dL", "controlled"),
        ("hearts", "fasting", 126, "mg/dL", "uncontrolled"),
        ("hearts", "random", 199, "mg/dL", "controlled"),
        ("hearts", "random", 200, "mg/dL", "uncontrolled"),
        ("hearts", "random", 11.09, None, "controlled"),
    ],
)
@pytest.mark.parametrize("kind_of_frame", [pl.DataFrame, pd.DataFrame])
def test_a_frame_in_mg_dl_is_judged_at_the_limits_in_mg_dl(
    kind_of_frame: Any, preset: str, kind: str, written: float, unit: str | None, wanted: str
) -> None:
    visits = kind_of_frame(
        {
            "person_id": ["A", "A"],
            "visited_on": ["2024-01-10", "2024-06-10"],
            "glucose_mmol_l": [None, float(written)],
            "glucose_unit": [None, unit],
            "glucose_kind": [None, kind],
        }
    )
    people, known = {"person_id": ["A"]}, {"person_id": ["A"], "disease": ["diabetes"]}
    spells = ns.build_spells(
        kind_of_frame(people),
        kind_of_frame({**known, "recorded_on": ["2024-01-10"]}),
        visits,
        first="2024-01",
        last="2024-06",
        preset=preset,
    )
    assert list(ns.states(spells, at="2024-06")["outcome"]) == [wanted]


def test_hba1c_in_mmol_mol_is_judged_at_53() -> None:
    def outcome(written: float) -> str:
        visits = pl.DataFrame(
            {
                "person_id": ["B"] * 2,
                "visited_on": ["2024-02-05", "2024-06-10"],
                "hba1c_percent": [None, written],
                "hba1c_unit": [None, "mmol/mol"],
            }
        )
        months = {"first": "2024-01", "last": "2024-06", "preset": "hearts"}
        spells = ns.build_spells(PATIENTS, DIAGNOSES, visits, **months)
        return str(ns.states(spells, at="2024-06").filter(person_id="B")["outcome"].item())

    assert [outcome(52.0), outcome(53.0)] == ["controlled", "uncontrolled"]


def test_the_dead_stay_at_the_facility_that_saw_them_last_alive() -> None:
    seen = {"visited_on": ["2024-01-10", "2024-03-20", "2024-05-02"], "facility": ["01001", "01002", "01003"]}
    dead = ns.build_spells(
        pl.DataFrame({"person_id": ["A"], "died_on": ["2024-03-05"]}),
        pl.DataFrame({"person_id": ["A"], "disease": ["hypertension"], "recorded_on": ["2024-01-10"]}),
        pl.DataFrame({"person_id": "A", **seen}),
        first="2024-01",
        last="2024-06",
        preset="hearts",
    )
    # The visit of 20 March is of the month of death and counts; the one of May is a slip.
    for at, facility in (
        ("2024-02", "01001"),
        ("2024-03", "01002"),
        ("2024-05", "01002"),
        ("2024-06", "01002"),
    ):
        assert ns.states(dead, at=at)["facility"].to_list() == [facility]
        counted = ns.count(dead, ["enrolled"], by=["facility"], at=at).filter(pl.col("numerator") > 0)
        assert counted["facility"].to_list() == [facility]
