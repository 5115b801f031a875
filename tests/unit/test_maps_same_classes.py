"""Classes that stay the same from month to month, areas without a class, and a PDF whose Vietnamese is right."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ncdsurv.catalog.vocabulary import HELD_BACK, Flag
from ncdsurv.errors import UsageError
from ncdsurv.maps import draw_map
from ncdsurv.maps.classify import classify, fixed_classes
from ncdsurv.maps.picture import GREYS
from ncdsurv.maps.style import luminance, sequential
from tests.unit.test_maps_draw import REFERENCE, provinces, texts

MONTHS = ["2026-04", "2026-05", "2026-06"]


def months() -> pl.DataFrame:
    """Values that rise by five points a month; a quarter stands beside, on another scale."""
    frame = provinces("2025")
    rising = [
        frame.with_columns(period=pl.lit(month), value=pl.col("value") + 5.0 * at)
        for at, month in enumerate(MONTHS)
    ]
    return pl.concat([*rising, frame.with_columns(period=pl.lit("2026-Q2"), value=pl.col("value") / 10)])


@pytest.mark.parametrize("scheme", ["quantile", "natural"])
def test_classes_across_periods_are_the_same_in_every_month_and_leave_quarters_out(scheme: str):
    maps = [
        draw_map(months(), period=month, reference=REFERENCE, classes=scheme, across=True) for month in MONTHS
    ]
    assert len({one.classes for one in maps}) == 1
    alone = [draw_map(months(), period=month, reference=REFERENCE, classes=scheme) for month in MONTHS]
    assert len({one.breaks for one in alone}) == 3
    pooled = months().filter(pl.col("period").is_in(MONTHS))["value"].to_numpy()
    assert maps[0].breaks == classify(pooled, scheme, 5).breaks
    assert "giống nhau giữa các kỳ" in texts(maps[0].figure)
    assert "giống nhau giữa các kỳ" not in texts(alone[0].figure)


def test_classes_by_target_are_the_same_in_every_month():
    frame = months().with_columns(indicator=pl.lit("management_rate"))
    maps = [draw_map(frame, period=month, reference=REFERENCE, classes="target") for month in MONTHS]
    assert len({one.breaks for one in maps}) == 1
    shared = [
        draw_map(frame, period=month, reference=REFERENCE, classes="target", across=True) for month in MONTHS
    ]
    assert len({one.classes for one in shared}) == 1
    assert shared[0].breaks == maps[0].breaks


def test_limits_of_one_map_can_be_given_to_another():
    first = draw_map(months(), period=MONTHS[0], reference=REFERENCE, lang="en")
    other = draw_map(months(), period=MONTHS[2], reference=REFERENCE, lang="en", breaks=first.breaks)
    assert other.breaks == first.breaks
    expected = np.searchsorted(np.array(first.breaks), other.data["value"].to_numpy(), side="right")
    assert other.data["class"].to_list() == expected.tolist()
    drawn = texts(other.figure)
    assert f"<{first.breaks[0]:.{other.classes.decimals}f} " in drawn
    assert f"≥{first.breaks[-1]:.{other.classes.decimals}f} " in drawn
    assert "limits given beforehand" in drawn


def test_a_limit_belongs_to_the_class_above_it_and_open_ends_hold_everything():
    classes = fixed_classes([25.5, 50])
    assert classes.place(np.array([-1e9, 25.4, 25.5, 50.0, 1e9, np.nan])).tolist() == [0, 0, 1, 2, 2, -1]
    assert [classes.label(at, "vi") for at in range(3)] == ["<25,5", "25,5 – <50,0", "≥50,0"]


@pytest.mark.parametrize("limits", [[], [2.0, 1.0], [1.0, 1.0], [1.0, float("nan")], list(range(7)), "a"])
def test_limits_that_cannot_be_used_are_refused(limits: object):
    with pytest.raises(UsageError, match="limits between classes cannot be used") as caught:
        fixed_classes(limits)  # type: ignore[arg-type]
    assert "1 to 6 numbers, each above the one before" in str(caught.value)


@pytest.mark.parametrize("flag", HELD_BACK)
def test_suppressed_areas_stand_apart_from_no_data_and_not_defined(flag: str):
    frame = provinces("2025").with_row_index("at")
    at = pl.col("at")
    frame = (
        frame.filter(at != 2)
        .with_columns(
            value=pl.when(at < 2).then(None).otherwise("value"),
            flag=pl.when(at == 0)
            .then(pl.lit(flag))
            .when(at == 1)
            .then(pl.lit("no_denominator"))
            .otherwise("flag"),
        )
        .drop("at")
    )
    result = draw_map(frame, period="2026-06", reference=REFERENCE, lang="en")
    assert result.data["status"].to_list()[:4] == ["suppressed", "not_defined", "not_reported", "shown"]
    drawn = texts(result.figure)
    for words in ("Suppressed: too small (1)", "Not defined: no denominator (1)", "No data (1)"):
        assert words in drawn
    assert "1 areas suppressed" in result.explain("en")
    assert "ẩn vì số quá nhỏ" in result.explain("vi")
    assert len(set(GREYS.values())) == 3
    tones = sorted(luminance(colour) for colour in GREYS.values())
    assert all(light - dark > 0.12 for dark, light in pairwise(tones))
    assert not set(GREYS.values()) & set(sequential(7))


def test_a_number_flagged_as_suppressed_is_never_shown_even_if_the_row_carries_it():
    frame = provinces("2025")
    first = frame["area_code"][0]
    flagged = frame.with_columns(
        flag=pl.when(pl.col("area_code") == first).then(pl.lit(Flag.SUPPRESSED.value)).otherwise("flag")
    )
    row = draw_map(flagged, reference=REFERENCE, across=True).data.row(0, named=True)
    assert row["status"] == "suppressed"
    assert [row[name] for name in ("value", "lower", "upper", "numerator", "denominator", "class")] == [
        None
    ] * 6


def test_vietnamese_text_can_be_read_out_of_the_pdf_and_its_fonts_are_inside(tmp_path: Path):
    pypdf = pytest.importorskip("pypdf")
    result = draw_map(provinces("2025"), period="2026-06", reference=REFERENCE, lang="vi")
    page = pypdf.PdfReader(result.save(tmp_path / "map.pdf")).pages[0]
    text = unicodedata.normalize("NFC", page.extract_text())
    for words in (
        "Tỷ lệ đạt mục tiêu điều trị – Tăng huyết áp",
        "Quần đảo Hoàng Sa (Đà Nẵng)",
        "Ranh giới là sơ đồ",
    ):
        assert words in text
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        assert "/FontFile2" in inner["/FontDescriptor"]
