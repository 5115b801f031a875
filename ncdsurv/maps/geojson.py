"""Areas with their values as GeoJSON (RFC 7946): WGS84, right-hand rule, no `crs` member. Shapely only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from ncdsurv.maps.selection import choose_rows, join_areas
from ncdsurv.maps.style import nfc

if TYPE_CHECKING:
    from ncdsurv.reference import Reference

DECIMALS = 5  # about a metre
_NUMBERS = ("numerator", "denominator", "value", "lower", "upper")
_CACHE: WeakKeyDictionary[Any, dict[Any, dict[str, dict[str, Any]]]] = WeakKeyDictionary()


def to_geojson(
    values: Any,
    reference: Reference,
    *,
    period: str | None = None,
    level: str | None = None,
    vintage: str | None = None,
    within: str | None = None,
) -> dict[str, Any]:
    """A FeatureCollection with one feature per area, whether it has a value or not.

    Args:
        values: Values of one indicator (polars or pandas).
        reference: Boundaries and names.
        period: `2026-06`, `2026-Q2` or `2026`.
        level, vintage: With `period`, may be left out when the values hold one of each.
        within: Code of an area of the same vintage to stay inside; None is the nation.

    Returns:
        A dict for `json.dumps`. Properties: area_code, area_vintage, area_level, name, name_en, numerator,
        denominator, value, lower, upper, flag, status. What all areas share (indicator, disease, preset, period,
        unit, release, ...) stands once, beside `features`. A national collection also carries Hoàng Sa and
        Trường Sa as features of kind `archipelago` without a value. Do not change the geometry dicts in place:
        they are shared between calls.

    Raises:
        UsageError: The values are a mixture, or hold no such period, level or vintage.
    """
    rows = choose_rows(values, period=period, level=level, vintage=vintage)
    shapes = read_shapes(reference, rows.level, rows.vintage, within)
    areas = join_areas(list(shapes), rows)
    features = []
    for row in areas.iter_rows(named=True):
        shape = shapes[row["area_code"]]
        properties = {
            "kind": "area",
            "area_code": row["area_code"],
            "area_vintage": rows.vintage,
            "area_level": rows.level,
            "name": shape["name"],
            "name_en": shape["name_en"],
            **{name: row[name] for name in _NUMBERS},
            "flag": row["flag"],
            "status": row["status"],
        }
        features.append(_feature(f"{rows.vintage}:{row['area_code']}", shape["geometry"], properties))
    if within is None:
        features += [island_feature(one, rows.vintage) for one in reference.archipelagos()]
    boxes = [shape["box"] for shape in shapes.values() if shape["box"] is not None]
    schematic = any(shape["schematic"] for shape in shapes.values())
    return {
        "type": "FeatureCollection",
        "bbox": bounds(boxes),
        **{key: value for key, value in rows.identity.items() if key != "area_code"},
        "period": rows.period,
        "area_level": rows.level,
        "area_vintage": rows.vintage,
        "schematic": schematic,
        "features": features,
    }


def _feature(name: str, geometry: dict[str, Any] | None, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": name, "geometry": geometry, "properties": properties}


def island_feature(archipelago: Any, vintage: str) -> dict[str, Any]:
    """An archipelago as a feature of points, without a value."""
    points = [[lon, lat] for _, lon, lat in archipelago.islands]
    properties = {
        "kind": "archipelago",
        "name": nfc(archipelago.label("vi")),
        "name_en": nfc(archipelago.label("en")),
        "belongs_to": archipelago.province[vintage],
        "area_vintage": vintage,
    }
    return _feature(
        f"archipelago:{archipelago.id}", {"type": "MultiPoint", "coordinates": points}, properties
    )


def read_shapes(
    reference: Reference, level: str, vintage: str, within: str | None
) -> dict[str, dict[str, Any]]:
    """Names, GeoJSON geometry and box of every area by code; read once per reference. Do not change them in place."""
    known = _CACHE.setdefault(reference, {})
    key = (level, vintage, within)
    if key not in known:
        known[key] = _read_shapes(reference, *key)
    return known[key]


def _read_shapes(
    reference: Reference, level: str, vintage: str, within: str | None
) -> dict[str, dict[str, Any]]:
    import shapely

    table = reference.boundary_table(level, vintage, within)
    geometry = dict(zip(table["code"], _oriented(shapely.from_wkb(table["geometry"].to_list()))))
    schematic = bool(table["schematic"][0])
    areas = reference.areas(level, vintage)
    inside = set(reference.codes_within(within, vintage, level)) if within is not None else set(areas["code"])
    islands = {one.area[vintage]: one for one in reference.archipelagos()}
    shapes = {}
    for code, name, name_en in areas.sort("code").select("code", "name", "name_en").iter_rows():
        if code not in inside:
            continue
        shape = geometry.get(code)
        entry = {"name": nfc(name), "name_en": name_en, "geometry": None, "box": None, "schematic": schematic}
        if shape is not None:
            entry["geometry"] = json.loads(shapely.to_geojson(shape))
            entry["box"] = shapely.bounds(shape).tolist()
        elif code in islands:
            points = [[lon, lat] for _, lon, lat in islands[code].islands]
            entry["geometry"] = {"type": "MultiPoint", "coordinates": points}
        shapes[code] = entry
    return shapes


def _oriented(shapes: Any) -> np.ndarray:
    """Rounded to about a metre where that keeps them valid; outer rings counter-clockwise, holes clockwise."""
    import shapely

    shapes = shapely.force_2d(np.asarray(shapes, dtype=object))
    rounded = shapely.transform(shapes, lambda points: np.round(points, DECIMALS))
    shapes = np.where(shapely.is_valid(rounded), rounded, shapes)
    return np.asarray(shapely.orient_polygons(shapes, exterior_cw=False))


def bounds(boxes: list[list[float]]) -> list[float]:
    """Box around boxes; the whole world without any."""
    if not boxes:
        return [-180.0, -90.0, 180.0, 90.0]
    west, south, east, north = zip(*boxes)
    return [min(west), min(south), max(east), max(north)]
