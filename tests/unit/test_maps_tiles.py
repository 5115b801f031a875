"""The tile map: every province once, roughly in its place, both archipelagos there."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl
import pytest
import shapely
from scipy.stats import spearmanr

import ncdsurv as ns
from ncdsurv.errors import UsageError
from ncdsurv.maps import tile_map
from ncdsurv.maps.layers import load_layer
from ncdsurv.maps.tiles import tile_layout
from tests.unit.test_maps_draw import REFERENCE, provinces, texts, values

VINTAGES = ("2024", "2025")
ISLANDS = {one.id for one in REFERENCE.archipelagos()}


@pytest.mark.parametrize("vintage", VINTAGES)
def test_every_province_and_archipelago_has_one_tile_of_its_own(vintage: str):
    layout = tile_layout(vintage)
    assert set(layout) == set(REFERENCE.areas("province", vintage)["code"]) | ISLANDS
    assert len(set(layout.values())) == len(layout)
    text = files("ncdsurv.maps").joinpath("tiles.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["vintage"] == vintage]
    assert len(rows) == len(layout)
    names = dict(REFERENCE.areas("province", vintage).select("code", "name").iter_rows())
    names |= {one.id: one.label_vi for one in REFERENCE.archipelagos()}
    assert {row["code"]: row["name"] for row in rows} == names


@pytest.mark.parametrize("vintage", VINTAGES)
def test_tiles_stand_in_the_order_of_the_country(vintage: str):
    layout, layer = tile_layout(vintage), load_layer(REFERENCE, "province", vintage)
    at = np.array([layout[code] for code in layer.codes])
    centre = shapely.get_coordinates(shapely.centroid(layer.shapes))
    assert spearmanr(at[:, 0], centre[:, 0]).statistic > 0.9
    assert spearmanr(at[:, 1], -centre[:, 1]).statistic > 0.98


@pytest.mark.parametrize("vintage", VINTAGES)
def test_most_neighbours_stay_neighbours_and_few_strangers_become_ones(vintage: str):
    layout, layer = tile_layout(vintage), load_layer(REFERENCE, "province", vintage)
    at = np.array([layout[code] for code in layer.codes])
    apart = np.abs(at[:, None] - at[None]).max(axis=2)
    left, right = shapely.STRtree(layer.shapes).query(layer.shapes, predicate="dwithin", distance=50.0)
    touching = np.zeros(apart.shape, dtype=bool)
    touching[left, right] = True
    upper = np.triu_indices(len(at), 1)
    assert (apart[upper][touching[upper]] == 1).mean() > 0.88
    assert (apart[upper][touching[upper]] <= 2).mean() > 0.97
    side_by_side = np.abs(at[:, None] - at[None]).sum(axis=2) == 1
    assert touching[upper][side_by_side[upper]].mean() > 0.85


@pytest.mark.parametrize("vintage", VINTAGES)
def test_the_archipelagos_lie_in_the_sea_east_of_their_provinces(vintage: str):
    layout = tile_layout(vintage)
    for one in REFERENCE.archipelagos():
        column, row = layout[one.id]
        home = layout[one.province[vintage]]
        assert column > home[0]
        assert abs(row - home[1]) <= 1
        assert column == max(tile[0] for tile in layout.values() if tile[1] == row)


def tiles_of(figure: Any) -> dict[str, str]:
    """Name in a tile: its colour."""
    axes = figure.axes[0]
    found = {}
    squares = [patch for patch in axes.patches if patch.get_fill()]
    for text in axes.texts:
        x, y = text.get_position()
        for square in squares:
            if square.get_x() <= x <= square.get_x() + 1 and square.get_y() <= y <= square.get_y() + 0.95:
                found[text.get_text().replace("\n", " ")] = square.get_facecolor()
    return found


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("vintage", VINTAGES)
def test_every_tile_says_its_name_and_archipelagos_have_their_provinces_colour(vintage: str, lang: str):
    result = ns.tile_map(provinces(vintage), reference=REFERENCE, lang=lang)
    tiles = tiles_of(result.figure)
    layer = load_layer(REFERENCE, "province", vintage)
    for place in range(len(layer.codes)):
        assert layer.short_name(place, lang) in tiles
    for one in REFERENCE.archipelagos():
        home = layer.short_name(layer.codes.index(one.province[vintage]), lang)
        assert tiles[one.label(lang).split(" (")[0]] == tiles[home]
    drawn = texts(result.figure)
    assert {"vi": "Ô viền đứt", "en": "Dashed tiles"}[lang] in drawn
    assert "2026-06-abc" in drawn
    assert {"vi": "Mỗi ô một tỉnh", "en": "One tile a province"}[lang] in result.explain(lang)
    assert "Albers" not in result.explain(lang)


def test_values_stand_in_the_tiles_small_ones_are_hatched_and_other_levels_are_left_out():
    both = pl.concat([provinces("2025"), values("commune", "2025", REFERENCE.codes_within("79", "2025"))])
    result = tile_map(both, reference=REFERENCE, lang="en", breaks=[5])
    assert result.data.height == 34
    drawn = texts(result.figure).split(" | ")
    for value in result.data["value"]:
        assert f"{value:.1f}%" in drawn
    hatched = [patch for patch in result.figure.axes[0].patches if patch.get_hatch()]
    assert len(hatched) == (provinces("2025")["flag"] == "small_number").sum()


def test_an_area_without_a_value_has_a_grey_tile_without_a_number():
    result = tile_map(provinces("2025").head(30), reference=REFERENCE, lang="en")
    drawn = texts(result.figure)
    assert "No data (4)" in drawn
    assert "–" not in drawn.split(" | ")


def test_a_vintage_without_a_layout_and_values_without_provinces_are_refused():
    with pytest.raises(UsageError, match="no tile layout for this vintage"):
        tile_layout("1999")
    with pytest.raises(UsageError, match="area level among these values"):
        tile_map(values("commune", "2025", REFERENCE.codes_within("79", "2025")), reference=REFERENCE)


def test_a_printed_value_stands_on_the_same_side_of_a_limit_as_its_colour():
    frame = provinces("2025").with_row_index("at").with_columns(
        value=pl.when(pl.col("at") == 0).then(46.79).when(pl.col("at") == 1).then(46.8).otherwise("value")
    ).drop("at")  # fmt: skip
    result = tile_map(frame, reference=REFERENCE, lang="en", breaks=[46.8])
    assert result.data["class"].to_list()[:2] == [0, 1]
    drawn = texts(result.figure).split(" | ")
    assert "46.79%" in drawn
    assert "46.8%" in drawn
