"""The method pages name every public function in both languages, and what they show runs."""

from __future__ import annotations

import doctest
import inspect
import re

import pytest

from ncdsurv.indicators import rates
from tests.conftest import ROOT

PAGES = [ROOT / "docs" / "methods" / f"rates.{language}.md" for language in ("en", "vi")]
FUNCTIONS = {name for name in rates.__all__ if inspect.isfunction(getattr(rates, name))}


def first_cells(page) -> list[str]:
    return [line.split("|")[1] for line in page.read_text("utf-8").splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_names_every_function_and_no_other(page):
    named = {name for cell in first_cells(page) for name in re.findall(r"`(\w+)", cell)}
    assert named == FUNCTIONS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_page_shows_runs(page):
    results = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert results.attempted >= 4
    assert results.failed == 0


def test_both_pages_have_the_same_rows():
    assert first_cells(PAGES[0]) == first_cells(PAGES[1])
