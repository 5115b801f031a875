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


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown disease: got hypertention.*try hypertension"):
        CATALOG.need("diseases", "hypertention")


def test_every_problem_of_all_files_is_reported_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, folder)
    _replace(folder / "diseases.toml", 'measurement = "blood_pressure"', 'measurement = "blod_pressure"')
    _replace(folder / "indicators.toml", "care_state =", "care_stat =")
    _replace(folder / "prevalence.toml", "percent = 18.9", "percent = 189")
    _replace(folder / "age_bands.toml", "upper = 39", "upper = 38")
    (folder / "targets.toml").unlink()
    with pytest.raises(DefinitionError) as caught:
        load_catalog(folder)
    told = "\n".join(caught.value.problems)
    for file in ("diseases.toml", "indicators.toml", "prevalence.toml", "age_bands.toml", "targets.toml"):
        assert file in told
    assert "nearest is 'blood_pressure'" in told
    assert "unknown column 'care_stat'" in told
    assert "the file is missing" in told


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
