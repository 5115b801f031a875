"""The page of an interactive map: what is in it, what is not, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import ncdsurv as ns
from ncdsurv.errors import UsageError
from ncdsurv.maps.interactive.packing import fold, pack, unpack
from ncdsurv.maps.interactive.topology import Grid, make_topology, thin
from ncdsurv.maps.interactive.words import LANGUAGES, page_words
from ncdsurv.maps.layers import load_layer
from ncdsurv.maps.picture import compose
from ncdsurv.maps.wording import number
from ncdsurv.reference import add_pack, load_reference
from tests.moving_map_support import (
    ABSENT,
    HIDDEN,
    RELEASE,
    SECRET,
    UNDEFINED,
    cells,
    document,
    months,
)

REFERENCE = load_reference()
PROVINCES = REFERENCE.areas("province", "2025").sort("code")["code"].to_list()
PERIODS = ["2026-04", "2026-05", "2026-06"]


def provinces(**columns: Any) -> pl.DataFrame:
    return months("province", "2025", PROVINCES, PERIODS, **columns)


@pytest.fixture(scope="module")
def made() -> Any:
    return ns.interactive_map(provinces(), reference=REFERENCE)


# --- numbers and shapes as text -------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.lists(st.integers(-(2**40), 2**40), max_size=40))
def test_packed_numbers_come_back(numbers: list[int]) -> None:
    folded = fold(np.array(numbers, dtype=np.int64))
    back = unpack(pack(folded))
    assert back.tolist() == folded.tolist()
    assert [-(n + 1) // 2 if n % 2 else n // 2 for n in back.tolist()] == numbers


def test_a_number_below_zero_is_not_packed() -> None:
    with pytest.raises(ValueError, match="fold them first"):
        pack(np.array([-1]))


def rings_of(topology: Any, area: int) -> list[np.ndarray]:
    """Rings of an area as the page walks them."""
    rings = []
    for walk in topology.rings[area]:
        points: list[Any] = []
        for number_ in walk:
            arc = topology.arcs[number_] if number_ >= 0 else topology.arcs[~number_][::-1]
            points += arc[1 if points else 0 :].tolist()
        rings.append(np.array(points))
    return rings


def test_a_border_that_two_areas_share_is_written_once() -> None:
    left, right = shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)
    topology = make_topology(np.array([left, right]), Grid(0, 100, 1))
    assert len(topology.arcs) == 3
    assert topology.borders(["a", "a"]).count("0") == 1
    assert topology.borders(["a", "b"]) == "111"


def test_a_hole_filled_by_another_area_stays_a_hole() -> None:
    hole = shapely.box(40, 40, 60, 60)
    topology = make_topology(np.array([shapely.box(0, 0, 100, 100) - hole, hole]), Grid(0, 100, 1))
    assert len(topology.arcs) == 2
    outer, inner = rings_of(topology, 0)
    turns = [shapely.LinearRing(ring).is_ccw for ring in (outer, inner)]
    assert turns[0] != turns[1]  # so that a non-zero fill leaves it open


@pytest.mark.parametrize("level", ["province", "commune"])
def test_shapes_survive_the_arcs(level: str) -> None:
    layer = load_layer(REFERENCE, level, "2025")
    shapes, grid = thin(layer.shapes), Grid.over(layer.extent)
    topology = make_topology(shapes, grid)
    for at in range(0, len(shapes), 1 if level == "province" else 97):
        rings = [shapely.LinearRing(ring) for ring in rings_of(topology, at)]
        signed = abs(sum(shapely.Polygon(ring).area * (1 if ring.is_ccw else -1) for ring in rings))
        room = shapely.length(shapes[at]) / grid.step + 4  # half a cell along the border, generously
        assert signed == pytest.approx(shapely.area(shapes[at]) / grid.step**2, abs=room)


# --- what the page holds --------------------------------------------------------------------------------------------


def test_every_figure_is_the_one_that_print_shows(made: Any) -> None:
    page = document(made.html)
    held = {name: cells(page, name) for name in ("value", "lower", "upper", "numerator", "denominator")}
    rows = {(row["area_code"], row["period"]): row for row in provinces().iter_rows(named=True)}
    for at, code in enumerate(page["codes"]):
        for t, period in enumerate(PERIODS):
            row = rows.get((code, period))
            if row is None or row["value"] is None:
                assert all(np.isnan(column[at, t]) for column in held.values())
                continue
            value = held["value"][at, t]
            ends = (value, value - held["lower"][at, t], value + held["upper"][at, t])
            printed = [number(row[name], "en", 1) for name in ("value", "lower", "upper")]
            assert [number(end / 10, "en", 1) for end in ends] == printed
            assert (held["numerator"][at, t], held["denominator"][at, t]) == (
                row["numerator"],
                row["denominator"],
            )


def test_nothing_of_a_suppressed_value_is_in_the_page_or_the_data(made: Any) -> None:
    page = document(made.html)
    last = len(PERIODS) - 1
    for name in page["cells"]:
        column = cells(page, name)
        assert np.isnan(column[HIDDEN, last])
        assert np.nanmax(column) < SECRET
    assert f"{SECRET:.0f}" not in made.html
    row = made.data.filter(period=PERIODS[-1], area_code=PROVINCES[HIDDEN]).row(0, named=True)
    assert (row["status"], row["value"], row["numerator"], row["denominator"]) == (
        "suppressed",
        None,
        None,
        None,
    )


def test_suppressed_undefined_and_absent_areas_stand_apart(made: Any) -> None:
    page = document(made.html)
    marks = [page["marks"][at * len(PERIODS) + 2] for at in (HIDDEN, UNDEFINED, ABSENT)]
    assert [page["greys"][mark]["status"] for mark in marks] == ["suppressed", "not_defined", "not_reported"]
    assert len({page["greys"][mark]["colour"] for mark in marks}) == 3


def test_small_numbers_are_marked_in_every_period(made: Any) -> None:
    page = document(made.html)
    for at in range(len(PROVINCES)):
        marks = page["marks"][at * 3 : at * 3 + 3]
        assert all(mark.isupper() for mark in marks if mark.isalpha()) is (at % 7 == 6) or not marks.isalpha()


def test_classes_are_those_of_the_printed_map_over_all_months(made: Any) -> None:
    printed = compose(provinces(), period="2026-06", reference=REFERENCE, across=True)
    assert made.breaks == printed.classes.breaks
    page = document(made.html)
    assert [one["vi"] for one in page["classes"]] == [
        printed.classes.label(at, "vi") for at in range(printed.classes.k)
    ]
    for t, period in enumerate(PERIODS):
        drawn = ns.choropleth(provinces(), period=period, reference=REFERENCE, breaks=made.breaks).data
        for at, place in enumerate(drawn["class"]):
            mark = page["marks"][at * 3 + t]
            assert (None if mark.isdigit() else ord(mark.lower()) - ord("a")) == place


def test_a_target_map_says_where_the_target_stands() -> None:
    made = ns.interactive_map(provinces(indicator="management_rate"), reference=REFERENCE, classes="target")
    page = document(made.html)
    target = page["target"]
    assert "Chỉ tiêu" in target["vi"]
    below, above = page["classes"][target["below"] - 1], page["classes"][target["below"]]
    assert number(target["value"] / 10, "en") in below["en"].split("–")[1]
    assert number(target["value"] / 10, "en") in above["en"].split("–")[0]
    assert any("chưa đối chiếu" in line for line in (page["texts"]["vi"]["scheme"],))


def test_archipelagos_show_the_area_they_belong_to(made: Any) -> None:
    page = document(made.html)
    for archipelago in REFERENCE.archipelagos():
        inset = next(one for one in page["insets"] if one["vi"] == archipelago.label("vi"))
        assert page["codes"][inset["area"]] == archipelago.province["2025"]
        assert len(inset["dots"]) == len(archipelago.islands)


def test_communes_of_one_province_bring_its_neighbours_and_far_islands() -> None:
    codes = REFERENCE.codes_within("79", "2025")
    made = ns.interactive_map(months("commune", "2025", codes, PERIODS), reference=REFERENCE)
    page = document(made.html)
    assert page["around"]["arcs"]
    assert [one["vi"] for one in page["insets"]] == ["Đảo xa: Đặc khu Côn Đảo"]
    assert set(page["parents"]["names"]["vi"]) == {REFERENCE.area("79", "2025")["name"]}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_release_vintage_and_schematic_note_stand_on_the_page_in_both_languages(made: Any, lang: str) -> None:
    text = document(made.html)["texts"][lang]
    assert RELEASE in text["source"]
    assert {"vi": "địa giới từ 01/07/2025", "en": "boundaries since 1 July 2025"}[lang] in text["source"]
    assert {"vi": "sơ đồ", "en": "schematic"}[lang] in text["schematic"]
    assert set(page_words("vi", "percent", "province")) == set(page_words("en", "percent", "province"))


def release(**manifest: Any) -> Any:
    return SimpleNamespace(id=RELEASE, manifest=manifest, reference=lambda: REFERENCE)


def test_a_release_of_invented_people_says_so() -> None:
    banner = '<p id="invented"'
    assert banner in ns.interactive_map(provinces(), release=release(invented=True)).html
    assert (
        banner in ns.interactive_map(provinces(), release=release(reference_packs=[{"invented": True}])).html
    )
    assert banner not in ns.interactive_map(provinces(), release=release(invented=False)).html


def test_the_page_allows_its_own_style_and_script_and_nothing_else(made: Any) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', made.html)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))
    assert rules["default-src"] == "'none'"
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        own = re.findall(rf"<{tag}>(.*?)</{tag}>", made.html, re.DOTALL)
        assert len(own) == 1
        digest = base64.b64encode(hashlib.sha256(own[0].encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert re.findall(r"https?://[^\"'\s)]+", made.html) == [
        "http://www.w3.org/2000/svg"
    ]  # a name, not an address


def test_a_name_cannot_end_the_script_it_stands_in() -> None:
    evil = provinces().with_columns(release=pl.lit("</script><script>alert(1)</script>"))
    html = ns.interactive_map(evil, reference=REFERENCE).html
    assert "<script>alert" not in html
    assert "alert(1)" in document(html)["texts"]["vi"]["source"]


# --- the result -----------------------------------------------------------------------------------------------------


def test_the_same_map_gives_the_same_bytes_and_only_html_is_written(made: Any, tmp_path: Path) -> None:
    again = ns.interactive_map(provinces(), reference=REFERENCE)
    first, second = made.save(tmp_path / "a.html"), again.save(tmp_path / "b.html")
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(UsageError, match="an interactive map is a web page") as refused:
        made.save(tmp_path / "map.png")
    assert "ns.choropleth" in str(refused.value)


def test_pandas_in_pandas_out_and_text_in_both_languages() -> None:
    made = ns.interactive_map(provinces().to_pandas(), reference=REFERENCE, lang="en")
    assert isinstance(made.data, pd.DataFrame)
    assert len(made.data) == len(PROVINCES) * len(PERIODS)
    assert "3 periods, April 2026 to June 2026" in made.explain()
    assert "3 kỳ, tháng 04/2026 đến tháng 06/2026" in made.explain("vi")
    assert made.title == "Control rate – Hypertension, Viet Nam"


def test_in_a_notebook_the_page_stands_in_a_frame_of_its_own(made: Any) -> None:
    shown = made._repr_html_()
    assert shown.startswith("<iframe")
    assert 'sandbox="allow-scripts"' in shown
    assert shown.count("<") == 2  # all of the page is escaped


def test_one_period_and_a_period_without_values_are_no_trouble() -> None:
    one = ns.interactive_map(provinces().filter(period="2026-06"), reference=REFERENCE)
    assert len(document(one.html)["periods"]) == 1
    nulls = [pl.lit(None, dtype=pl.Float64).alias(name) for name in ("value", "lower", "upper")]
    empty = provinces().filter(period="2026-05").with_columns(nulls)
    both = ns.interactive_map(pl.concat([provinces().filter(period="2026-06"), empty]), reference=REFERENCE)
    assert document(both.html)["periods"][0]["covered"]["en"].startswith("0 of 34 provinces")


def test_periods_stand_in_the_order_of_time() -> None:
    shuffled = provinces().sample(fraction=1.0, shuffle=True, seed=1)
    page = document(ns.interactive_map(shuffled, reference=REFERENCE).html)
    assert [one["id"] for one in page["periods"]] == PERIODS


def test_periods_of_several_lengths_are_refused() -> None:
    mixed = pl.concat(
        [provinces(), provinces().filter(period="2026-06").with_columns(period=pl.lit("2026-Q2"))]
    )
    with pytest.raises(UsageError, match="shows periods of one length, not a mixture"):
        ns.interactive_map(mixed, reference=REFERENCE)


def test_values_of_another_release_are_refused() -> None:
    other = SimpleNamespace(id="2026-05-xyz", manifest={}, reference=lambda: REFERENCE)
    with pytest.raises(UsageError, match="not of the release given"):
        ns.interactive_map(provinces(), release=other)


def test_all_communes_over_two_years_stay_below_three_megabytes(
    shared_pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    official = load_reference(add_pack(shared_pack, tmp_path))
    codes = official.areas("commune", "2025")["code"].to_list()
    periods = [f"{2024 + (6 + at) // 12}-{(6 + at) % 12 + 1:02d}" for at in range(24)]
    values = months("commune", "2025", codes, periods)
    start = time.process_time()
    html = ns.interactive_map(values, reference=official).html
    spent, size = time.process_time() - start, len(html.encode()) / 1e6
    with capsys.disabled():
        print(
            f"\n{len(codes)} communes, {len(periods)} months: {size:.2f} MB, {spent:.1f} s of processor time"
        )
    assert len(codes) == 3321
    assert size < 3.0


def test_communes_of_one_name_are_told_apart_by_their_district() -> None:
    codes = REFERENCE.codes_within("79", "2024")
    page = document(ns.interactive_map(months("commune", "2024", codes, PERIODS), reference=REFERENCE).html)
    told = {
        (name, page["parents"]["names"]["vi"][parent])
        for name, parent in zip(page["names"]["vi"], page["parents"]["of"])
    }
    assert len(told) == len(codes) > len(set(page["names"]["vi"]))
    assert any(place == "Quận 3, Hồ Chí Minh" for _, place in told)
    assert page["borders"].count("0") > 200  # districts are named, but lines run around the province alone
