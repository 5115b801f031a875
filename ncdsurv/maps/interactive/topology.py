"""Shapes as arcs: a border that two areas share is written once, on a whole-number grid.

The cut at junctions follows the idea of TopoJSON (Bostock): a point is a junction where the rings that pass through it
do not all have the same two neighbours there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ncdsurv.maps.interactive.packing import fold, pack
from ncdsurv.maps.layers import Extent

MOST_POINTS = 180_000  # points of all rings; a browser still redraws these in some tens of milliseconds
_TOLERANCES = (0.0, 100.0, 200.0, 300.0, 500.0, 800.0, 1300.0, 2000.0, 3500.0)  # metres
_CELLS = 30_000  # grid cells along the longer side of the frame
_FINEST = 5.0  # metres; boundaries are not known better


@dataclass(frozen=True)
class Grid:
    """Whole-number coordinates: cells of `step` metres from the west and, downwards, from the north."""

    west: float
    north: float
    step: float

    @classmethod
    def over(cls, extent: Extent) -> Grid:
        """The grid of a frame."""
        west, south, east, north = extent
        return cls(west, north, max(max(east - west, north - south) / _CELLS, _FINEST))

    def place(self, points: np.ndarray) -> np.ndarray:
        """Metres to cells."""
        x, y = (points[:, 0] - self.west) / self.step, (self.north - points[:, 1]) / self.step
        return np.rint(np.column_stack([x, y])).astype(np.int64)

    def box(self, extent: Extent) -> list[int]:
        """A frame in cells: left, top, right, bottom."""
        west, south, east, north = extent
        return [int(side) for side in self.place(np.array([[west, north], [east, south]])).ravel()]


@dataclass(frozen=True)
class Topology:
    """Arcs, and the rings of every area as arc numbers; `~a` is arc `a` walked backwards."""

    arcs: list[np.ndarray]
    rings: list[list[list[int]]]

    def packed(self) -> dict[str, str]:
        """As the page reads it: `arcs` (count of points, then steps), `rings` (count of rings; arcs of each)."""
        starts = np.array([arc[0] for arc in self.arcs], dtype=np.int64).reshape(-1, 2)
        leaps = np.diff(starts, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
        numbers: list[Any] = []
        for arc, leap in zip(self.arcs, leaps):
            numbers += [[len(arc)], fold(leap), fold(np.diff(arc, axis=0)).ravel()]
        walks = [
            number
            for area in self.rings
            for part in ([len(area)], *([len(ring), *fold(np.array(ring)).tolist()] for ring in area))
            for number in part
        ]
        return {"arcs": pack(np.concatenate(numbers)) if numbers else "", "rings": pack(np.array(walks))}

    def borders(self, groups: list[Any]) -> str:
        """For every arc `1` where areas of two groups meet, or one area and nothing; else `0`."""
        seen: list[set[Any]] = [set() for _ in self.arcs]
        times = np.zeros(len(self.arcs), dtype=int)
        for group, area in zip(groups, self.rings):
            for ring in area:
                for number in ring:
                    place = number if number >= 0 else ~number
                    seen[place].add(group)
                    times[place] += 1
        return "".join("1" if len(found) > 1 or count < 2 else "0" for found, count in zip(seen, times))


def thin(shapes: np.ndarray, most: int = MOST_POINTS) -> np.ndarray:
    """Shapes with no more than about `most` points; shared borders are simplified once, so neighbours still touch."""
    import shapely

    found = np.asarray(shapes, dtype=object)
    for tolerance in _TOLERANCES:
        found = shapely.coverage_simplify(list(shapes), tolerance) if tolerance else found
        if shapely.get_num_coordinates(found).sum() <= most:
            break
    return np.asarray(found, dtype=object)


def make_topology(shapes: np.ndarray, grid: Grid) -> Topology:
    """Arcs and rings of areas.

    Args:
        shapes: Polygons (several, or empty) in metres, in the order of the areas.
        grid: Where points are rounded to.

    Returns:
        Outer rings run one way and holes the other, so that a non-zero fill leaves holes open.
    """
    import shapely

    shapes = np.asarray(shapely.orient_polygons(shapes), dtype=object)
    parts, area_of_part = shapely.get_parts(shapes, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    found: list[list[list[int]]] = [[] for _ in shapes]
    if not len(rings):
        return Topology([], found)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    cells, ring, sizes = _tidy(grid.place(points), ring, len(rings))
    known, point = np.unique(cells, axis=0, return_inverse=True)
    point = point.ravel()
    junction = _junctions(point, ring, sizes, len(known))
    arcs: list[np.ndarray] = []
    numbers: dict[bytes, int] = {}
    ends = np.cumsum(sizes)
    for place, (end, size) in enumerate(zip(ends.tolist(), sizes.tolist())):
        if size < 3:
            continue  # smaller than a cell of the grid
        walk = []
        for piece in _pieces(point[end - size : end], junction):
            forward = _is_forward(piece)
            way = piece if forward else piece[::-1]
            number = numbers.setdefault(way.tobytes(), len(arcs))
            if number == len(arcs):
                arcs.append(known[way])
            walk.append(number if forward else ~number)
        found[int(area_of_part[part_of_ring[place]])].append(walk)
    return Topology(arcs, found)


def _tidy(cells: np.ndarray, ring: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rings without the point that closes them and without points that fell on the one before."""
    following = np.append(ring[1:], -1)
    last = ring != following
    same = np.append((cells[1:] == cells[:-1]).all(axis=1), False) & ~last
    keep = ~(last | same)
    cells, ring = cells[keep], ring[keep]
    # The closing point is gone; what now stands last may have fallen on the first.
    sizes = np.bincount(ring, minlength=count)
    ends = np.cumsum(sizes)
    full = sizes > 1
    again = (cells[ends[full] - 1] == cells[(ends - sizes)[full]]).all(axis=1)
    gone = ends[full][again] - 1
    cells, ring = np.delete(cells, gone, axis=0), np.delete(ring, gone)
    return cells, ring, np.bincount(ring, minlength=count)


def _junctions(point: np.ndarray, ring: np.ndarray, sizes: np.ndarray, known: int) -> np.ndarray:
    """Which points have more than one pair of neighbours."""
    ends = np.cumsum(sizes)
    starts = ends - sizes
    at = np.arange(len(point))
    before = point[np.where(at == starts[ring], ends[ring] - 1, at - 1)]
    after = point[np.where(at == ends[ring] - 1, starts[ring], at + 1)]
    pair = np.minimum(before, after) * known + np.maximum(before, after)
    order = np.lexsort((pair, point))
    here, there = order[:-1], order[1:]
    mixed = (point[here] == point[there]) & (pair[here] != pair[there])
    found = np.zeros(known, dtype=bool)
    found[point[here][mixed]] = True
    return found


def _pieces(ring: np.ndarray, junction: np.ndarray) -> list[np.ndarray]:
    """A ring cut at its junctions; each piece holds both its ends. One without a junction starts at its least point."""
    cuts = np.flatnonzero(junction[ring])
    start = int(cuts[0]) if len(cuts) else int(np.argmin(ring))
    turned = np.concatenate([ring[start:], ring[:start], ring[start : start + 1]])
    at = [*(cuts - start).tolist(), len(ring)] if len(cuts) else [0, len(ring)]
    return [turned[low : high + 1] for low, high in pairwise(at)]


def _is_forward(piece: np.ndarray) -> bool:
    """The direction in which a piece is written, the same for both areas beside it."""
    for low, high in zip(piece.tolist(), piece[::-1].tolist()):
        if low != high:
            return bool(low < high)
    return True
