"""The catalog: definitions load, hang together, and every problem of every file is told at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.load import DEFINITIONS
from ncdsurv.catalog.models import write_condition
from ncdsurv.errors import DefinitionError, UsageError

CATALOG = load_catalog()


def test_the_ministrys_eight_diseases_cancer_and_cardiovascular_disease_are_there() -> None:
    single = [disease for disease in CATALOG.diseases.values() if disease.icd10]
    assert len(single) == 10
    assert all(disease.names.vi != disease.names.en for disease in single)


@pytest.mark.parametrize(
    ("disease", "code", "belongs"),
    [
        ("hypertension", "I10", True),
        ("hypertension", "I15.9", True),
        ("hypertension", "I16", False),
        ("hypertension", "i10", True),
        ("diabetes", "E11.65", True),
        ("diabetes", "E149", True),
        ("diabetes", "O24.4", False),
        ("diabetes", "E15", False),
        ("copd", "J44.1†", True),
        ("asthma", "J46*", True),
        ("cardiovascular_disease", "I26", False),
        ("cardiovascular_disease", "I69.4", True),
        ("cancer", "C97", True),
        ("cancer", "D00", False),
        ("epilepsy", None, False),
        ("epilepsy", "", False),
        ("epilepsy", "G4", False),
    ],
)
def test_icd10_codes_match_by_prefix_of_the_undotted_code(
    disease: str, code: str | None, belongs: bool
) -> None:
    assert CATALOG.diseases[disease].matches(code) is belongs


def test_each_code_belongs_to_at_most_one_disease() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for code in (f"{letter}{number:02d}" for letter in letters for number in range(100)):
        assert sum(disease.matches(code) for disease in CATALOG.diseases.values()) <= 1


def test_numerator_always_implies_the_denominator() -> None:
    for indicator in CATALOG.indicators.values():
        for preset in indicator.presets:
            denominator = indicator.denominator_for(preset)
            numerator = indicator.numerator_for(preset)
            assert denominator is None or set(denominator.tests) <= set(numerator.tests)


def test_cascade_has_the_five_steps_in_order() -> None:
    steps = [i.cascade_step for i in CATALOG.indicators.values() if i.cascade_step]
    assert steps == ["estimated", "detected", "managed", "treated", "controlled"]


def test_unverified_facts_are_marked() -> None:
    assert all(target.verified is False for target in CATALOG.targets.values())
    assert CATALOG.presets["qd97"].verified is False
    # No survey report itself was seen: every prevalence stands on secondary texts.
    assert all(prevalence.verified is False for prevalence in CATALOG.prevalence.values())


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown disease: got hypertention.*try hypertension"):
        CATALOG.need("diseases", "hypertention")


def test_every_problem_of_all_files_is_reported_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, folder)
    _replace(folder / "diseases.toml", 'measurement = "blood_pressure"', 'measurement = "blod_pressure"')
    _replace(folder / "indicators" / "2_care.toml", "care_state =", "care_stat =")
    _replace(folder / "indicators" / "4_follow_up.toml", "rationale.vi =", "rational.vi =")
    _replace(folder / "prevalence.toml", "percent = 18.9", "percent = 189")
    _replace(folder / "age_bands.toml", "upper = 39", "upper = 38")
    (folder / "targets.toml").unlink()
    with pytest.raises(DefinitionError) as caught:
        load_catalog(folder)
    told = "\n".join(caught.value.problems)
    for file in (
        "diseases.toml",
        "indicators/2_care.toml",
        "prevalence.toml",
        "age_bands.toml",
        "targets.toml",
    ):
        assert file in told
    assert "indicators/4_follow_up.toml: [follow_up_rate] rationale.vi: Field required" in told
    assert "nearest is 'blood_pressure'" in told
    assert "unknown column 'care_stat'" in told
    assert "the file is missing" in told


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            "indicators/2_care.toml",
            'among.en = "People detected"\n',
            "",
            "indicators/2_care.toml: [management_rate] among.en: Field required",
        ),
        (
            "indicators/5_cohorts.toml",
            "cohort_offset_months = 6\n",
            "",
            "indicators/5_cohorts.toml: [cohort_control_rate] table: Value error, a cohort needs "
            "cohort_offset_months, and only a cohort has it",
        ),
        (  # all of the cohort would count as not at target
            "indicators/5_cohorts.toml",
            "cohort_offset_months = 6\n",
            "cohort_offset_months = 2\n",
            "indicators: [cohort_control_rate] cohort_offset_months: hearts judges nobody enrolled for less than 3 "
            "months; want that or more",
        ),
        (
            "indicators/4_follow_up.toml",
            'denominator_quantity = "intervals"\n',
            "denominator = {}\n",
            "indicators/4_follow_up.toml: [days_between_visits] table: Value error, a mean in days is one "
            "quantity over another",
        ),
        (
            "presets.toml",
            "moderate.clinic = { sbp = { lt = 180 }",
            "moderate.clinc = { sbp = { lt = 180 }",
            "presets.toml: [hearts] targets.blood_pressure.moderate: reading 'clinc' is not one of the target's; "
            "allowed: clinic",
        ),
        (
            "diseases.toml",
            "below_suspected.clinic = { sbp",
            "below_suspected.home = { sbp",
            "diseases.toml: [hypertension] below_suspected: 'home' is no reading of 'blood_pressure'; "
            "allowed: clinic",
        ),
        (
            "diseases.toml",
            'companion = "blood_pressure"',
            'companion = "blod_pressure"',
            "diseases.toml: [diabetes] companion: unknown measurement 'blod_pressure'; nearest is 'blood_pressure'",
        ),
        (
            "presets.toml",
            "moderate.random_glucose = { glucose_mmol_l = { lt = 16.7 } }",
            "moderate.random_glucose = { glucose_mmol_l = { lt = 16.5 } }",
            "presets.toml: [hearts] targets.glycaemia.random_glucose: no equivalent of 16.5 mmol/L in mg/dL; "
            "do: add it to pairs of [glucose_mmol_l.other_units] in plausibility.toml",
        ),
        (
            "diseases.toml",
            "below_suspected.hba1c = { hba1c_percent = { lt = 6.5 } }",
            "below_suspected.hba1c = { hba1c_percent = { lt = 6.4 } }",
            "diseases.toml: [diabetes] below_suspected.hba1c: no equivalent of 6.4 % in mmol/mol; "
            "do: add it to pairs of [hba1c_percent.other_units] in plausibility.toml",
        ),
        (
            "plausibility.toml",
            "pairs = [[80, 4.4], [100, 5.6]",
            "pairs = [[80, 4.4], [100, 4.4]",
            "plausibility.toml: [glucose_mmol_l] other_units.mg/dL: Value error, pairs must rise in both units, "
            "from one to the next",
        ),
        (
            "indicators/6_reporting.toml",
            'kind = "stock"\n',
            'kind = "stock"\nnumerator = { seen = true }\n',
            "indicators/6_reporting.toml: [stations_reporting] table: Value error, stations are counted at a "
            "period's end or month by month, without a condition on people",
        ),
        (
            "notices.toml",
            '"weight_kg", ',
            '"weight", ',
            "notices.toml: [status_only] table: Value error, weight: no column that care fills; allowed: sbp, dbp, "
            "glucose_mmol_l, hba1c_percent, lung_grade, asthma_control, weight_kg, height_cm, supply_days, "
            "next_visit_on, reported_target",
        ),
        (
            "contact_flags.toml",
            "[pregnant]",
            "[pregnat]",
            "contact_flags.toml: [pregnat] id: no such column of a visit; allowed: pregnant",
        ),
        (
            "contact_flags.toml",
            '"O00-O99"',
            '"O00 to O99"',
            "contact_flags.toml: [pregnant] table: Value error, icd10 'O00 to O99': want I10 or I10-I15, without "
            "dots",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    tmp_path: Path, file: str, old: str, new: str, sentence: str
) -> None:
    folder = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, folder)
    _replace(folder / file, old, new)
    with pytest.raises(DefinitionError) as caught:
        load_catalog(folder)
    assert sentence in caught.value.problems


def test_the_same_indicator_in_two_files_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, folder)
    shutil.copy(folder / "indicators" / "2_care.toml", folder / "indicators" / "9_more.toml")
    with pytest.raises(DefinitionError) as caught:
        load_catalog(folder)
    assert (
        "indicators/9_more.toml: [dead] id: stands in another file of the folder too" in caught.value.problems
    )


@pytest.mark.parametrize("offset", [3, 4, 6, 12])
def test_a_cohort_is_the_quarter_that_ended_n_months_before(tmp_path: Path, offset: int) -> None:
    folder = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, folder)
    _replace(
        folder / "indicators" / "5_cohorts.toml",
        "cohort_offset_months = 6",
        f"cohort_offset_months = {offset}",
    )
    cohort = load_catalog(folder).indicators["cohort_control_rate"]
    below = cohort.denominator_for("hearts")
    assert below is not None
    people = [
        {"care_state": "under_care", "outcome": "controlled", "months_since_enrolment": m} for m in range(20)
    ]
    belongs = [row["months_since_enrolment"] for row in people if below.holds(row)]
    assert belongs == [offset, offset + 1, offset + 2]
    assert belongs == [
        row["months_since_enrolment"] for row in people if cohort.numerator_for("hearts").holds(row)
    ]


def test_presets_tell_degrees_only_where_they_have_bounds_of_their_own() -> None:
    glucose = {name: preset.target("glycaemia") for name, preset in CATALOG.presets.items()}
    assert set(glucose["hearts"].moderate) == set(glucose["hearts"].readings)
    assert glucose["tt37"].moderate == glucose["qd97"].moderate == {}
    for preset in CATALOG.presets.values():
        bound = preset.target("blood_pressure").moderate["clinic"]
        assert bound.holds({"sbp": 179, "dbp": 109})
        assert not bound.holds({"sbp": 180, "dbp": 80})
        assert not bound.holds({"sbp": 150, "dbp": 110})


def test_suspicion_begins_where_diagnosis_begins() -> None:
    diabetes, pressure = CATALOG.diseases["diabetes"], CATALOG.diseases["hypertension"]
    fasting, raised = diabetes.below_suspected["fasting_glucose"], diabetes.below_at_risk["fasting_glucose"]
    assert [fasting.holds({"glucose_mmol_l": v}) for v in (6.9, 7.0)] == [True, False]
    assert [raised.holds({"glucose_mmol_l": v}) for v in (5.5, 5.6)] == [True, False]
    assert [diabetes.below_at_risk["hba1c"].holds({"hba1c_percent": v}) for v in (5.6, 5.7)] == [True, False]
    assert [diabetes.below_suspected["hba1c"].holds({"hba1c_percent": v}) for v in (6.4, 6.5)] == [
        True,
        False,
    ]
    assert not pressure.below_suspected["clinic"].holds({"sbp": 139, "dbp": 90})
    assert not any(disease.suspicion_verified for disease in CATALOG.diseases.values())


def test_counts_are_not_judged_and_the_rates_beside_them_are() -> None:
    polarity = {name: indicator.polarity for name, indicator in CATALOG.indicators.items()}
    counts = {name for name, indicator in CATALOG.indicators.items() if indicator.unit == "count"}
    assert {"suspected", "overdue", "lost_to_follow_up", "under_care", "detected", "controlled"} <= counts
    assert {polarity[name] for name in counts} == {"no_judgement"}
    good = {"detection_rate", "management_rate", "control_rate", "treatment_rate", "reporting_completeness"}
    bad = {"detection_gap", "overdue_rate", "lost_to_follow_up_rate", "uncontrolled_rate"}
    assert {polarity[name] for name in good} == {"high_good"}
    assert {polarity[name] for name in bad} == {"low_good"}


def test_gestational_disease_is_pregnancy_and_no_case() -> None:
    flag = CATALOG.contact_flags["pregnant"]
    for code in ("O24.4", "O13", "Z34.0", "Z36"):
        assert flag.matches(code)
        assert not any(disease.matches(code) for disease in CATALOG.diseases.values()), code
    assert not any(flag.matches(code) for code in ("I10", "E11.9", "Z37", "Z31", None))


def test_every_disease_says_what_its_outcome_rests_on() -> None:
    for disease in CATALOG.diseases.values():
        assert disease.rests_on.vi != disease.rests_on.en
    reported = [d.id for d in CATALOG.diseases.values() if d.measurement is None]
    assert reported == [
        "epilepsy",
        "schizophrenia",
        "depression",
        "anxiety",
        "cancer",
        "cardiovascular_disease",
        "other_ncd",
    ]
    assert {d.id for d in CATALOG.diseases.values() if d.or_reported} == {"copd", "asthma", "copd_or_asthma"}


def test_an_unknown_field_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, folder)
    _replace(folder / "presets.toml", "lost_after_months = 12", "lost_after_month = 12")
    with pytest.raises(DefinitionError, match="lost_after_month"):
        load_catalog(folder)


def test_definitions_hash_changes_with_any_definition(tmp_path: Path) -> None:
    folder = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, folder)
    assert load_catalog(folder).definitions_hash == CATALOG.definitions_hash
    other = tmp_path / "other"
    shutil.copytree(DEFINITIONS, other)
    _replace(other / "presets.toml", "lost_after_months = 12", "lost_after_months = 13")
    assert load_catalog(other).definitions_hash != CATALOG.definitions_hash


CONDITIONS = [
    {},
    {"outcome": "controlled"},
    {"outcome": ["controlled", "uncontrolled"]},
    {"months": {"ge": 3}},
    {"months": {"ge": 6, "lt": 9}, "outcome": "controlled"},
    {"seen": True},
]


@pytest.mark.parametrize("text", CONDITIONS, ids=range(len(CONDITIONS)))
def test_a_condition_gives_one_answer_on_a_row_and_on_a_frame(text: dict) -> None:
    rows = [
        {"outcome": outcome, "months": months, "seen": seen}
        for outcome in ("controlled", "uncontrolled", None)
        for months in (2, 3, 6, 8, 9, None)
        for seen in (True, False, None)
    ]
    condition = Condition.parse(text)
    frame = pl.DataFrame(rows, schema={"outcome": pl.String, "months": pl.Int64, "seen": pl.Boolean})
    by_frame = frame.with_columns(holds=condition.expr())["holds"].to_list()
    assert by_frame == [condition.holds(row) for row in rows]
    assert Condition.parse(write_condition(condition) or {}) == condition


@pytest.mark.parametrize(
    "text",
    [{"sbp": {"below": 140}}, {"sbp": {}}, {"sbp": []}, {"sbp": {"lt": "140"}}, {"sbp": None}, {"other": 1}],
)
def test_the_grammar_is_closed(text: dict) -> None:
    with pytest.raises(ValueError, match=r"sbp|other"):
        Condition.parse(text, columns=["sbp"])


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
