"""Every scenario of tests/spec/rules: the engine says what the table says, and so does the plain oracle."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import build_rules
from tests.engine_rules import scenarios, told_of

DOCS = Path(__file__).parents[2] / "docs" / "rules"


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_the_engine_says_what_the_table_says(scenario):
    assert scenario.found(told_of(scenario)) == scenario.wanted


def test_the_pages_of_the_docs_are_those_of_the_tests():
    made = build_rules.render()
    there = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    assert there == made, "docs/rules is out of date: run `make rules`"


def test_every_scenario_says_something_in_both_languages():
    for scenario in scenarios():
        assert {"vi", "en"} <= set(scenario.told["title"])
        assert ("readings" in scenario.told) != ("expected" in scenario.told)
