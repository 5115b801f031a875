"""Shapes on axes: classed areas, hatching, outlines, islands, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.maps.layers import Extent, Layer, project_points
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


def centre_of(shape: Any) -> Any:
    """A point well inside the largest part: its centroid where that is inside, else the pole of the polygon."""
    import shapely

    parts = shapely.get_parts(shape)
    largest = parts[np.argmax(shapely.area(parts))]
    centre = largest.centroid
    return centre if largest.contains(centre) else largest.representative_point()
