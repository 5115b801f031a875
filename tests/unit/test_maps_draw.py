"""Maps for print and for the site, drawn from the built-in pack."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import polars as pl
import pytest
import shapely

import ncdsurv as ns
from ncdsurv.catalog.tables import VALUES
from ncdsurv.errors import UsageError
from ncdsurv.maps import draw_map, map_svg_links
from ncdsurv.maps.layers import load_layer
from ncdsurv.maps.style import NOT_REPORTED, luminance, sequential
from ncdsurv.reference import add_pack, load_reference

REFERENCE = load_reference()
PILOTS = REFERENCE.pilot_provinces()["code"].to_list()


def values(level: str, vintage: str, codes: list[str], **columns: Any) -> pl.DataFrame:
    """Control rates of areas in one month; every seventh area has small numbers."""
    rng = np.random.default_rng(len(codes))
    denominator = rng.integers(100, 900, len(codes)).astype(float)
    numerator = np.round(denominator * rng.uniform(0.3, 0.7, len(codes)))
    row = {
        "release": "2026-06-abc",
        "indicator": "control_rate",
        "preset": "hearts",
        "disease": "hypertension",
        "area_vintage": vintage,
        "area_level": level,
        "period": "2026-06",
        "sex": "both",
        "age_band": "all",
        "ci_method": "wilson",
        "standardisation": "crude",
        "unit": "percent",
    } | columns
    frame = pl.DataFrame(
        {
            "area_code": codes,
            "numerator": numerator,
            "denominator": denominator,
            "value": 100 * numerator / denominator,
            "flag": ["small_number" if at % 7 == 6 else "ok" for at in range(len(codes))],
        }
    ).with_columns(lower=pl.col("value") - 3, upper=pl.col("value") + 3)
    return frame.with_columns(pl.lit(v, dtype=pl.String).alias(n) for n, v in row.items()).select(
        list(VALUES)
    )


def provinces(vintage: str) -> pl.DataFrame:
    return values("province", vintage, REFERENCE.areas("province", vintage)["code"].to_list())


def texts(figure: Any) -> str:
    drawn = [text.get_text() for axes in figure.axes for text in axes.texts]
    return " | ".join([*drawn, *(text.get_text() for text in figure.texts)])


@pytest.mark.parametrize("vintage", ["2024", "2025"])
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_national_map_shows_both_archipelagos_release_vintage_and_schematic_note(vintage: str, lang: str):
    result = draw_map(provinces(vintage), period="2026-06", reference=REFERENCE, lang=lang)
    drawn = texts(result.figure)
    for archipelago in REFERENCE.archipelagos():
        assert archipelago.label(lang) in drawn
    assert "2026-06-abc" in drawn
    assert "2025" in drawn
    assert {"vi": "sơ đồ", "en": "schematic"}[lang] in drawn
    assert unicodedata.is_normalized("NFC", drawn)
    assert {"vi": "B", "en": "N"}[lang] in drawn.split(" | ")
    assert "km" in drawn


@pytest.mark.parametrize("level", ["commune", "region", "nation"])
def test_every_national_level_has_the_archipelagos(level: str):
    codes = REFERENCE.areas(level, "2025")["code"].to_list()
    result = draw_map(values(level, "2025", codes), period="2026-06", reference=REFERENCE)
    assert all(one.label("vi") in texts(result.figure) for one in REFERENCE.archipelagos())


def test_communes_of_one_province_give_that_provinces_map_with_far_islands_in_an_inset():
    codes = REFERENCE.codes_within("79", "2025")
    result = draw_map(values("commune", "2025", codes), period="2026-06", reference=REFERENCE)
    assert result.data.height == len(codes)
    assert "Hồ Chí Minh" in result.title
    assert "Đặc khu Côn Đảo" in texts(result.figure)
    assert not any(one.label("vi") in texts(result.figure) for one in REFERENCE.archipelagos())


def test_a_province_that_holds_an_archipelago_shows_it():
    codes = REFERENCE.codes_within("56", "2025")
    result = draw_map(values("commune", "2025", codes), period="2026-06", reference=REFERENCE)
    assert "Quần đảo Trường Sa" in texts(result.figure)
    assert "Quần đảo Hoàng Sa" not in texts(result.figure)


def test_the_archipelagos_do_not_stretch_the_frame():
    west, south, east, north = load_layer(REFERENCE, "province", "2025").extent
    assert 1.3e6 < north - south < 1.8e6
    assert 0.6e6 < east - west < 0.9e6


def test_areas_without_data_are_grey_and_apart_from_undefined_ones():
    frame = values("province", "2024", PILOTS).with_row_index("at")
    first = pl.col("at") == 0
    frame = frame.with_columns(
        pl.when(first).then(None).otherwise("value").alias("value"),
        pl.when(first).then(pl.lit("no_denominator")).otherwise("flag").alias("flag"),
    ).drop("at")
    result = draw_map(frame, period="2026-06", reference=REFERENCE, lang="en")
    status = dict(result.data["status"].value_counts().iter_rows())
    assert status == {"shown": 5, "not_defined": 1, "not_reported": 57}
    assert "No data (57)" in texts(result.figure)
    assert "no denominator (1)" in texts(result.figure)
    assert result.data.filter(pl.col("status") != "shown")["class"].null_count() == 58
    assert "5 of 63 provinces" in texts(result.figure)


def test_small_numbers_are_hatched_and_counted():
    result = draw_map(provinces("2024"), period="2026-06", reference=REFERENCE, lang="en")
    assert "Small numbers: read with care (9)" in texts(result.figure)
    hatched = [path for c in result.figure.axes[0].collections if c.get_hatch() for path in c.get_paths()]
    layer = load_layer(REFERENCE, "province", "2024")
    parts = [max(shapely.get_parts(shape), key=shapely.area) for shape in layer.shapes]
    points = [part.representative_point() for part in parts]
    inside = [any(path.contains_point((point.x, point.y)) for path in hatched) for point in points]
    assert inside == [flag == "small_number" for flag in result.data["flag"]]
    assert sum(inside) == 9


def test_counts_in_the_legend_sum_to_the_areas_with_a_value():
    result = draw_map(provinces("2025"), period="2026-06", reference=REFERENCE, k=4)
    classes = [int(n) for n in re.findall(r"– <?[\d,.]+\s+\((\d+)\)", texts(result.figure))]
    assert len(classes) == 4
    assert sum(classes) == 34


def test_pandas_in_pandas_out():
    result = draw_map(provinces("2025").to_pandas(), period="2026-06", reference=REFERENCE)
    assert isinstance(result.data, pd.DataFrame)
    assert ns.choropleth is draw_map


def test_level_vintage_and_period_may_be_left_out_only_when_single():
    both = pl.concat([provinces("2024"), provinces("2025")])
    with pytest.raises(UsageError, match="area vintage"):
        draw_map(both, period="2026-06", reference=REFERENCE)
    assert draw_map(both, vintage="2024", reference=REFERENCE).data.height == 63
    two = pl.concat([provinces("2024"), provinces("2024").with_columns(period=pl.lit("2026-05"))])
    with pytest.raises(UsageError, match="period"):
        draw_map(two, reference=REFERENCE)


@pytest.mark.parametrize(
    ("frame", "settings", "words"),
    [
        (provinces("2025"), {"period": "2026-13"}, "unknown period"),
        (provinces("2025"), {"period": "2026-05"}, "2026-06"),
        (provinces("2025"), {"vintage": "2024"}, "2025"),
        (provinces("2025"), {"lang": "fr"}, "language"),
        (provinces("2025"), {"within": "99999"}, "unknown area code"),
        (provinces("2025"), {"classes": "equal"}, "class scheme"),
        (pl.concat([provinces("2025")] * 2), {}, "twice"),
        (pl.concat([provinces("2025"), values("province", "2025", ["01"], sex="male")]), {}, "sex"),
        (provinces("2025").with_columns(value=None), {}, "no value"),
    ],
)
def test_a_map_of_a_mixture_or_of_nothing_is_refused(
    frame: pl.DataFrame, settings: dict[str, Any], words: str
):
    with pytest.raises(UsageError, match=words):
        draw_map(frame, reference=REFERENCE, **settings)


def test_a_target_map_says_target_instrument_and_that_it_is_not_verified():
    codes = REFERENCE.areas("province", "2025")["code"].to_list()
    frame = values("province", "2025", codes, indicator="management_rate")
    result = draw_map(frame, period="2026-06", reference=REFERENCE, classes="target", lang="en")
    assert "target of" in result.explain("en")
    assert "not checked against the official text" in texts(result.figure)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_explanation_names_ends_definition_hatching_and_projection(lang: str):
    result = draw_map(provinces("2025"), period="2026-06", reference=REFERENCE)
    text = result.explain(lang)
    low = result.data.sort("value").row(0, named=True)
    assert {"vi": low["name"], "en": REFERENCE.area(low["area_code"], "2025")["name_en"]}[lang] in text
    assert "Albers" in text
    assert result.alt_text == " ".join(result.explain("vi").splitlines()[:2])


def test_saving_twice_gives_the_same_bytes_and_an_unknown_ending_is_refused(tmp_path: Path):
    for ending in ("png", "svg", "pdf"):
        result = draw_map(provinces("2025"), period="2026-06", reference=REFERENCE)
        first = result.save(tmp_path / f"a.{ending}", dpi=60).read_bytes()
        second = result.save(tmp_path / f"b.{ending}", dpi=60).read_bytes()
        assert first == second, ending
    assert result._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match=r"\.png"):
        result.save(tmp_path / "a.bmp")


def test_a_size_is_kept():
    result = draw_map(provinces("2025"), period="2026-06", reference=REFERENCE, size=(5.0, 7.0))
    assert result.figure.get_size_inches().tolist() == pytest.approx([5.0, 7.0])


def test_the_ramp_darkens_evenly_and_its_neighbours_can_be_told_apart():
    for k in range(2, 8):
        ramp = [luminance(colour) for colour in sequential(k)]
        assert all(light - dark > 0.015 for light, dark in pairwise(ramp))
    assert NOT_REPORTED not in sequential(7)


# --- the linked picture for pages ------------------------------------------------------------------------------------


def svg(**settings: Any) -> str:
    links = {code: f"{code}/report.html" for code in PILOTS}
    return map_svg_links(values("province", "2024", PILOTS), links, reference=REFERENCE, **settings)


def test_the_linked_map_is_well_formed_and_fetches_nothing():
    text = svg()
    root = ElementTree.fromstring(text)
    assert "http" not in text
    links = [element.attrib["href"] for element in root.iter("a")]
    assert sorted(links) == [f"{code}/report.html" for code in PILOTS]
    titles = [element.text for element in root.iter("title")]
    assert len([title for title in titles if title]) >= 63 + 2
    assert all(one.label("vi") in text for one in REFERENCE.archipelagos())


def test_every_link_says_area_value_and_interval_for_a_screen_reader():
    root = ElementTree.fromstring(svg(lang="en"))
    labels = [element.attrib["aria-label"] for element in root.iter("a")]
    assert all(re.search(r": \d+\.\d% \(\d+\.\d – \d+\.\d; n = \d+\)$", label) for label in labels)
    assert root.attrib["aria-labelledby"].split() == [root[0].attrib["id"], root[1].attrib["id"]]


def test_a_function_can_give_the_addresses_and_they_are_escaped():
    text = map_svg_links(
        provinces("2025"), lambda code: f"p?a={code}&b=<x>" if code == "01" else None, reference=REFERENCE
    )
    links = [element.attrib["href"] for element in ElementTree.fromstring(text).iter("a")]
    assert links == ["p?a=01&b=<x>"]
    assert "p?a=01&amp;b=&lt;x&gt;" in text


def test_surveyed_boundaries_keep_the_frame_and_islets_of_the_archipelagos_stay_in_the_inset(
    shared_pack: Path, tmp_path: Path
):
    official = load_reference(add_pack(shared_pack, tmp_path))
    for level in ("province", "commune"):
        west, south, east, north = load_layer(official, level, "2025").extent
        assert 1.6e6 < north - south < 1.75e6
        assert 0.7e6 < east - west < 0.85e6
    layer = load_layer(official, "commune", "2025", "56")
    assert layer.insets == []  # nothing is left of the archipelago but its dots
    result = draw_map(
        values("commune", "2025", official.codes_within("56", "2025")), reference=official, lang="vi"
    )
    assert "sơ đồ" not in texts(result.figure)
    assert "Quần đảo Trường Sa" in texts(result.figure)


def test_names_on_the_map_leave_out_the_kind_of_unit_but_keep_numbers():
    layer = load_layer(REFERENCE, "district", "2024", "79")
    short = {layer.name(at, "vi"): layer.short_name(at, "vi") for at in range(len(layer.codes))}
    assert short["Huyện Củ Chi"] == "Củ Chi"
    assert short["Quận 1"] == "Quận 1"
    twice = load_layer(REFERENCE, "district", "2024", "84")
    names = [twice.short_name(at, "vi") for at in range(len(twice.codes))]
    assert {"Huyện Duyên Hải", "Thị xã Duyên Hải", "Trà Cú"} <= set(names)
