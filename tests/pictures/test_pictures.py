"""Each kind of picture against its baseline.

A picture that is meant to change: `make pictures`, look at each that is another, and commit it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.catalog import load_catalog
from ncdsurv.reports.content import cascade as cascade_block
from ncdsurv.reports.texts import Texts
from tests.picture_support import REFERENCE, communes, compared, in_both, months, provinces, whole


def test_pictures_are_compared_in_this_run(pytestconfig: pytest.Config):
    """Without the option the functions below would run and compare nothing."""
    assert pytestconfig.getoption("--mpl") or pytestconfig.getoption("--mpl-generate-path")


@compared
@in_both
def test_trend(lang: str) -> Any:
    return whole(ns.trend(months(42), lang=lang, reference=REFERENCE).plot().figure)


@compared
@in_both
def test_joinpoint(lang: str) -> Any:
    values = months(48, bend=0.4)
    found = ns.joinpoint(values, lang=lang, permutations=199, max_joinpoints=2, reference=REFERENCE)
    return whole(found.plot().figure)


@compared
@in_both
def test_interrupted(lang: str) -> Any:
    found = ns.interrupted(months(42, step=-0.35, at=30), "2024-07", lang=lang, reference=REFERENCE)
    return whole(found.plot().figure)


@compared
@in_both
def test_control_chart(lang: str) -> Any:
    values = months(36, step=-0.4, at=31)
    return whole(ns.control_chart(values, baseline="2024-06", lang=lang, reference=REFERENCE).plot().figure)


@compared
@in_both
def test_forecast(lang: str) -> Any:
    return whole(ns.forecast(months(54), "2030", target=45, lang=lang, reference=REFERENCE).plot().figure)


@compared
@in_both
def test_funnel(lang: str) -> Any:
    return whole(ns.funnel(communes(), overdispersion="none", lang=lang, reference=REFERENCE).plot().figure)


@compared
@in_both
def test_choropleth_of_the_nation(lang: str) -> Any:
    return whole(ns.choropleth(provinces(), lang=lang, reference=REFERENCE).figure)


@compared
@in_both
def test_choropleth_of_a_province(lang: str) -> Any:
    return whole(ns.choropleth(communes(), lang=lang, reference=REFERENCE).figure)


@compared
@in_both
def test_symbols(lang: str) -> Any:
    return whole(ns.choropleth(communes(), symbols="denominator", lang=lang, reference=REFERENCE).figure)


@compared
@in_both
def test_small_multiples(lang: str) -> Any:
    return whole(ns.small_multiples(communes(3), lang=lang, reference=REFERENCE).figure)


@compared
@in_both
def test_bivariate(lang: str) -> Any:
    second = provinces(indicator="detection_rate", seed=2)
    return whole(ns.bivariate(provinces(), second, lang=lang, reference=REFERENCE).figure)


@compared
@in_both
def test_tile_map(lang: str) -> Any:
    return whole(ns.tile_map(provinces(), lang=lang, reference=REFERENCE).figure)


@compared
@in_both
def test_smooth(lang: str) -> Any:
    return whole(ns.smooth(communes(), lang=lang, reference=REFERENCE).plot().figure)


@compared
@in_both
def test_clusters(lang: str) -> Any:
    return whole(ns.clusters(communes(), permutations=999, lang=lang, reference=REFERENCE).plot().figure)


@compared
@in_both
def test_scan(lang: str) -> Any:
    found = ns.clusters(communes(), method="scan", permutations=99, lang=lang, reference=REFERENCE)
    return whole(found.plot().figure)


@compared
@in_both
def test_story_of_a_person(lang: str) -> Any:
    people = pl.DataFrame({"person_id": ["A"], "sex": ["female"], "birth_date": ["1960-05-01"]})
    known = pl.DataFrame({"person_id": ["A"], "disease": ["hypertension"], "recorded_on": ["2024-01-10"]})
    days = ["2024-01-10", "2024-04-15", "2024-06-20", "2024-12-02", "2025-01-07"]
    visits = pl.DataFrame(
        {"person_id": "A", "visited_on": days, "sbp": [150, 138, 132, 149, 136], "dbp": [95, 84, 80, 92, 82]}
    )
    spells = ns.build_spells(people, known, visits, first="2024-01", last="2026-03", preset="hearts")
    return whole(ns.explain_person(spells, "A").plot(lang))


@compared
@in_both
def test_cascade_of_care(lang: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    drawn: list[Any] = []
    monkeypatch.setattr(cascade_block, "picture", lambda figure, **_: drawn.append(figure))
    report: Any = SimpleNamespace(text=Texts(lang), catalog=load_catalog())
    steps = cascade_block.layout()["cascade"]["steps"]
    counts = {step: {"value": value} for step, value in zip(steps, (52_000, 21_400, 15_300, 12_900, 6_700))}
    cascade_block._bars(report, "hypertension", counts)
    return whole(drawn[0])
