"""Counts as circles whose area grows with them: a count belongs on a symbol, not in the colour of an area's surface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.errors import UsageError, unknown
from ncdsurv.maps.layers import Extent, project_points
from ncdsurv.maps.paint import HATCHING, centre_of
from ncdsurv.maps.selection import SHOWN
from ncdsurv.maps.style import FITTED, HATCH, INK, PAPER, luminance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ncdsurv.maps.picture import Picture

COUNTS = ("numerator", "denominator", "value")
COUNT = "count"  # unit of values that are counts themselves
# Inches of the largest radius: on a map of few areas, on one of thousands, and times the root of their number between.
_WIDEST, _SMALLEST, _CROWD = 0.26, 0.035, 1.5
_RIM = 3.0  # points of a rim for an inch of the largest radius
_HIDDEN = 0.09  # inches of radius: a smaller circle vanishes under a name
_STEPS = (1.0, 4.0, 20.0)  # the legend shows about these parts of the largest count


@dataclass(frozen=True)
class Symbols:
    """Circles of a map.

    Attributes:
        column: `numerator`, `denominator` or `value`.
        counts: Count of every area in the layer's order; null where the area has no value.
        most: The largest of them.
        largest: Inches of the largest circle's radius.
    """

    column: str
    counts: list[float | None]
    most: float
    largest: float

    def radius(self, count: float) -> float:
        """Inches of the radius of a count: the area of the circle is proportional to it.

        >>> symbols = Symbols("value", [100.0, 25.0], 100.0, 0.2)
        >>> symbols.radius(100.0), symbols.radius(25.0)
        (0.2, 0.1)
        """
        return float(self.largest * (count / self.most) ** 0.5)

    @property
    def shown_in_legend(self) -> list[float]:
        """Round counts for the legend, the largest first.

        >>> Symbols("value", [900.0], 900.0, 0.2).shown_in_legend
        [500.0, 200.0, 20.0]
        """
        return sorted({_round_count(self.most / step) for step in _STEPS if self.most >= step}, reverse=True)


def _round_count(count: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above a count of 1 or more."""
    power = 10.0 ** floor(log10(count))
    return next(step * power for step in (5.0, 2.0, 1.0) if step * power <= count)


def choose_symbols(areas: pl.DataFrame, column: str, unit: str) -> Symbols:
    """The circles of areas with a value.

    Args:
        areas: As `join_areas` has them.
        column: Which count.
        unit: Unit of the values.

    Raises:
        UsageError: No such count, values that are rates shown as counts, or no area with a count above 0.
    """
    if column not in COUNTS:
        raise unknown("count to draw as symbols", str(column), COUNTS)
    if column == "value" and unit != COUNT:
        raise UsageError(
            "the values are no counts",
            got=f'symbols="value" of values in {unit}',
            allowed="numerator or denominator",
            do='pass symbols="numerator"; circles are then coloured by the value',
        )
    shown = areas["status"].to_list()
    counts = [count if status == SHOWN else None for count, status in zip(areas[column], shown)]
    most = max((count for count in counts if count is not None), default=0.0)
    if most < 1:
        raise UsageError(
            "no area has a count to draw",
            got=f"no {column} of 1 or more",
            do="choose another count, period or level",
        )
    largest = min(max(_CROWD / len(counts) ** 0.5, _SMALLEST), _WIDEST)
    return Symbols(column, counts, float(most), largest)


def paint_symbols(
    axes: Axes, picture: Picture, frame: Extent, scale: float, archipelago: Any = None
) -> list[Any]:
    """Draw the circles whose areas lie in a frame, small ones over large ones; nothing on a map without symbols.

    Args:
        axes: Axes in metres.
        picture: Of the map.
        frame: What the axes show.
        scale: Inches per metre.
        archipelago: Whose inset this is: its unit's circle stands among its islands.

    Returns:
        Boxes in pixels of the circles that a name would hide.
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle

    if picture.symbols is None:
        return []
    small, boxes = picture.small, []
    rim = min(_RIM * picture.symbols.largest, 0.4)  # thousands of small circles would be nothing but rims
    for hatched in (False, True):
        chosen = [one for one in _placed(picture, frame, archipelago) if small[one[0]] is hatched]
        colours = [symbol_colour(picture, place) for place, *_ in chosen]
        circles = [Circle((x, y), radius / scale) for _, x, y, radius in chosen]
        boxes += [
            circle.get_extents().transformed(axes.transData)
            for circle, one in zip(circles, chosen)
            if one[3] < _HIDDEN
        ]
        axes.add_collection(
            PatchCollection(
                circles, facecolors=colours, edgecolors=INK, linewidths=rim, clip_on=False, zorder=4
            )
        )
        for dark in (False, True) if hatched else ():
            over = [circle for circle, colour in zip(circles, colours) if (luminance(colour) < 0.25) is dark]
            lines = PatchCollection(
                over, facecolors="none", edgecolors=PAPER if dark else HATCH, linewidths=0.0, hatch=HATCHING * 2,
                clip_on=False, zorder=4.1,
            )  # fmt: skip
            if hasattr(lines, "set_hatchcolor"):  # as in `paint_areas`
                lines.set_hatchcolor(PAPER if dark else HATCH)
            axes.add_collection(lines)
    return boxes


def symbol_colour(picture: Picture, place: int) -> str:
    """Colour of an area's circle: of its class, or one for all where the values are counts themselves."""
    return FITTED if picture.rows.identity["unit"] == COUNT else picture.colours[place]


def _placed(picture: Picture, frame: Extent, archipelago: Any) -> Iterator[tuple[int, float, float, float]]:
    """Place in the layer, middle in metres and radius in inches of the circles of a frame, the largest first."""
    import shapely

    symbols, layer = picture.symbols, picture.layer
    assert symbols is not None
    west, south, east, north = frame
    counted = [(count, place) for place, count in enumerate(symbols.counts) if count]
    for count, place in sorted(counted, key=lambda one: (-one[0], one[1])):
        shape = layer.shapes[place]
        if shapely.is_empty(shape):
            if archipelago is None or archipelago.area[layer.vintage] != layer.codes[place]:
                continue
            x, y = project_points(*zip(*((lon, lat) for _, lon, lat in archipelago.islands)))
            at = float(x.mean()), float(y.mean())
        elif archipelago is not None:
            continue
        else:
            centre = centre_of(shape)
            at = float(centre.x), float(centre.y)
            if not (west <= at[0] <= east and south <= at[1] <= north):
                continue
        yield place, *at, symbols.radius(count)
