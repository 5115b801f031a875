"""Maps of published values: for print, for the offline site, for the service. Imported lazily."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_WHERE = {
    "draw_map": "ncdsurv.maps.draw",
    "MapResult": "ncdsurv.maps.result",
    "write_areas": "ncdsurv.maps.export",
    "tile_map": "ncdsurv.maps.tiles",
    "bivariate": "ncdsurv.maps.two",
    "small_multiples": "ncdsurv.maps.multiples",
    "interactive_map": "ncdsurv.maps.interactive",
    "InteractiveMap": "ncdsurv.maps.interactive",
    "map_svg_links": "ncdsurv.maps.svg",
    "to_geojson": "ncdsurv.maps.geojson",
}

__all__ = [
    "InteractiveMap",
    "MapResult",
    "bivariate",
    "draw_map",
    "interactive_map",
    "map_svg_links",
    "small_multiples",
    "tile_map",
    "to_geojson",
    "write_areas",
]

if TYPE_CHECKING:
    from ncdsurv.maps.draw import draw_map
    from ncdsurv.maps.export import write_areas
    from ncdsurv.maps.geojson import to_geojson
    from ncdsurv.maps.interactive import InteractiveMap, interactive_map
    from ncdsurv.maps.multiples import small_multiples
    from ncdsurv.maps.result import MapResult
    from ncdsurv.maps.svg import map_svg_links
    from ncdsurv.maps.tiles import tile_map
    from ncdsurv.maps.two import bivariate


def __getattr__(name: str) -> Any:
    # The service needs to_geojson without geopandas or matplotlib, so nothing is imported before it is used.
    if name not in _WHERE:
        raise AttributeError(f"module 'ncdsurv.maps' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
