"""A period that a preset judges as a whole: its plan is made once, however often it is asked for."""

from __future__ import annotations

import gc
import weakref

import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.catalog import load_catalog
from ncdsurv.frames import shares
from ncdsurv.frames.spells import Spells, as_spells
from ncdsurv.spells import plan


@pytest.fixture(scope="module")
def spells() -> Spells:
    return as_spells(
        ns.build_spells(
            pl.DataFrame({"person_id": ["A"]}),
            pl.DataFrame({"person_id": ["A"], "disease": ["hypertension"], "recorded_on": ["2024-01-05"]}),
            pl.DataFrame({"person_id": ["A"], "visited_on": ["2024-01-05"], "sbp": [130], "dbp": [80]}),
            first="2024-01",
            last="2024-12",
            preset="qd97",
        )
    )


def test_a_quarter_asked_for_again_is_counted_by_the_plan_that_is_there(
    spells: Spells, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr(shares._JUDGING, "known", {})  # as if nobody had asked before
    make = plan._PLANS.make
    monkeypatch.setattr(plan._PLANS, "make", lambda catalog: made.append(catalog) or make(catalog))
    first = [ns.count(spells, ["control_rate"], at=at) for at in ("2024-Q1", "2024-H1")]
    before = len(made)
    again = [ns.count(spells, ["control_rate"], at=at) for at in ("2024-Q1", "2024-H1", "2024-Q2")]
    assert before == 2
    assert len(made) == before
    assert [one["value"].to_list() for one in again[:2]] == [one["value"].to_list() for one in first]
    assert first[0]["value"].to_list() == [100.0]
    assert again[2]["value"].to_list() == [None]  # of another quarter, by the same plan


def test_the_definitions_that_judge_periods_go_with_those_they_came_from() -> None:
    catalog = load_catalog().model_copy()
    period = shares.Period.parse("2024-Q1")
    judged = shares._judging(catalog, "qd97", period)
    assert judged is shares._judging(catalog, "qd97", period)
    assert judged is not shares._judging(catalog, "qd97", shares.Period.parse("2024"))
    assert shares._judging(catalog, "tt37", period) is catalog
    owner = weakref.ref(catalog)
    del catalog, judged
    gc.collect()
    assert owner() is None
