"""The page of a map: nothing leaves it, hatching can be seen in small areas and does not drown large ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ncdsurv.maps import bivariate, draw_map
from ncdsurv.maps.layers import load_layer
from ncdsurv.maps.paint import hatching_of
from tests.unit.test_maps_draw import REFERENCE, provinces, values
from tests.unit.test_maps_two import pair


def assert_all_axes_are_on_the_page(figure: Any) -> None:
    for axes in figure.axes:
        box = axes.get_position()
        assert box.x0 >= -1e-9
        assert box.y0 >= -1e-9
        assert box.x1 <= 1 + 1e-9
        assert box.y1 <= 1 + 1e-9


def insets_of(figure: Any) -> list[Any]:
    """Axes with a frame around them."""
    return [
        axes
        for axes in figure.axes
        if any(not patch.get_fill() and patch.get_hatch() is None for patch in axes.patches)
    ]


@pytest.mark.parametrize("within", ["79", "91", "56"])
def test_a_low_map_with_a_tall_legend_keeps_room_for_its_islands(within: str):
    codes = REFERENCE.codes_within(within, "2025")
    result = bivariate(*pair("commune", codes), reference=REFERENCE)
    assert_all_axes_are_on_the_page(result.figure)
    layer = load_layer(REFERENCE, "commune", "2025", within)
    framed = insets_of(result.figure)
    assert len(framed) >= len(layer.insets) + len(layer.archipelagos) > 0
    for axes in framed:
        box = axes.get_position()
        assert min(box.width, box.height) > 0


def test_a_page_that_is_too_small_for_the_panel_is_drawn_all_the_same():
    codes = REFERENCE.codes_within("79", "2025")
    result = draw_map(values("commune", "2025", codes), reference=REFERENCE, size=(6.0, 3.5), k=7)
    assert result.figure.get_size_inches().tolist() == [6.0, 3.5]
    assert draw_map(provinces("2025"), reference=REFERENCE, size=(5.0, 4.0)).png().startswith(b"\x89PNG")


def test_hatching_lies_closer_where_the_hatched_areas_are_small_on_the_page():
    layer = load_layer(REFERENCE, "province", "2025")
    everywhere = [True] * len(layer.codes)
    strokes = [len(hatching_of(layer, everywhere, scale)) for scale in (1e-5, 2e-6, 4e-7)]
    assert strokes == sorted(strokes)
    assert strokes[0] == 4
    assert strokes[-1] > 8
    assert hatching_of(layer, [False] * len(layer.codes), 1e-9) == "////"
    sides = np.array([shape.area**0.5 for shape in layer.shapes])
    one = [side == sides.max() for side in sides]
    other = [side == sides.min() for side in sides]
    assert len(hatching_of(layer, one, 4e-7)) < len(hatching_of(layer, other, 4e-7))
