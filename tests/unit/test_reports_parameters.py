"""Parameters of a notebook are complete and known before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ncdsurv
from ncdsurv.errors import DefinitionError, UsageError
from ncdsurv.reports.analyses import ANALYSES
from ncdsurv.reports.catalogue import NOTEBOOK_FOLDER, NotebookSpec, find_notebook, find_notebooks
from ncdsurv.reports.parameters import check_parameters, parse_assignments
from ncdsurv.reports.texts import Texts, check_texts

CHOICES = {"area": ["02", "79"], "preset": ["hearts", "tt37"]}


@pytest.fixture
def spec() -> NotebookSpec:
    return find_notebook("province_report")


def test_defaults_complete_what_is_given(spec: NotebookSpec) -> None:
    checked = check_parameters(spec, {"province": "02"}, CHOICES)
    assert checked["province"] == "02"
    assert checked["preset"] == "hearts"
    assert set(checked) == set(spec.parameters)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"provnce": "79"}, "try province"),
        ({"province": "97"}, "try 79"),
        ({"province": 2}, "not text"),
        ({"province": ""}, "not text"),
        ({"preset": "heart"}, "try hearts"),
        ({"lang": "vn"}, "try vi"),
        ({"vintage": "2023"}, "try 202"),
        ({"period": "2026-13"}, "2026-06"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest(
    spec: NotebookSpec, given: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        check_parameters(spec, given, CHOICES)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"method": "jointpoint"}, "no such method: got jointpoint.*try joinpoint"),
        ({"until": "soon"}, "parameter until"),
        ({"at": "boundary_refrom"}, "no such event: got boundary_refrom.*try boundary_reform"),
        ({"at": "2025-13"}, "parameter at"),
    ],
)
def test_the_explorers_method_and_dates_are_checked_like_other_parameters(
    given: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        check_parameters(find_notebook("trend_explorer"), given, CHOICES)


def test_the_explorer_takes_every_method_an_event_by_name_and_a_month() -> None:
    spec = find_notebook("trend_explorer")
    for method in ANALYSES:
        assert callable(getattr(ncdsurv, method))
        assert check_parameters(spec, {"method": method}, CHOICES)["at"] == "boundary_reform"
    assert check_parameters(spec, {"at": "2025-07", "until": "2030"}, CHOICES)["until"] == "2030"


def test_values_of_the_command_line_keep_their_zero() -> None:
    assert parse_assignments(["province=04", "period=2026-06"]) == {"province": "04", "period": "2026-06"}
    with pytest.raises(UsageError, match="NAME=VALUE"):
        parse_assignments(["province"])


def test_every_notebook_is_committed_without_outputs_and_only_calls() -> None:
    for name in find_notebooks():
        notebook = json.loads((NOTEBOOK_FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            assert not cell.get("outputs"), name
            source = "".join(cell["source"])
            assert cell["cell_type"] == "markdown" or not source.startswith(("def ", "class ")), name
            # One line for each parameter; everything else is short because it only calls.
            assert "parameters" in cell["metadata"].get("tags", []) or len(source.splitlines()) <= 12, name


def test_all_problems_of_all_notebooks_come_at_once(tmp_path: Path) -> None:
    good = json.loads((NOTEBOOK_FOLDER / "province_report.ipynb").read_text(encoding="utf-8"))
    for name, change in {"a": {"per": "district"}, "b": {"parameters": {}}}.items():
        broken = json.loads(json.dumps(good))
        broken["metadata"]["ncdsurv"] |= change
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(broken), encoding="utf-8")
    with pytest.raises(DefinitionError) as refused:
        find_notebooks(tmp_path)
    assert len(refused.value.problems) == 2


def test_every_text_stands_in_both_languages() -> None:
    assert check_texts() == []


def test_numbers_are_written_as_each_language_does() -> None:
    assert Texts("vi").percent(62.25) == "62,2%"
    assert Texts("en").interval(1.0, 2.55) == "1.0–2.5"
    assert Texts("en").percent(None) == "–"
    with pytest.raises(UsageError, match="try header"):
        Texts("en")("header.kinds")
