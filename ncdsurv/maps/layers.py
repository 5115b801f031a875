"""Areas as projected shapes: mainland, far islands for insets, archipelagos as dots. No geopandas needed.

Maps are drawn in an Albers equal-area projection fitted to Viet Nam (Snyder 1987, standard parallels at a sixth
of the country's span from either end), so that equal areas look equal; scale is true within 0.6 percent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from ncdsurv.catalog.vocabulary import Language
from ncdsurv.maps.style import nfc

if TYPE_CHECKING:
    from ncdsurv.reference import Archipelago, Reference

ALBERS_VIET_NAM = "+proj=aea +lat_1=10.9 +lat_2=20.9 +lat_0=16 +lon_0=106 +datum=WGS84 +units=m +no_defs"
# Parts of an area that lie in the archipelagos' sea stand in their insets: all that lies east of a meridian this far
# west of their boxes, and islets (not the mainland, whose capes come near) within a somewhat larger reach of a box.
_SEA_DEGREES, _REACH_DEGREES, _ISLET_DEGREES2 = 1.0, 1.9, 0.05
_CLUSTER_METRES = 12_000.0  # islands closer than this to others travel with them
_STRETCH = 1.3  # a cluster that makes the frame larger than this goes into an inset
_DOT_METRES = 1_500.0  # radius of the disc that stands for an area without a boundary

Extent = tuple[float, float, float, float]
_LAYERS: WeakKeyDictionary[Any, dict[Any, Layer]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Layer:
    """Areas of one level and vintage (within one area or the nation), projected to metres.

    `shapes` may be empty geometries (areas that lie in an archipelago's inset only).
    """

    level: str
    vintage: str
    within: str | None
    codes: list[str]
    names: list[str]
    names_en: list[str]
    types: list[str]
    shapes: np.ndarray
    extent: Extent
    insets: list[Extent] = field(default_factory=list)
    archipelagos: tuple[Archipelago, ...] = ()
    schematic: bool = False
    credits: Mapping[str, str] = field(default_factory=dict)
    paths: list[Any] = field(default_factory=list, repr=False, compare=False)  # filled when first drawn

    def name(self, place: int, lang: str) -> str:
        """Name of an area by its place in the layer."""
        return nfc(self.names[place] if lang == "vi" else self.names_en[place] or self.names[place])

    def short_name(self, place: int, lang: str) -> str:
        """The name without the kind of unit ("Phường Nha Trang": "Nha Trang").

        The whole name where only a number is left, or where two areas of the map would be called the same.
        """
        short = self._short(place, lang)
        alone = sum(self._short(other, lang) == short for other in range(len(self.codes))) == 1
        return short if alone and not short.isdigit() else self.name(place, lang)

    def _short(self, place: int, lang: str) -> str:
        name, kind = self.name(place, lang), nfc(self.types[place])
        return name[len(kind) :].strip() if kind and name.lower().startswith(kind.lower() + " ") else name


def project(shapes: np.ndarray) -> np.ndarray:
    """WGS84 longitude and latitude to metres of `ALBERS_VIET_NAM`."""
    import shapely

    def forward(points: np.ndarray) -> np.ndarray:
        return np.column_stack(_transformer().transform(points[:, 0], points[:, 1]))

    return np.asarray(shapely.transform(shapes, forward))


def project_points(lon: Any, lat: Any) -> tuple[np.ndarray, np.ndarray]:
    """Points in degrees to metres."""
    x, y = _transformer().transform(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    return np.asarray(x), np.asarray(y)


@cache
def _transformer() -> Any:
    from pyproj import Transformer

    return Transformer.from_crs("EPSG:4326", ALBERS_VIET_NAM, always_xy=True)


def load_layer(reference: Reference, level: str, vintage: str, within: str | None = None) -> Layer:
    """The layer of a level and vintage; read and projected once per reference.

    Args:
        reference: Where boundaries and archipelagos come from.
        level, vintage: Which areas.
        within: Code of an area of the same vintage; None is the nation.

    Raises:
        UsageError: Unknown level, vintage or code, or no pack holds such boundaries.
    """
    known = _LAYERS.setdefault(reference, {})
    key = (str(level), str(vintage), within)
    if key not in known:
        known[key] = _read_layer(reference, *key)
    return known[key]


def _read_layer(reference: Reference, level: str, vintage: str, within: str | None) -> Layer:
    import shapely

    table = reference.boundary_table(level, vintage, within)
    areas = reference.areas(level, vintage)
    if within is not None:
        areas = areas.filter(pl.col("code").is_in(reference.codes_within(within, vintage, level)))
    archipelagos = _archipelagos_of(reference, vintage, within)
    held = areas.join(table.select("code", "geometry"), on="code", how="left").sort("code")
    in_insets = _units_of_archipelagos(reference, level, vintage)
    shapes = np.asarray(shapely.from_wkb(held["geometry"].to_list()), dtype=object)
    boxes = [one.box for one in reference.archipelagos()]
    west = min((box[0] for box in boxes), default=180.0) - _SEA_DEGREES
    shapes = np.array(
        [
            shapely.MultiPolygon() if code in in_insets else _mainland(shape, boxes, west)
            for code, shape in zip(held["code"], shapes)
        ],
        dtype=object,
    )
    shapes = project(shapes)
    for place, row in enumerate(held.select("code", "lon", "lat").iter_rows()):
        code, lon, lat = row
        if shapely.is_empty(shapes[place]) and code not in in_insets and lon is not None and lon < west:
            x, y = project_points(lon, lat)
            shapes[place] = shapely.Point(float(x), float(y)).buffer(_DOT_METRES)
    extent, insets = _frames(shapes) if within is not None else (_bounds(shapes), [])
    pack = next(pack for pack in reference.manifest if pack["id"] == table["pack"][0])
    return Layer(
        level=level,
        vintage=vintage,
        within=within,
        codes=held["code"].to_list(),
        names=held["name"].to_list(),
        names_en=[name or "" for name in held["name_en"].to_list()],
        types=[kind or "" for kind in held["type"].to_list()],
        shapes=shapes,
        extent=extent,
        insets=insets,
        archipelagos=archipelagos,
        schematic=bool(table["schematic"][0]),
        credits={Language.VI.value: pack["title_vi"], Language.EN.value: pack["title"]},
    )


def _archipelagos_of(reference: Reference, vintage: str, within: str | None) -> tuple[Archipelago, ...]:
    """All of them on a national map; on a map of one area those that belong to it."""
    if within is None:
        return reference.archipelagos()
    level = reference.area(within, vintage)["level"]
    provinces = set(reference.codes_within(within, vintage, "province")) if level != "commune" else set()
    if level == "district":
        return tuple(one for one in reference.archipelagos() if one.area[vintage] == within)
    return tuple(one for one in reference.archipelagos() if one.province[vintage] in provinces)


def _units_of_archipelagos(reference: Reference, level: str, vintage: str) -> set[str]:
    """Codes of the areas of a level that lie wholly in an archipelago."""
    units = [one.area[vintage] for one in reference.archipelagos() if vintage in one.area]
    if level not in ("commune", "district"):
        return set()
    chain = reference.parents(vintage)
    inside = chain.filter(pl.col("commune").is_in(units) | pl.col("district").is_in(units).fill_null(False))
    return set(inside[level].drop_nulls()) & (set(units) | set(inside["commune"]))


def _mainland(shape: Any, boxes: list[Extent], west: float) -> Any:
    """The shape without the parts that lie in the archipelagos' sea."""
    import shapely

    if shape is None:
        return shapely.MultiPolygon()
    if shape.bounds[2] < west - _REACH_DEGREES:
        return shape

    def in_their_sea(part: Any) -> bool:
        near = part.area < _ISLET_DEGREES2 and any(_gap(part.bounds, box) < _REACH_DEGREES for box in boxes)
        return part.bounds[0] >= west or near

    return shapely.MultiPolygon([part for part in shapely.get_parts(shape) if not in_their_sea(part)])


def _bounds(shapes: np.ndarray) -> Extent:
    import shapely

    return tuple(float(side) for side in shapely.total_bounds(shapes))  # type: ignore[return-value]


def _frames(shapes: np.ndarray) -> tuple[Extent, list[Extent]]:
    """The main frame, and a frame for every group of islands that would stretch it."""
    import shapely

    parts = shapely.get_parts(shapes)
    if len(parts) < 2:
        return _bounds(shapes), []
    groups = _clusters(parts)
    sizes = [float(shapely.area(parts[group]).sum()) for group in groups]
    order = np.argsort(sizes)[::-1]
    main = _bounds(parts[groups[order[0]]])
    insets: list[Extent] = []
    others = sorted((_bounds(parts[groups[at]]) for at in order[1:]), key=lambda box: _gap(main, box))
    for box in others:
        joined = _join(main, box)
        if _size(joined) <= _STRETCH * _size(main):
            main = joined
        else:
            near = next((i for i, inset in enumerate(insets) if _gap(inset, box) < 3 * _CLUSTER_METRES), None)
            if near is None:
                insets.append(box)
            else:
                insets[near] = _join(insets[near], box)
    return main, insets


def _clusters(parts: np.ndarray) -> list[np.ndarray]:
    import shapely
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    left, right = shapely.STRtree(parts).query(parts, predicate="dwithin", distance=_CLUSTER_METRES)
    graph = coo_matrix((np.ones(len(left)), (left, right)), shape=(len(parts), len(parts)))
    count, label = connected_components(graph, directed=False)
    return [np.flatnonzero(label == one) for one in range(count)]


def _join(a: Extent, b: Extent) -> Extent:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _size(box: Extent) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _gap(a: Extent, b: Extent) -> float:
    return float(np.hypot(max(b[0] - a[2], a[0] - b[2], 0.0), max(b[1] - a[3], a[1] - b[3], 0.0)))
