"""Words over a map: names of areas and marks on some of them, none over another."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.maps.layers import Layer
from ncdsurv.maps.lines import wrap
from ncdsurv.maps.paint import centre_of
from ncdsurv.maps.style import INK, PAPER, SOFT_INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Where a name may stand, in widths and heights of its box from the middle of its area; the first free place is taken.
_ON_TOP = ((0, 0), (0, 0.9), (0, -0.9), (0.35, 0), (-0.35, 0), (0, 1.7), (0, -1.7))
_BESIDE = (
    (0.8, 0),
    (-0.8, 0),
    (0.75, 1.3),
    (0.75, -1.3),
    (-0.75, 1.3),
    (-0.75, -1.3),
    (0.8, 2.6),
    (0.8, -2.6),
)
NAME_WIDTH = 1.25  # inches; longer names take a second line
_TINY = 0.5  # an area smaller than this part of its name's box would vanish behind it
_MARK_SIZE, _MARK_RIM = 7.5, 2.6  # points: a mark, the paper around it


def write_marks(axes: Axes, layer: Layer, marks: Mapping[str, str]) -> list[Any]:
    """Write short marks, each in a disc in the middle of an area; an area without a shape takes none.

    Args:
        axes: Axes in metres.
        layer: Areas.
        marks: What to write, by area code.

    Returns:
        The boxes of the discs in pixels, for `write_names` to go around.
    """
    import shapely

    figure = axes.figure
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = []
    for code, words in marks.items():
        shape = layer.shapes[layer.codes.index(code)]
        if shapely.is_empty(shape):
            continue
        at = shape.representative_point()
        text = axes.text(
            at.x, at.y, words, fontsize=_MARK_SIZE, weight="bold", color=INK, ha="center", va="center_baseline",
            zorder=7, bbox={"boxstyle": f"circle,pad={_MARK_RIM / _MARK_SIZE}", "fc": PAPER, "ec": INK, "lw": 0.7},
        )  # fmt: skip
        boxes.append(text.get_window_extent(renderer).padded(_MARK_RIM * figure.dpi / 72))
    return boxes


def write_names(
    axes: Axes,
    layer: Layer,
    lang: str,
    shown: list[bool],
    size: float,
    others: bool = True,
    taken: Sequence[Any] = (),
) -> list[str]:
    """Write area names where they do not overlap: areas with data first, large before small.

    Args:
        axes: Axes in metres.
        layer: Areas and names.
        lang: `vi` or `en`.
        shown: Which areas have a value.
        size: Points.
        others: Name areas without a value too.
        taken: Boxes in pixels that no name covers, those of `write_marks` for instance.

    Returns:
        Names with data that found no place.
    """
    import shapely
    from matplotlib.patheffects import withStroke

    figure = axes.figure
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    halo = [withStroke(linewidth=1.6, foreground=PAPER, alpha=0.9)]
    areas = shapely.area(layer.shapes)
    named = [place for place in range(len(layer.codes)) if shown[place] or others]
    order = sorted(named, key=lambda place: (not shown[place], -areas[place]))
    frame = axes.get_window_extent(renderer)
    taken = list(taken)
    missed = []
    for place in order:
        shape = layer.shapes[place]
        if shapely.is_empty(shape):
            continue
        centre = centre_of(shape)
        colour, weight = (INK, "bold") if shown[place] else (SOFT_INK, "normal")
        text = axes.text(
            centre.x, centre.y, _lines(layer.short_name(place, lang), size), fontsize=size, ha="center", va="center",
            color=colour, weight=weight, path_effects=halo, zorder=6,
        )  # fmt: skip
        box = text.get_window_extent(renderer)
        hidden = areas[place] * _pixels_per_metre(axes) ** 2 < _TINY * box.width * box.height
        shifts = _BESIDE if hidden else _ON_TOP
        moved = [_inside(frame, box.translated(dx * box.width, dy * box.height)) for dx, dy in shifts]
        free = [one for one in moved if not any(one.overlaps(other) for other in taken)]
        if not free:
            text.remove()
            if shown[place]:
                missed.append(layer.short_name(place, lang))
            continue
        taken.append(free[0].padded(0.5))
        x, y = _to_metres(axes, (free[0].x0 + free[0].x1) / 2, (free[0].y0 + free[0].y1) / 2)
        text.set_position((x, y))
        if hidden:
            _draw_leader(axes, centre, free[0])
            taken.append(box.shrunk(0.2, 1.0))
    return missed


def _lines(name: str, size: float) -> str:
    """A long name on lines of about equal length."""
    lines = wrap(name, NAME_WIDTH, size)
    if len(lines) < 2:
        return name
    return "\n".join(textwrap.wrap(name, len(name) // len(lines) + 3, break_long_words=False))


def _inside(frame: Any, box: Any) -> Any:
    """The box, moved sideways so that it does not run over legend and insets."""
    return box.translated(min(frame.x1 - box.x1, 0.0) + max(frame.x0 - box.x0, 0.0), 0.0)


def _draw_leader(axes: Axes, centre: Any, box: Any) -> None:
    """A line from a small area to the near edge of its name."""
    at = axes.transData.transform((centre.x, centre.y))
    near = np.clip(at, (box.x0, box.y0 + 0.25 * box.height), (box.x1, box.y1 - 0.25 * box.height))
    x, y = _to_metres(axes, *near)
    axes.plot([centre.x, x], [centre.y, y], color=INK, lw=0.5, zorder=5)


def _to_metres(axes: Axes, x: float, y: float) -> tuple[float, float]:
    found = axes.transData.inverted().transform((x, y))
    return float(found[0]), float(found[1])


def _pixels_per_metre(axes: Axes) -> float:
    west, east = axes.get_xlim()
    return float(axes.get_window_extent().width / (east - west))
