"""A picture that was broken on purpose is told from its baseline; the same picture with other letters is not."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image, ImageFilter

import ncdsurv as ns
from ncdsurv.maps import style
from tests.picture_support import BASELINES, DPI, REFERENCE, STYLE, TOLERANCE, communes, months, whole

MOST_BYTES = 40_000


def drawn(figure: Any) -> Image.Image:
    """A figure as the baselines were drawn."""
    buffer = BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, dpi=DPI, format="png")
    return Image.open(buffer).convert("RGB")


def off(picture: Image.Image, name: str) -> float:
    """Root mean square difference from a baseline, as pytest-mpl counts it."""
    stored = np.asarray(Image.open(BASELINES / f"{name}.png").convert("RGB"), dtype=float)
    assert stored.shape == (picture.height, picture.width, 3)
    return float(np.sqrt(((np.asarray(picture, dtype=float) - stored) ** 2).mean()))


@pytest.fixture(autouse=True)
def _as_compared():
    with mpl.rc_context(STYLE):
        mpl.use("agg")
        yield


def province() -> Any:
    return ns.choropleth(communes(), lang="vi", reference=REFERENCE).figure


def test_the_same_picture_passes_and_so_it_does_with_letters_smoothed_otherwise():
    picture = drawn(province())
    assert off(picture, "test_choropleth_of_a_province_vi") < TOLERANCE / 2
    softer = picture.filter(ImageFilter.GaussianBlur(0.4))
    assert off(softer, "test_choropleth_of_a_province_vi") < TOLERANCE


def test_another_ramp_is_noticed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(style, "_RAMP", style._RAMP[::-1])
    assert off(drawn(province()), "test_choropleth_of_a_province_vi") > 2 * TOLERANCE


def test_a_moved_legend_is_noticed():
    figure = province()
    for axes in figure.axes[1:]:
        x, y, width, height = axes.get_position().bounds
        axes.set_position([x, y - 0.05, width, height])
    assert off(drawn(figure), "test_choropleth_of_a_province_vi") > TOLERANCE
    axes = ns.trend(months(42), lang="vi", reference=REFERENCE).plot()
    axes.get_legend().set_bbox_to_anchor((0.3, -0.09))
    assert off(drawn(axes.figure), "test_trend_vi") > TOLERANCE


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_source_below_a_funnel_with_many_notes_lies_inside_the_figure(lang: str):
    values = communes()
    for given in (values, values.filter(values["denominator"] > 30)):
        ax = ns.funnel(given, overdispersion="none", lang=lang, reference=REFERENCE).plot()
        ax.figure.canvas.draw()
        lowest = min(text.get_window_extent().y0 for text in ax.texts)
        assert 0 < lowest < 0.2 * ax.figure.bbox.height


def test_a_word_that_leaves_the_page_is_noticed():
    figure = ns.trend(months(42), lang="vi", reference=REFERENCE).plot().figure
    assert whole(figure) is figure
    figure.text(0.98, 0.5, "Nguồn: ncdsurv")
    with pytest.raises(AssertionError, match="'Nguồn: ncdsurv' leaves the page"):
        whole(figure)


@pytest.mark.parametrize(("count", "until"), [(102, "2030"), (54, "2030"), (40, "2026")])
def test_the_years_of_a_long_forecast_do_not_touch(count: int, until: str):
    ax = ns.forecast(months(count), until, lang="vi", reference=REFERENCE).plot()
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    shown = [
        tick.label1.get_window_extent()
        for tick in ax.xaxis.get_major_ticks()
        if low <= tick.get_loc() <= high
    ]
    assert len(shown) >= 4
    assert all(left.x1 + 3 < right.x0 for left, right in pairwise(shown))


def test_baselines_are_small():
    for path in BASELINES.glob("*.png"):
        assert path.stat().st_size < MOST_BYTES, path.name
