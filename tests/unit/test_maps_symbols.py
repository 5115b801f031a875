"""Counts as circles: area in proportion, each area once, round counts in the legend, nothing of what is suppressed."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_hex
from matplotlib.patches import Circle

import ncdsurv as ns
from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import Flag
from ncdsurv.errors import UsageError
from ncdsurv.maps.style import FITTED, LAND
from tests.picture_support import REFERENCE, areas, communes, provinces


def city() -> pl.DataFrame:
    return areas("commune", REFERENCE.codes_within("79", "2025", "commune"))


def counts() -> pl.DataFrame:
    """Counts of people by province, one of them 0."""
    indicator = next(one.id for one in load_catalog().indicators.values() if one.unit == "count")
    return provinces().with_columns(
        indicator=pl.lit(indicator), unit=pl.lit("count"), value=pl.col("numerator"), flag=pl.lit("ok")
    )


def inches_of(axes: Any) -> float:
    """Inches per unit of some axes."""
    west, east = axes.get_xlim()
    return float(axes.get_position().width * axes.figure.get_size_inches()[0] / (east - west))


def radii(figure: Any) -> list[float]:
    """Radius in inches of every circle on the map and its insets."""
    found = []
    for axes in figure.axes:
        for drawn in axes.collections:
            if isinstance(drawn, PatchCollection) and not drawn.get_hatch():
                found += [path.get_extents().width / 2 * inches_of(axes) for path in drawn.get_paths()]
    return sorted(found)


def legend(figure: Any) -> tuple[list[float], list[str]]:
    """Radii of the legend's circles from the top, and all words on figure and axes."""
    circles = [patch for axes in figure.axes for patch in axes.patches if isinstance(patch, Circle)]
    circles.sort(key=lambda circle: -circle.center[1])
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    return [float(circle.radius) for circle in circles], words + [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("column", ["numerator", "denominator"])
@pytest.mark.parametrize("values", [provinces, communes, city], ids=["nation", "archipelago", "far_islands"])
def test_every_count_has_one_circle_whose_area_is_in_proportion(values: Any, column: str):
    drawn = ns.choropleth(values(), reference=REFERENCE, symbols=column, labels=False)
    shown = (
        drawn.data.filter((pl.col("status") == "shown") & (pl.col(column) > 0))
        .sort(column)[column]
        .to_numpy()
    )
    found = np.array(radii(drawn.figure))
    assert len(found) == len(shown) > 25
    np.testing.assert_allclose(found**2 / found[-1] ** 2, shown / shown[-1], rtol=1e-6)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_legend_has_round_counts_at_the_size_they_have_on_the_map(lang: str):
    drawn = ns.choropleth(communes(), reference=REFERENCE, symbols="denominator", lang=lang, labels=False)
    sizes, words = legend(drawn.figure)
    round_ones = [500, 200, 20]
    assert [word for word in words if re.fullmatch("[125]0*", word)] == [str(one) for one in round_ones]
    most = drawn.data["denominator"].max()
    np.testing.assert_allclose(
        np.array(sizes) ** 2 / radii(drawn.figure)[-1] ** 2, np.array(round_ones) / most
    )
    said = " ".join(words)
    assert {"vi": "Diện tích vòng tròn: mẫu số (người)", "en": "Area of a circle: denominator (people)"}[
        lang
    ] in said
    assert {"vi": "% (trong ngoặc", "en": "% (in brackets"}[lang] in said
    name = drawn.data.filter(pl.col("denominator") == most)["name"][0]
    assert {"vi": f"lớn nhất: {name}", "en": f"the largest: {name}"}[lang] in drawn.explain()


def test_circles_take_the_class_and_surfaces_stay_pale_or_grey():
    plain = ns.choropleth(provinces(), reference=REFERENCE, labels=False)
    drawn = ns.choropleth(provinces(), reference=REFERENCE, symbols="numerator", labels=False)
    assert drawn.data.equals(plain.data)
    assert drawn.picture is not None
    assert plain.picture is not None
    status = drawn.data["status"].to_list()
    assert {fill for fill, one in zip(drawn.picture.fills, status) if one == "shown"} == {LAND}
    greys = [fill for fill, one in zip(drawn.picture.fills, status) if one != "shown"]
    assert greys == [fill for fill, one in zip(plain.picture.fills, status) if one != "shown"]
    assert len(greys) == 2
    used = {to_hex(one).upper() for axes in drawn.figure.axes for c in axes.collections
            if isinstance(c, PatchCollection) for one in c.get_facecolors()}  # fmt: skip
    assert used == {colour for colour, one in zip(plain.picture.colours, status) if one == "shown"}


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_counts_themselves_have_one_colour_and_zero_has_no_circle(lang: str):
    drawn = ns.choropleth(counts(), reference=REFERENCE, symbols="value", lang=lang, labels=False)
    assert len(radii(drawn.figure)) == int((drawn.data["value"] > 0).sum())
    colours = {to_hex(one).upper() for axes in drawn.figure.axes for c in axes.collections
               if isinstance(c, PatchCollection) for one in c.get_facecolors()}  # fmt: skip
    assert colours == {FITTED}
    said = " ".join(legend(drawn.figure)[1])
    assert {"vi": "Không có vòng tròn: bằng 0 (1)", "en": "No circle: 0 (1)"}[lang] in said
    assert {"vi": "không phân lớp màu", "en": "no classes of colour"}[lang] in said


def test_a_suppressed_area_has_no_circle_and_its_count_is_nowhere():
    code = provinces()["area_code"][9]
    frame = provinces().with_columns(
        flag=pl.when(pl.col("area_code") == code).then(pl.lit(Flag.SUPPRESSED.value)).otherwise("flag"),
        denominator=pl.when(pl.col("area_code") == code).then(98_765.0).otherwise("denominator"),
    )
    drawn = ns.choropleth(frame, reference=REFERENCE, symbols="denominator", lang="en", labels=False)
    assert len(radii(drawn.figure)) == int((drawn.data["status"] == "shown").sum()) == 31
    assert "98,765" not in drawn.explain() + " ".join(legend(drawn.figure)[1])


def test_names_leave_small_circles_free():
    drawn = ns.choropleth(communes(), reference=REFERENCE, symbols="denominator")
    drawn.figure.canvas.draw()
    axes = drawn.figure.axes[0]
    small = [path.get_extents().transformed(axes.transData) for c in axes.collections
             if isinstance(c, PatchCollection) and not c.get_hatch() for path in c.get_paths()
             if path.get_extents().width / 2 * inches_of(axes) < 0.09]  # fmt: skip
    assert len(small) >= 5
    names = [text.get_window_extent() for text in axes.texts]
    assert len(names) > 30
    assert not [1 for circle in small for name in names if circle.overlaps(name)]


@pytest.mark.parametrize(
    ("values", "symbols", "sentence"),
    [
        (provinces, "people", "unknown count to draw as symbols"),
        (provinces, "value", "the values are no counts"),
        (lambda: provinces().with_columns(numerator=pl.lit(0.0)), "numerator", "no area has a count to draw"),
    ],
)
def test_what_is_no_count_is_refused(values: Any, symbols: str, sentence: str):
    with pytest.raises(UsageError, match=sentence):
        ns.choropleth(values(), reference=REFERENCE, symbols=symbols)
