"""Lines of titles and notes: the name of a place, a period, a number and what it counts each stand in one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import ncdsurv as ns
from ncdsurv.maps import page
from ncdsurv.maps.lines import NO_BREAK, hold, wrap
from tests.picture_support import REFERENCE, areas, months, provinces

WHEN = {"vi": "tháng 06/2026", "en": "June 2026"}
CITY = {"vi": "Hồ Chí Minh", "en": "Ho Chi Minh City"}
TITLE = "Tỷ lệ đạt mục tiêu điều trị trong số người đang quản lý – Tăng huyết áp, Hồ Chí Minh, tháng 06/2026"


def test_no_width_parts_a_name_or_a_period():
    for width in np.arange(1.6, 8, 0.1):
        lines = wrap(TITLE, width, 11.5, bold=True, together=["Hồ Chí Minh", "tháng 06/2026"])
        assert " ".join(lines) == TITLE
        assert sum("Hồ Chí Minh" in line for line in lines) == 1
        assert sum("tháng 06/2026" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("32 trong 34 tỉnh, thành phố có số liệu; tổng mẫu số 14.618 người", ["34 tỉnh", "14.618 người"]),
        (
            "32 of 34 provinces with data; 14,618 people; 12.5 per 100,000 people",
            ["100,000 people", "14,618 people"],
        ),
        ("Boundaries: built for Viet Nam, ranh giới của Việt Nam", ["Viet Nam", "Việt Nam"]),
        ("Release 2026-06-abc, natural breaks by Fisher-Jenks", ["2026-06-abc", "Fisher-Jenks"]),
    ],
)
def test_no_width_parts_a_number_from_what_it_counts(text: str, pairs: list[str]):
    for width in np.arange(1.2, 4.5, 0.05):
        lines = wrap(text, width, 7)
        assert " ".join(lines) == text
        for pair in pairs:
            assert any(pair in line for line in lines), (pair, lines)


def test_a_name_longer_than_a_line_is_cut_rather_than_run_over_the_edge():
    lines = wrap("Control, Thanh pho Ho Chi Minh", 0.9, 7, together=["Thanh pho Ho Chi Minh"])
    assert " ".join(lines) == "Control, Thanh pho Ho Chi Minh"
    assert max(map(len, lines)) <= 17


def test_longer_names_are_held_before_those_inside_them():
    assert hold("Nam Định and Nam", ["Nam", "Nam Định"]) == f"Nam{NO_BREAK}Định and Nam"
    assert wrap("", 3, 7) == []


def city(periods: int = 1, **settings: Any) -> pl.DataFrame:
    return areas("commune", REFERENCE.codes_within("79", "2025", "commune"), periods, **settings)


def in_the_city() -> pl.DataFrame:
    return months(30).with_columns(area_code=pl.lit("79"), area_level=pl.lit("province"))


def axes(width: float) -> Any:
    figure = Figure(figsize=(width, 4))
    FigureCanvasAgg(figure)
    return figure.add_subplot()


MAPS: dict[str, Callable[[str], Any]] = {
    "choropleth": lambda lang: ns.choropleth(city(), reference=REFERENCE, lang=lang, labels=False),
    "small_multiples": lambda lang: ns.small_multiples(city(2), reference=REFERENCE, lang=lang, width=6.5),
    "bivariate": lambda lang: ns.bivariate(
        city(), city(indicator="detection_rate", seed=2), reference=REFERENCE, lang=lang, labels=False
    ),
    "tile_map": lambda lang: ns.tile_map(provinces(), reference=REFERENCE, lang=lang),
    "clusters": lambda lang: ns.clusters(
        city(), permutations=199, correction="none", reference=REFERENCE, lang=lang
    ).plot(labels=False),
}


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("verb", MAPS)
def test_no_map_parts_the_name_of_its_place_or_its_period(
    verb: str, lang: str, monkeypatch: pytest.MonkeyPatch
):
    where = {"vi": "Việt Nam", "en": "Viet Nam"}[lang] if verb == "tile_map" else CITY[lang]
    for size in (21, 27, 33):  # letters so large that plain lines part one or the other
        monkeypatch.setattr(page, "TITLE_SIZE", size)
        texts = words_above(MAPS[verb](lang))
        assert any(where in text for text in texts), (size, texts)
        assert any(WHEN[lang] in text for text in texts), (size, texts)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_no_chart_parts_the_name_of_its_place(lang: str):
    trend = ns.trend(in_the_city(), reference=REFERENCE, lang=lang)
    funnel = ns.funnel(city(), overdispersion="none", reference=REFERENCE, lang=lang)
    for width in (3.2, 3.6, 4.0, 4.6):
        for result in (trend, funnel):
            texts = words_above(result.plot(axes(width)))
            assert any(CITY[lang] in text for text in texts), (width, texts)
        assert any(WHEN[lang] in text for text in texts), (width, texts)


def words_above(drawn: Any) -> list[str]:
    """Every line of text that stands on a figure outside its axes, and titles of axes."""
    figure = drawn.figure
    texts = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        texts += [axes.get_title(loc="left")]
    return [line for text in texts for line in text.split("\n")]


def test_tiles_and_the_benchmark_of_a_funnel_say_their_unit():
    drawn = ns.tile_map(provinces(), reference=REFERENCE, lang="vi").figure
    told = [text.get_text() for axes in drawn.axes for text in axes.texts]
    values = [text for text in told if re.fullmatch(r"[\d,]+%?", text)]
    assert len(values) >= 30
    assert all(text.endswith("%") for text in values)
    ax = ns.funnel(city(), overdispersion="none", reference=REFERENCE, lang="en").plot(axes(7))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert any(re.fullmatch(r"Benchmark: \d+\.\d%", label) for label in labels), labels
