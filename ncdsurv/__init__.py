"""ncdsurv: one clean registry of non-communicable diseases, one number everywhere.

The public verbs are imported when first used, so that `import ncdsurv` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_VERBS = {
    "open_store": "ncdsurv.registry",
    "load_catalog": "ncdsurv.catalog",
    "load_reference": "ncdsurv.reference",
    "trend": ("ncdsurv.trends", "fit_trend"),
    "describe_series": "ncdsurv.trends",
    "joinpoint": ("ncdsurv.trends", "fit_joinpoints"),
    "mann_kendall": "ncdsurv.trends",
    "forecast": ("ncdsurv.trends", "forecast_rate"),
    "control_chart": "ncdsurv.trends",
    "interrupted": ("ncdsurv.trends", "fit_interrupted"),
    "smooth": "ncdsurv.areas",
    "clusters": "ncdsurv.areas",
    "funnel": "ncdsurv.areas",
    "choropleth": ("ncdsurv.maps", "draw_map"),
    "small_multiples": "ncdsurv.maps",
    "bivariate": "ncdsurv.maps",
    "tile_map": "ncdsurv.maps",
    "write_areas": "ncdsurv.maps",
    "interactive_map": "ncdsurv.maps",
    "rates": ("ncdsurv.indicators", "rates"),
    "build_spells": "ncdsurv.frames",
    "states": "ncdsurv.frames",
    "count": "ncdsurv.frames",
    "explain_person": "ncdsurv.frames",
    "fill_form": "ncdsurv.forms",
    "write_form": "ncdsurv.forms",
    "make_registry": "ncdsurv.synthetic",
    "create_app": "ncdsurv.api",
    "NcdsurvError": "ncdsurv.errors",
    "Period": "ncdsurv.catalog.vocabulary",
}

__all__ = ["__version__", *_VERBS]

if TYPE_CHECKING:
    from ncdsurv.api import create_app
    from ncdsurv.areas import clusters, funnel, smooth
    from ncdsurv.catalog import load_catalog
    from ncdsurv.catalog.vocabulary import Period
    from ncdsurv.errors import NcdsurvError
    from ncdsurv.forms import fill_form, write_form
    from ncdsurv.frames import build_spells, count, explain_person, states
    from ncdsurv.indicators import rates
    from ncdsurv.maps import bivariate, interactive_map, small_multiples, tile_map, write_areas
    from ncdsurv.maps import draw_map as choropleth
    from ncdsurv.reference import load_reference
    from ncdsurv.registry import open_store
    from ncdsurv.synthetic import make_registry
    from ncdsurv.trends import control_chart, describe_series, mann_kendall
    from ncdsurv.trends import fit_interrupted as interrupted
    from ncdsurv.trends import fit_joinpoints as joinpoint
    from ncdsurv.trends import fit_trend as trend
    from ncdsurv.trends import forecast_rate as forecast


def __getattr__(name: str) -> Any:
    if name == "indicators":  # so that ncdsurv.indicators.rates is there without an import of its own
        return import_module("ncdsurv.indicators")
    if name not in _VERBS:
        raise AttributeError(f"module 'ncdsurv' has no attribute {name!r}")
    where = _VERBS[name]
    module, attribute = where if isinstance(where, tuple) else (where, name)
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
