"""Small areas: smoothed rates, clusters of neighbours, and the scan for a cluster. Imported lazily."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_WHERE = {
    "smooth": "ncdsurv.areas.smoothing",
    "clusters": "ncdsurv.areas.clustering",
    "funnel": "ncdsurv.areas.funnels.verb",
    "smooth_rates": "ncdsurv.areas.rates",
    "standardise_rates": "ncdsurv.areas.rates",
    "fit_bym2": "ncdsurv.areas.bayes.sample",
    "global_moran": "ncdsurv.areas.moran",
    "local_moran": "ncdsurv.areas.moran",
    "scan_circles": "ncdsurv.areas.scan",
    "adjust_fdr": "ncdsurv.areas.correct",
    "strict_threshold": "ncdsurv.areas.correct",
    "Neighbours": "ncdsurv.areas.neighbours",
    "make_neighbours": "ncdsurv.areas.neighbours",
}

__all__ = [
    "Neighbours",
    "adjust_fdr",
    "clusters",
    "fit_bym2",
    "funnel",
    "global_moran",
    "local_moran",
    "make_neighbours",
    "scan_circles",
    "smooth",
    "smooth_rates",
    "standardise_rates",
    "strict_threshold",
]

if TYPE_CHECKING:
    from ncdsurv.areas.bayes.sample import fit_bym2
    from ncdsurv.areas.clustering import clusters
    from ncdsurv.areas.correct import adjust_fdr, strict_threshold
    from ncdsurv.areas.funnels.verb import funnel
    from ncdsurv.areas.moran import global_moran, local_moran
    from ncdsurv.areas.neighbours import Neighbours, make_neighbours
    from ncdsurv.areas.rates import smooth_rates, standardise_rates
    from ncdsurv.areas.scan import scan_circles
    from ncdsurv.areas.smoothing import smooth


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'ncdsurv.areas' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
