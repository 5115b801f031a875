"""How far back a column looks: the catalog's table against the engine, and all who take it from there."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.cards import card, words
from ncdsurv.catalog.checks import cross_problems
from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import Kind, Period, SpellColumn
from ncdsurv.catalog.whole_periods import LENGTHS, counted_over, with_whole_periods
from ncdsurv.catalog.windows import JUDGED, OF_PEOPLE_UNDER_CARE, OUTCOME_WINDOW, WINDOWS
from ncdsurv.spells import measure_plan, person_spells
from ncdsurv.trends.prepare import window_of
from tests.engine_records import layout, random_records

CATALOG = load_catalog()
BUFFERED = next(one for one in CATALOG.presets.values() if one.enrolment_buffer_months)
FIRST, LAST = Period.parse("2025-01").first_month, Period.parse("2026-06").last_month
RECORDS = random_records(7, 150, CATALOG, date(2024, 1, 1), 900)


def months_of_people(**rules: int) -> pl.DataFrame:
    """What every column says of every person, disease and month, with some rules of a preset changed."""
    preset = BUFFERED.model_copy(update=rules)
    catalog = CATALOG.model_copy(update={"presets": {**CATALOG.presets, preset.id: preset}})
    spells = person_spells(
        layout(RECORDS, catalog), catalog, preset.id, first_month=FIRST, last_month=LAST
    ).with_columns(month=pl.int_ranges("from_month", pl.col("to_month") + 1))
    return spells.explode("month").sort("person_id", "disease", "month")


def changed_by(rule: str) -> set[str]:
    """The columns that say something else of somebody when a rule is a month."""
    usual, other = months_of_people(), months_of_people(**{rule: 1})
    assert usual.select("person_id", "disease", "month").equals(other.select("person_id", "disease", "month"))
    never = {"months_since_enrolment"}  # as of the first month of a row: rows are cut elsewhere
    return {name for name in set(SpellColumn) - never if not usual[name].equals(other[name])}


def test_the_columns_of_the_outcome_window_are_those_that_the_engine_changes_with_it() -> None:
    assert changed_by(OUTCOME_WINDOW) == JUDGED


@pytest.mark.parametrize("column", [SpellColumn.TREATMENT, SpellColumn.CARE_STATE])
def test_another_window_changes_the_column_that_it_is_said_to(column: SpellColumn) -> None:
    assert column in changed_by(WINDOWS[column])


def test_who_has_an_outcome_is_under_care_in_any_case() -> None:
    table = measure_plan(CATALOG).table
    for column in OF_PEOPLE_UNDER_CARE:
        said = table.filter(pl.col(column) != "not_assessed")
        assert said.height
        assert set(said["care_state"]) == {"under_care"}


@pytest.mark.parametrize(
    ("indicator", "months"),
    [
        ("bp_control_in_diabetes_rate", {"hearts": 3, "tt37": 1, "qd97": 1}),
        ("control_rate", {"hearts": 3, "tt37": 1, "qd97": 1}),
        ("controlled", {"hearts": 3, "tt37": 1, "qd97": 1}),
        ("population_control_rate", {"hearts": 3, "tt37": 1, "qd97": 1}),
        ("critical_pressure", {"tt37": 1, "qd97": 1}),
        ("severely_uncontrolled_rate", {"hearts": 3, "tt37": 1, "qd97": 1}),
        ("treatment_rate", {"hearts": 3, "tt37": 1, "qd97": 12}),
        ("under_care", {"hearts": 12, "tt37": 12, "qd97": 12}),
        ("newly_detected", {"hearts": 1, "tt37": 1, "qd97": 1}),
    ],
)
def test_a_month_looks_back_as_far_as_the_numerator_does(indicator: str, months: dict[str, int]) -> None:
    assert set(CATALOG.indicators[indicator].presets) == set(months)
    found = {preset: window_of({"indicator": indicator, "preset": preset}, CATALOG) for preset in months}
    assert found == months


def test_a_critical_pressure_counts_people_under_care_without_a_word_on_it() -> None:
    """Its condition names the degree alone: whoever has one is under care."""
    plan, named = measure_plan(CATALOG), CATALOG.indicators["critical_pressure"].numerator
    assert named.columns == ("severity",)
    both = named & Condition.parse({"care_state": "under_care"})
    assert plan.members.of(named).any()
    assert (plan.members.of(named) == plan.members.of(both)).all()


@pytest.mark.parametrize(
    "numerator", [{"outcome": "controlled"}, {"severity": "severe"}, {"companion_at_target": True}]
)
def test_a_cohort_that_is_judged_too_early_is_refused_whatever_it_is_judged_by(numerator: dict) -> None:
    cohort = CATALOG.indicators["cohort_control_rate"].model_copy(
        update={"numerator": Condition.parse(numerator), "presets": (BUFFERED.id,)}
    )
    buffer = BUFFERED.enrolment_buffer_months
    early = cohort.model_copy(update={"cohort_offset_months": buffer - 1})
    parts = {name: getattr(CATALOG, name) for name in type(CATALOG).model_fields}
    assert not cross_problems({**parts, "indicators": {cohort.id: cohort}, "targets": {}})
    assert cross_problems({**parts, "indicators": {cohort.id: early}, "targets": {}}) == [
        f"indicators: [cohort_control_rate] cohort_offset_months: {BUFFERED.id} judges nobody enrolled for less than "
        f"{buffer} months; want that or more"
    ]


def test_a_cohort_that_asks_for_care_alone_may_be_read_at_once() -> None:
    cohort = CATALOG.indicators["cohort_control_rate"].model_copy(
        update={"numerator": Condition.parse({"care_state": "under_care"}), "cohort_offset_months": 0}
    )
    assert not cohort.judges
    assert not cohort.judged_before(BUFFERED.enrolment_buffer_months)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_card_speaks_of_whole_periods_where_they_are_counted_anew_and_nowhere_else(lang: str) -> None:
    """The columns of the counts tell: what rests on the period has one of its own for every length."""
    counted = with_whole_periods(CATALOG)
    plan, heading = measure_plan(counted), words(lang)["method"]
    anew = set()
    for name, indicator in CATALOG.indicators.items():
        for preset, over in counted_over(CATALOG)[LENGTHS[0]].items():
            sides = (plan.numerator, plan.denominator)
            if indicator.kind is not Kind.FLOW and any(
                side(name, preset) != side(name, over) for side in sides
            ):
                anew.add(name)
    told = {name for name, one in CATALOG.indicators.items() if "qd97: " in card(one, CATALOG, lang)[heading]}
    assert told == anew
    assert {"control_rate", "bp_control_in_diabetes_rate", "critical_pressure"} <= told
