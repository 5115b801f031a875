"""Stories as a clinician reads them: what is on record, what it made of the month, and by which rule."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

import ncdsurv as ns
from tests.engine_catalogs import CATALOG
from tests.engine_records import random_records
from tests.engine_story import rows, typed

MONTHS = {"first": "2024-01", "last": "2026-06"}


def told(
    visits: str, diagnoses: str = "", died: str | None = None, preset: str = "hearts", **rules: Any
) -> Any:
    """The story of one person, from two small tables."""
    dated = [{"person_id": "A", **row} for row in rows(diagnoses)] if diagnoses else []
    known = {"person_id": pl.String, "disease": pl.String, "recorded_on": pl.String}
    seen = [{"person_id": "A", **typed(row)} for row in rows(visits)]
    catalog = CATALOG
    if rules:
        changed = catalog.presets[preset].model_copy(update=rules)
        catalog = catalog.model_copy(update={"presets": {**catalog.presets, preset: changed}})
    spells = ns.build_spells(
        pl.DataFrame({"person_id": ["A"], "died_on": [died]}, schema_overrides={"died_on": pl.String}),
        pl.DataFrame(dated, schema=known if not dated else None, infer_schema_length=None),
        pl.DataFrame(seen, infer_schema_length=None),
        **MONTHS,
        preset=preset,
        catalog=catalog,
    )
    return ns.explain_person(spells, "A")


def lines(story: Any, lang: str = "en") -> list[str]:
    return [line.strip() for line in story.explain(lang).splitlines()]


HTN = "disease | recorded_on\nhypertension | 2024-01-10"
STORIES: dict[str, tuple[Any, list[str], list[str]]] = {
    "a death that is only reported": (
        lambda: told(
            """
            visited_on | sbp | dbp | patient_status | facility
            2024-01-10 | 152 | 94  | managed        | 01001
            2024-07-09 | 138 | 88  | managed        | 01001
            2025-03-14 | -   | -   | dead           | 01001
            """,
            HTN,
            died="2025-03-14",
        ),
        [
            "2025-03-14  · died",
            "2025-03-14  · only reported at 01001, not seen: dead",
            "2025-03-31  → dead: died on 2025-03-14; counts from this month on, never backwards",
        ],
        ["2025-03-14  · chỉ được báo tại 01001, không khám: tử vong"],
    ),
    "lost, and back": (
        lambda: told(
            """
            visited_on | sbp | dbp | next_visit_on
            2024-01-31 | 150 | 95  | 2024-03-01
            2025-08-02 | 190 | 100 | 2025-08-31
            """,
            HTN,
        ),
        [
            "2024-03-31  → overdue: due on 2024-03-01, not come by the month's end",
            "2025-01-31  → lost to follow-up: no visit for 12 months; the last was on 2024-01-31",
            "2025-08-31  → uncontrolled, severely: the reading of 2025-08-02 does not meet systolic < 140, "
            "diastolic < 90; back under care by the visit of 2025-08-02",
        ],
        [
            "2025-08-31  → chưa đạt mục tiêu, mức nặng: kết quả ngày 2025-08-02 không đạt: tâm thu < 140, "
            "tâm trương < 90; quay lại quản lý nhờ lần khám ngày 2025-08-02"
        ],
    ),
    "out, in, and the old station's late word": (
        lambda: told(
            """
            visited_on | sbp | dbp | patient_status  | facility
            2024-01-10 | 130 | 80  | managed         | 01001
            2024-08-20 | -   | -   | transferred_out | 01001
            2025-01-15 | 130 | 85  | transferred_in  | 01002
            2025-01-25 | -   | -   | transferred_out | 01001
            """,
            HTN,
        ),
        [
            "2024-08-20  · only reported at 01001, not seen: transferred out",
            "2024-08-31  → transferred out: reported as transferred out on 2024-08-20, not seen since",
            "2025-01-15  · exam at 01002, transferred in: systolic 130, diastolic 85, at target; next due 2025-02-14",
            "2025-01-31  → controlled: the reading of 2025-01-15 meets systolic < 140, diastolic < 90; seen again on "
            "2025-01-15, which ends the transfer",
            "2025-01-25  · only reported at 01001, not seen: transferred out; does not count: another facility saw "
            "the person last",
        ],
        ["2024-08-31  → chuyển đi: được báo chuyển đi ngày 2024-08-20, sau đó chưa khám lại"],
    ),
    "moved before any visit": (
        lambda: told("visited_on | patient_status\n2024-04-10 | transferred_out", HTN),
        [
            "2024-01-31  → known, not enrolled: diagnosed, no managed visit yet",
            "2024-04-30  → moved before enrolment: reported as moved on 2024-04-10, without a managed visit",
        ],
        [
            "2024-04-30  → chuyển đi trước khi quản lý: được báo chuyển đi ngày 2024-04-10, chưa từng khám quản lý"
        ],
    ),
    "pregnancy": (
        lambda: told(
            """
            visited_on | sbp | dbp | pregnant
            2024-01-10 | 130 | 80  | no
            2024-05-10 | 150 | 95  | yes
            """,
            HTN,
        ),
        [
            "2024-05-10  · exam: systolic 150, diastolic 95 (in pregnancy, readings not used), no usable reading; "
            "next due 2024-06-09",
            "2024-05-31  → visited, not measured: last visit on 2024-05-10, no usable reading in the last 3 months",
        ],
        [
            "2024-05-10  · khám: tâm thu 150, tâm trương 95 (khi mang thai, số đo không dùng), không có kết quả dùng "
            "được; hạn tái khám 2024-06-09"
        ],
    ),
    "two readings on a day, and one number missing": (
        lambda: told(
            """
            visited_on | sequence | sbp | dbp
            2024-01-10 | -        | 150 | 95
            2024-04-10 | 600      | 138 | 84
            2024-04-10 | 480      | 150 | 95
            2024-05-10 | -        | 170 | -
            """,
            HTN,
        ),
        [
            "2024-04-10  · exam: systolic 150, diastolic 95",
            "2024-04-10  · exam: systolic 138, diastolic 84, at target (the last reading of the day decides); next "
            "due 2024-05-10",
            "2024-05-10  · exam: systolic 170, diastolic missing, no usable reading; next due 2024-06-09",
        ],
        [
            "2024-05-10  · khám: tâm thu 170, thiếu tâm trương, không có kết quả dùng được; hạn tái khám 2024-06-09"
        ],
    ),
    "the lowest of a day": (
        lambda: told(
            """
            visited_on | sbp | dbp
            2024-01-10 | 150 | 95
            2024-04-10 | 150 | 80
            2024-04-10 | 130 | 95
            """,
            HTN,
            same_day="lowest",
        ),
        [
            "2024-04-10  · exam: systolic 130, diastolic 95, at target (by the lowest of the day); next due 2024-05-10"
        ],
        [],
    ),
    "screening only": (
        lambda: told(
            """
            visited_on | kind      | glucose_mmol_l | glucose_kind | sbp | dbp
            2024-02-10 | screening | 5.8            | fasting      | 128 | 80
            2024-09-10 | screening | 7.4            | unknown      | 128 | 80
            2025-02-10 | exam      | 6.0            | fasting      | 128 | 80
            """
        ),
        [
            "2024-02-29  → at risk: fasting glucose 5.8 mmol/L on 2024-02-10 is not below the stage before the disease "
            "(fasting glucose < 5.6 mmol/L), no diagnosis",
            "2024-09-30  → suspected: fasting glucose 7.4 mmol/L (kind not told) on 2024-09-10 is not below the limit "
            "(fasting glucose < 7 mmol/L), no diagnosis; one high reading is no diagnosis",
            "2025-02-10  · exam: fasting glucose 6 mmol/L",
        ],
        ["2025-02-10  · khám: đường máu lúc đói 6 mmol/L"],
    ),
    "HbA1c before glucose, then another kind; a visit for another disease": (
        lambda: told(
            """
            visited_on | disease      | glucose_mmol_l | glucose_kind | hba1c_percent | sbp | dbp
            2024-01-10 | diabetes     | 9.4            | fasting      | -             | -   | -
            2024-04-10 | diabetes     | 9.0            | fasting      | 6.5           | -   | -
            2024-05-10 | diabetes     | 12.3           | random       | -             | -   | -
            2024-06-10 | hypertension | -              | -            | -             | 150 | 85
            2024-07-10 | -            | 6.2            | fasting      | 9.4           | -   | -
            """,
            "disease | recorded_on\ndiabetes | 2024-01-10",
        ),
        [
            "2024-04-30  → controlled: the reading of 2024-04-10 meets HbA1c < 7 %",
            "2024-05-31  → uncontrolled, moderately: the reading of 2024-05-10 does not meet random glucose < 11.1 "
            "mmol/L",
            "2024-06-10  · exam for Hypertension: no usable reading",
            "2024-07-31  → uncontrolled, severely: the reading of 2024-07-10 does not meet HbA1c < 7 %",
            "2024-06-30  → suspected: systolic 150, diastolic 85 on 2024-06-10 is not below the limit (systolic < 140, "
            "diastolic < 90), no diagnosis; one high reading is no diagnosis",
        ],
        ["2024-06-10  · khám vì Tăng huyết áp: không có kết quả dùng được"],
    ),
    "free of seizures, as reported": (
        lambda: told(
            """
            visited_on | disease  | reported_target
            2024-01-10 | epilepsy | 0
            2024-04-10 | epilepsy | 1
            2024-05-10 | epilepsy | 2
            """,
            "disease | recorded_on\nepilepsy | 2024-01-10",
        ),
        [
            "2024-04-10  · exam: at target (as reported); next due 2024-05-10",
            "2024-04-30  → controlled: reported at target on 2024-04-10",
            "2024-05-31  → visited, not measured: at the last visit, on 2024-05-10, no result was reported",
        ],
        ["2024-04-30  → đạt mục tiêu: cơ sở ghi đạt ngày 2024-04-10"],
    ),
    "withdrawn; the last visit decides; days of grace; a report instead of a grade": (
        lambda: told(
            """
            visited_on | lung_grade | reported_target
            2024-01-10 | 1          | -
            2024-02-10 | 3          | 1
            2024-03-10 | -          | 1
            2024-04-10 | -          | -
            """,
            "disease | recorded_on | withdrawn_on\ncopd | 2024-01-10 | 2024-07-20",
            preset="qd97",
            overdue_grace_days=7,
        ),
        [
            "2024-02-29  → uncontrolled, severely: the reading of 2024-02-10 does not meet grade of PEF/FEV1 1",
            "2024-03-10  · exam: at target (as reported); next due 2024-04-09",
            "2024-03-31  → controlled: reported at target on 2024-03-10",
            "2024-04-30  → visited, not measured: the last visit, on 2024-04-10, has no usable reading",
            "2024-05-31  → missed visit: no visit for 1 month; the last was on 2024-04-10",
            "2024-05-31  → overdue: due on 2024-05-10, not come by the month's end; 7 days of grace included",
            "2024-07-31  → diagnosis withdrawn: the last statement of the diagnosis was withdrawn",
            "2024-01-10  · diagnosis recorded (Chronic obstructive pulmonary disease)",
        ],
        ["2024-05-31  → lỡ hẹn khám: 1 tháng không khám; lần cuối 2024-04-10"],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_story_says_what_happened_and_why(name: str) -> None:
    tell, english, vietnamese = STORIES[name]
    story = tell()
    for lang, wanted in (("en", english), ("vi", vietnamese)):
        missing = [line for line in wanted if line not in lines(story, lang)]
        assert not missing, "\n".join([*missing, "---", *lines(story, lang)])


def test_a_reading_of_somebody_without_the_diagnosis_is_not_judged() -> None:
    story = told("visited_on | sbp | dbp\n2024-02-10 | 150 | 95\n2024-05-10 | 130 | 80")
    assert "2024-05-10  · exam: systolic 130, diastolic 80" in lines(story)
    assert not [line for line in lines(story) if "target" in line or "next due" in line]


def test_a_visit_dated_after_the_month_of_death_says_that_it_does_not_count() -> None:
    story = told(
        "visited_on | sbp | dbp\n2024-01-10 | 150 | 95\n2024-03-20 | 130 | 80\n2024-04-01 | 130 | 80",
        HTN,
        died="2024-03-05",
    )
    said = "2024-04-01  · exam: systolic 130, diastolic 80; after the month of death, does not count"
    assert [line for line in lines(story) if "does not count" in line] == [said]
    assert [line for line in lines(story, "vi") if "sau tháng tử vong, không tính" in line] == [
        "2024-04-01  · khám: tâm thu 130, tâm trương 80; sau tháng tử vong, không tính"
    ]


def test_readings_of_one_day_are_written_side_by_side() -> None:
    story = told(
        "visited_on | sbp | dbp\n2024-02-10 | 150 | 95\n2024-02-10 | 146 | 92\n2024-02-10 | 150 | 95", HTN
    )
    words = [text.get_text() for text in story.plot("en").axes[0].texts]
    assert [word for word in words if "/" in word] == ["150/95; 146/92"]


def test_the_grade_of_asthma_is_named_in_one_word_over_the_marks_of_copd_and_asthma() -> None:
    story = told(
        "visited_on | asthma_control | lung_grade\n2024-02-10 | 2 | -\n2024-03-10 | - | 1",
        "disease | recorded_on\ncopd | 2024-01-10\nasthma | 2024-01-10",
    )
    group = story.months["disease"].unique(maintain_order=True).to_list().index("copd_or_asthma")
    words = [text.get_text() for text in story.plot("vi").axes[group].texts]
    assert [word for word in words if word[-1].isdigit()] == ["hen 2", "1"]


def test_a_run_too_short_for_its_name_has_none_and_a_long_one_has_it_on_one_line() -> None:
    story = told("visited_on | sbp | dbp\n2024-01-10 | 150 | 95\n2024-04-20 | 130 | 80", HTN, preset="tt37")
    words = {text.get_text() for text in story.plot("en").axes[0].texts}
    assert "lost to follow-up" in words  # the last 15 months
    assert not {word for word in words if "controlled" in word.replace("\n", " ")}  # one month of 30


def test_a_visit_that_was_not_made_has_a_mark_of_its_own() -> None:
    tell = STORIES["out, in, and the old station's late word"][0]
    figure = tell().plot("en")
    marks = [line.get_marker() for line in figure.axes[0].get_lines()]
    assert sorted(marks) == ["v", "v", "x", "x"]
    assert "status only" in {text.get_text() for text in figure.legends[0].get_texts()}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("preset", ["hearts", "qd97"])
def test_every_change_of_state_has_its_line_whatever_the_records(seed: int, preset: str) -> None:
    records = random_records(seed, 4, CATALOG, date(2024, 7, 1), 720)
    of = pl.col("record_id").str.strip_suffix("+").alias("person_id")
    glucose = pl.when(pl.col("glucose_mmol_l").is_not_null()).then("glucose_kind").alias("glucose_kind")
    left_out = ("record_id", "visit_id", "row_number", "reported_history", "file_sha256")
    soon = pl.col("next_visit_on") <= pl.col("visited_on").dt.offset_by("1y")  # later ones are refused
    spells = ns.build_spells(
        records["persons"].drop("birth_precision"),
        records["diagnoses"].select(of, "disease", "recorded_on", "detected_on", "withdrawn_on"),
        records["visits"]
        .filter(pl.col("supply_days").fill_null(0) < 600)
        .with_columns(pl.when(soon).then("next_visit_on").alias("next_visit_on"))
        .select(of, glucose, pl.exclude(*left_out, "glucose_kind")),
        first="2024-07",
        last="2026-06",
        preset=preset,
    )
    for person in records["persons"]["person_id"]:
        story = ns.explain_person(spells, person)
        for (disease,), runs in story.months.group_by("disease", maintain_order=True):
            changes = runs["standing"].rle_id().max() + 1
            states = story.events.filter(disease=disease, event="state")
            assert states.height >= changes
            assert not states.filter(pl.col("text").str.contains("none|None|: $")).height
        assert story.explain("vi").count("→") == story.explain("en").count("→")


def test_the_limit_told_is_that_of_the_reading_that_decided_the_day() -> None:
    story = told(
        """
        visited_on | glucose_mmol_l | glucose_kind | hba1c_percent
        2024-01-10 | 9.4            | fasting      | -
        2024-04-10 | -              | -            | 6.5
        2024-04-10 | 12.3           | random       | -
        """,
        "disease | recorded_on\ndiabetes | 2024-01-10",
    )
    wanted = "uncontrolled, moderately: the reading of 2024-04-10 does not meet random glucose < 11.1 mmol/L"
    assert f"2024-04-30  → {wanted}" in lines(story)
