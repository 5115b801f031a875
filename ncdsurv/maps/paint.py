"""Shapes on axes: classed areas, hatching, outlines, islands, names."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.maps.layers import Extent, Layer, project_points
from ncdsurv.maps.lines import wrap
from ncdsurv.maps.style import HATCH, INK, LAND, PAPER, RULE, SOFT_INK, luminance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

OUTLINE = "#5F5F5F"
HATCHING = "////"
_LINES_AN_INCH, _LINES_ENOUGH, _DENSEST = (
    4.2,
    3.0,
    12,
)  # of one stroke in a hatching; across an area; strokes at most
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


def as_path(shape: Any) -> Path:
    """A polygon or several, holes included, as one matplotlib path."""
    import shapely
    from matplotlib.path import Path

    rings = shapely.get_rings(shapely.get_parts(shape))
    points, sizes = [], []
    for ring in rings:
        at = shapely.get_coordinates(ring)
        points.append(at)
        sizes.append(len(at))
    if not points:
        return Path(np.empty((0, 2)))
    codes = np.full(sum(sizes), Path.LINETO, dtype=np.uint8)
    starts = np.cumsum([0, *sizes[:-1]])
    codes[starts] = Path.MOVETO
    codes[np.cumsum(sizes) - 1] = Path.CLOSEPOLY
    return Path(np.vstack(points), codes)


def hatching_of(layer: Layer, small: list[bool], scale: float) -> str:
    """Hatching whose lines cross the middling one of the hatched areas a few times."""
    import shapely

    sides = np.sqrt(shapely.area(layer.shapes[np.asarray(small, dtype=bool)])) * scale
    sides = sides[sides > 0]
    if not len(sides):
        return HATCHING
    strokes = _LINES_ENOUGH / (_LINES_AN_INCH * float(np.median(sides)))
    return "/" * int(np.clip(round(strokes), len(HATCHING), _DENSEST))


def layer_paths(layer: Layer) -> list[Path]:
    """Paths of a layer's areas, made once: several thousand of them take longer than the rest of a map."""
    if not layer.paths:
        layer.paths.extend(as_path(shape) for shape in layer.shapes)
    return layer.paths


def paint_areas(
    axes: Axes, layer: Layer, colours: list[str], small: list[bool], width: float, scale: float
) -> None:
    """Fill every area with its colour; hatch those with small numbers in ink or paper, whichever shows.

    `scale` is in inches per metre: hatching lies closer where the hatched areas are small on the page.
    """
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    paths = layer_paths(layer)
    axes.add_collection(
        PathCollection(paths, facecolors=colours, edgecolors=OUTLINE, linewidths=width, zorder=2)
    )
    hatching = hatching_of(layer, small, scale)
    for ink, dark in ((HATCH, False), (PAPER, True)):
        chosen = [
            path
            for path, colour, hatched in zip(paths, colours, small)
            if hatched and (luminance(colour) < 0.25) is dark
        ]
        if chosen:
            # One path for all: a renderer lays a pattern out anew for every path, which took two thirds of a map.
            lines = PathCollection(
                [Path.make_compound_path(*chosen)],
                facecolors="none",
                edgecolors=ink,
                linewidths=0.0,
                hatch=hatching,
                zorder=3,
            )
            if hasattr(lines, "set_hatchcolor"):  # since matplotlib 3.11 the edge no longer colours the hatch
                lines.set_hatchcolor(ink)
            axes.add_collection(lines)


def paint_neighbours(axes: Axes, shapes: np.ndarray, frame: Extent) -> None:
    """Neighbouring provinces in a quiet tone, so that the reader knows what lies around."""
    import shapely
    from matplotlib.collections import PathCollection

    around = shapes[shapely.intersects(shapes, shapely.box(*frame))]
    paths = [as_path(shape) for shape in around]
    axes.add_collection(PathCollection(paths, facecolors=LAND, edgecolors=RULE, linewidths=0.5, zorder=1))


def paint_outlines(axes: Axes, shapes: np.ndarray, width: float = 0.4) -> None:
    """Outlines of larger areas over many small ones."""
    from matplotlib.collections import PathCollection

    paths = [as_path(shape) for shape in shapes]
    axes.add_collection(PathCollection(paths, facecolors="none", edgecolors=INK, linewidths=width, zorder=4))


def paint_islands(
    axes: Axes, islands: tuple[tuple[str, float, float], ...], colour: str, size: float = 9.0
) -> None:
    """Named islands as dots: where they lie, not their size."""
    x, y = project_points([lon for _, lon, _ in islands], [lat for _, _, lat in islands])
    axes.scatter(x, y, s=size, color=colour, edgecolors=INK, linewidths=0.15 * size**0.5, zorder=4)


def frame_box(axes: Axes, width: float = 0.8) -> None:
    """A thin frame around inset axes."""
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, ec=SOFT_INK, lw=width, clip_on=False)
    )


def write_names(
    axes: Axes, layer: Layer, lang: str, shown: list[bool], size: float, others: bool = True
) -> list[str]:
    """Write area names where they do not overlap: areas with data first, large before small.

    Args:
        axes: Axes in metres.
        layer: Areas and names.
        lang: `vi` or `en`.
        shown: Which areas have a value.
        size: Points.
        others: Name areas without a value too.

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
    taken: list[Any] = []
    missed = []
    for place in order:
        shape = layer.shapes[place]
        if shapely.is_empty(shape):
            continue
        parts = shapely.get_parts(shape)
        centre = _centre(parts[np.argmax(shapely.area(parts))])
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


def _centre(polygon: Any) -> Any:
    """A point well inside: the centroid where it is inside, else the pole of the polygon."""
    centre = polygon.centroid
    if polygon.contains(centre):
        return centre
    return polygon.representative_point()
