"""Form definitions: what may be said, and that every problem of every file is told at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.forms import load_forms
from ncdsurv.catalog.load import DEFINITIONS
from ncdsurv.catalog.vocabulary import Kind, Level

CATALOG = load_catalog()


def load_changed(folder: Path, *changes: tuple[str, str]) -> list[str]:
    shutil.copytree(DEFINITIONS / "forms", folder / "forms")
    path = folder / "forms" / "tt23_2025.toml"
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return load_forms(folder / "forms", CATALOG.diseases, CATALOG.presets)[1]


def test_forms_stand_in_order_of_validity_without_gap_or_overlap() -> None:
    forms, problems = load_forms(DEFINITIONS / "forms", CATALOG.diseases, CATALOG.presets)
    assert not problems
    assert list(forms) == ["tt37_2019", "tt23_2025"]
    earlier, later = (form.validity for form in forms.values())
    assert later.first_month == earlier.last_month + 1


def test_every_figure_is_a_count_indicator_of_the_same_kind() -> None:
    for form in CATALOG.forms.values():
        for measure in form.measures:
            indicator = CATALOG.indicators[measure.measure]
            assert indicator.unit == "count"
            assert indicator.kind is measure.kind


def test_only_newly_detected_is_summed_over_a_period() -> None:
    for form in CATALOG.forms.values():
        assert [item.id for item in form.measures if item.kind is Kind.FLOW] == ["detected_new"]


def test_people_with_several_diseases_of_a_block_are_counted_once() -> None:
    form = CATALOG.forms["tt23_2025"]
    counted = {block.id: CATALOG.diseases[block.counted_as] for block in form.blocks}
    assert counted["copd_asthma"].members == ("copd", "asthma")
    assert set(counted["other_ncd"].members) == {"cancer", "cardiovascular_disease"}


def test_districts_have_a_form_only_in_the_old_geography() -> None:
    assert Level.DISTRICT in CATALOG.forms["tt37_2019"].levels
    assert Level.DISTRICT not in CATALOG.forms["tt23_2025"].levels


def test_inferred_layouts_are_not_called_verified() -> None:
    assert all(not form.verified and form.unverified for form in CATALOG.forms.values())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('preset = "tt37"', 'preset = "tt73"', "unknown preset 'tt73'; nearest: tt37"),
        ('counted_as = "diabetes"', 'counted_as = "diabete"', "unknown disease 'diabete'; nearest: diabetes"),
        ('id = "tt23_2025"', 'id = "tt23"', "id 'tt23' must be the file's name 'tt23_2025'"),
        ('valid_from = "2025-07"', 'valid_from = "2025-06"', "valid_from 2025-06 overlaps tt37_2019"),
        ('valid_from = "2025-07"', 'valid_from = "2028-07"', "is after valid_to"),
        ('valid_to = "2027-02"', 'valid_to = "2027-13"', "unknown period"),
        ('blocked = ["detected_total"', 'blocked = ["detected"', "unknown measure 'detected'"),
        ('right = "managed"', "", "kind at_most needs `left` and `right`"),
        ('group = "treatment"', 'group = "treat"', "unknown group 'treat'"),
        ("[unverified]", "[verified_by]", "verified_by: Extra inputs are not permitted"),
        ('page = { vi = "Trang", en = "Page" }', "", "words missing: page"),
        ('series = "', "series = ", "not valid TOML"),
    ],
)
def test_a_wrong_definition_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    problems = load_changed(tmp_path, (old, new))
    assert any(told in problem for problem in problems), problems
    assert all(problem.startswith("forms/") for problem in problems)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    problems = load_changed(
        tmp_path,
        ('preset = "tt37"', 'preset = "tt73"'),
        ('counted_as = "diabetes"', 'counted_as = "diabete"'),
    )
    assert len(problems) == 2
