"""Small multiples: one legend, the same classes, periods in reading order."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.errors import UsageError
from ncdsurv.maps import small_multiples
from ncdsurv.maps.classify import classify
from ncdsurv.maps.layers import load_layer
from ncdsurv.maps.multiples_page import plan_grid
from tests.unit.test_maps_draw import REFERENCE, texts, values
from tests.unit.test_maps_same_classes import MONTHS, months


def captions(figure: Any) -> list[str]:
    """Bold captions of the maps with their place on the page, in the order of reading."""
    found = [
        (-round(axes.get_position().y0, 3), round(axes.get_position().x0, 3), text.get_text())
        for axes in figure.axes
        for text in axes.texts
        if text.get_weight() == "bold" and text.get_text()[-4:].isdigit()
    ]
    return [text for _, _, text in sorted(found)]


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("vi", ["Tháng 04/2026", "Tháng 05/2026", "Tháng 06/2026"]),
        ("en", ["April 2026", "May 2026", "June 2026"]),
    ],
)
@pytest.mark.parametrize("columns", [None, 1, 2])
def test_periods_stand_in_reading_order_whatever_order_they_are_given_in(
    lang: str, expected: list[str], columns: int | None
):
    result = small_multiples(months(), MONTHS[::-1], reference=REFERENCE, lang=lang, columns=columns)
    assert captions(result.figure) == expected
    assert result.data["period"].unique(maintain_order=True).to_list() == MONTHS
    assert {"vi": "tháng 04/2026 đến tháng 06/2026", "en": "April 2026 to June 2026"}[lang] in result.title


def test_classes_are_worked_out_over_the_periods_drawn_and_stand_once_in_the_legend():
    result = small_multiples(months(), MONTHS[:2], reference=REFERENCE, lang="en")
    drawn = months().filter(pl.col("period").is_in(MONTHS[:2]))
    expected = classify(drawn["value"].to_numpy(), "quantile", 5)
    assert result.breaks == expected.breaks
    for at in range(expected.k):
        assert texts(result.figure).count(expected.label(at, "en")) == 1
    joined = result.data.drop_nulls("value")
    assert joined["class"].to_list() == expected.place(joined["value"].to_numpy()).tolist()


def test_every_national_map_has_both_archipelagos_and_the_page_its_furniture():
    result = ns.small_multiples(months(), MONTHS, reference=REFERENCE, breaks=[40, 60])
    drawn = texts(result.figure).split(" | ")
    assert drawn.count("Hoàng Sa") == drawn.count("Trường Sa") == 3
    for words in ("B", "34/34 có số liệu", "<40", "≥60", "Số nhỏ: đọc thận trọng"):
        assert words in drawn
    whole = " ".join(drawn)
    for words in ("2026-06-abc", "sơ đồ", "km", "không cùng tỷ lệ", "ngưỡng cho trước"):
        assert words in whole
    assert all(one in result.explain("en") for one in ("no evidence of a trend", "34/34 with data"))


def test_an_area_that_reports_in_one_month_only_is_grey_in_the_other():
    codes = REFERENCE.codes_within("79", "2025")
    first = values("commune", "2025", codes[:3], period="2026-05")
    second = values("commune", "2025", codes, period="2026-06")
    result = small_multiples(pl.concat([first, second]), reference=REFERENCE)
    counted = result.data.group_by("period", "status").len().sort("period", "status")
    assert counted.rows() == [
        ("2026-05", "not_reported", len(codes) - 3), ("2026-05", "shown", 3), ("2026-06", "shown", len(codes)),
    ]  # fmt: skip
    assert "Hồ Chí Minh" in result.title
    assert "Không có số liệu" in texts(result.figure)


def test_pandas_in_pandas_out():
    assert isinstance(small_multiples(months().to_pandas(), MONTHS, reference=REFERENCE).data, pd.DataFrame)


@pytest.mark.parametrize("n", [1, 4, 7, 12, 24])
def test_maps_do_not_leave_the_page_and_full_rows_are_preferred(n: int):
    grid = plan_grid(load_layer(REFERENCE, "province", "2025"), n, 7.0, None)
    assert grid.columns * grid.rows >= n > grid.columns * (grid.rows - 1)
    assert grid.height <= 7.2
    assert grid.cell[0] * grid.columns <= 8.5
    if n in (4, 12, 24):
        assert n % grid.columns == 0


@pytest.mark.parametrize(
    ("periods", "words"),
    [
        (None, "small multiples show periods of one length, not a mixture"),
        ([], "number of maps out of range"),
        ([f"{year}-{month:02d}" for year in (2024, 2025, 2026) for month in range(1, 13)], "1 to 24 periods"),
        (["2026-05", "2025-01"], "period among these values"),
        (["2026-13"], "unknown period"),
    ],
)
def test_periods_that_cannot_stand_side_by_side_are_refused(periods: list[str] | None, words: str):
    with pytest.raises(UsageError, match=words):
        small_multiples(months(), periods, reference=REFERENCE)
