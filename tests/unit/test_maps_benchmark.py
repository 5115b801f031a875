"""The benchmark of maps runs, small, and reports every kind."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks import maps
from tests.unit.test_maps_draw import REFERENCE


def test_every_kind_is_timed_and_the_table_has_a_line_for_each():
    found = maps.time_maps(REFERENCE, "built-in", repeat=1, level="region")
    assert len({one.map for one in found}) == len(found) == 10
    assert all(one.warm > 0 and one.first > 0 for one in found)
    assert found[0].areas == REFERENCE.areas("region", "2025").height
    assert all(one.map in one.line() for one in found)


def test_json_carries_the_promise(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    one = maps.Timing("built-in", "choropleth, quantile, PNG", 3321, 1.0, 0.5, 0.4)
    monkeypatch.setattr(maps, "time_maps", lambda *_: [one])
    monkeypatch.setattr(sys, "argv", ["maps", "--json"])
    maps.main()
    answer = json.loads(capsys.readouterr().out)
    assert answer["promised"] == 2.0
    assert answer["maps"][0]["warm"] == 0.5


def test_a_national_commune_map_keeps_its_promise_of_processor_time():
    from ncdsurv.maps import draw_map

    values = maps.invented(REFERENCE, "commune", "2025")
    assert values.height == 3321
    timing = maps.measure("built-in", "", 3321, lambda: draw_map(values, reference=REFERENCE).png(), repeat=2)
    assert timing.warm_cpu < maps.PROMISED
