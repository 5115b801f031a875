"""Maps of clusters: colours and legend follow which side the indicator calls good; marks and names keep apart."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_hex

import ncdsurv as ns
from ncdsurv.areas.draw import COLOURS
from ncdsurv.catalog import load_catalog
from ncdsurv.maps.style import FAVOURABLE, HIGHER, LOWER, UNFAVOURABLE
from tests.picture_support import communes
from tests.unit.test_areas import CODES, REFERENCE, values
from tests.unit.test_maps_two import SEEN, lab

GOOD, BAD = {"vi": "thuận lợi", "en": "favourable"}, {"vi": "bất lợi", "en": "unfavourable"}
EXPECTED = {
    "high_good": (FAVOURABLE, UNFAVOURABLE, GOOD, BAD),
    "low_good": (UNFAVOURABLE, FAVOURABLE, BAD, GOOD),
    "no_judgement": (HIGHER, LOWER, None, None),
}


def indicator_of(polarity: str) -> str:
    """Some indicator of the catalog whose polarity this is."""
    return next(one.id for one in load_catalog().indicators.values() if one.polarity == polarity)


def two_sided(**columns: Any) -> pl.DataFrame:
    """A hot corner and a cold one of a city."""
    chain = REFERENCE.areas("commune", "2025").filter(pl.col("code").is_in(CODES)).sort("lat")
    hot, cold = chain["code"][:12].to_list(), chain["code"][-25:].to_list()
    code, people = pl.col("area_code"), pl.col("denominator")
    return values(**columns).with_columns(
        numerator=pl.when(code.is_in(hot)).then((people * 0.8).round())
        .when(code.is_in(cold)).then((people * 0.2).round())
        .otherwise("numerator")
    )  # fmt: skip


def swatches(figure: Any) -> dict[str, str]:
    """Colour of every legend entry by its words."""
    found: dict[str, str] = {}
    for axes in figure.axes[1:]:
        texts = [text for text in axes.texts if abs(text.get_position()[0] - 0.4) < 1e-9]
        for patch in axes.patches:
            if not hasattr(patch, "get_y") or not patch.get_fill():
                continue
            top, foot = patch.get_y() + patch.get_height(), patch.get_y()
            below = [p.get_y() for p in axes.patches if hasattr(p, "get_y") and p.get_y() < foot]
            until = max(below, default=-9.0) + patch.get_height() + 0.02
            words = [t.get_text() for t in texts if until <= t.get_position()[1] <= top]
            found[" ".join(words)] = to_hex(patch.get_facecolor()).upper()
    return found


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("polarity", EXPECTED)
@pytest.mark.parametrize("method", ["local_moran", "gi_star", "scan"])
def test_the_good_side_is_blue_whichever_it_is_and_the_legend_says_so(method: str, polarity: str, lang: str):
    frame = two_sided(indicator=indicator_of(polarity))
    result = ns.clusters(frame, method=method, permutations=199, reference=REFERENCE)
    drawn = result.plot(lang, labels=False)
    legend = swatches(drawn.figure)
    above, below, if_above, if_below = EXPECTED[polarity]
    words = {"vi": ("cao", "thấp", "vùng cao", "vùng thấp"), "en": ("high", "low", "(high)", "(low)")}[lang]
    sides = {
        "scan": {f"1. {words[0]}": above, f"1. {words[1]}": below},
        "gi_star": {words[2]: above, words[3]: below},
        "local_moran": {
            {"vi": "Cao, lân cận cao", "en": "High, neighbours high"}[lang]: above,
            {"vi": "Thấp, lân cận thấp", "en": "Low, neighbours low"}[lang]: below,
        },
    }[method]
    seen = 0
    for text, colour in legend.items():
        for start, shades in sides.items():
            if start not in text:
                continue
            seen += 1
            assert colour == shades[0], (text, colour)
            judged = if_above if shades is above else if_below
            if judged is None:
                assert not any(f": {word[lang]}" in text for word in (GOOD, BAD)), text
            else:
                assert f": {judged[lang]}" in text, text
    assert seen == (1 if method == "scan" else 2), legend
    told = " ".join(text.get_text() for axes in drawn.figure.axes for text in axes.texts)
    sentence = result._scene.sides.explain(lang)
    assert sentence in told
    assert sentence in result.explain(lang)


def test_values_without_an_indicator_are_not_judged():
    result = ns.clusters(two_sided(), permutations=199, reference=REFERENCE)
    assert HIGHER[0] in swatches(result.plot("en", labels=False).figure).values()
    assert "do not say which indicator" in result.explain("en")


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_no_name_stands_under_the_number_of_a_cluster(lang: str):
    found = ns.clusters(communes(), method="scan", permutations=99, lang=lang, reference=REFERENCE)
    figure = found.plot().figure
    figure.canvas.draw()
    axes = figure.axes[0]
    marks = [text for text in axes.texts if text.get_bbox_patch() is not None]
    names = [text for text in axes.texts if text.get_bbox_patch() is None]
    assert [text.get_text() for text in marks] == [str(at) for at in range(1, len(found.found) + 1)]
    assert len(names) > 40
    for mark in marks:
        disc = mark.get_bbox_patch().get_window_extent()
        for name in names:
            assert not disc.overlaps(name.get_window_extent()), (mark.get_text(), name.get_text())


@pytest.mark.parametrize("sight", SEEN)
@pytest.mark.parametrize("pair", [(FAVOURABLE, UNFAVOURABLE), (HIGHER, LOWER)])
def test_shades_and_greys_stay_apart_with_any_colour_vision(pair: Any, sight: str):
    colours = {*pair[0], *pair[1], *COLOURS.values()}
    seen = [lab(colour, SEEN[sight]) for colour in colours]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 13.5
    for shades in pair:
        assert np.all(np.diff([lab(colour, SEEN[sight])[0] for colour in shades]) > 10)
