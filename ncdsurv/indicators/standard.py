"""Weights of a standard population for a catalog's age bands."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ncdsurv.catalog.models import AgeBand, StandardPopulation


def band_weights(standard: StandardPopulation, bands: Iterable[AgeBand]) -> dict[str, float]:
    """Weight of each age band: five-year groups that a band cuts are taken pro rata; the sum is 1.

    Args:
        standard: Weights by five-year group; need not sum to anything.
        bands: Age bands in completed years.

    >>> from ncdsurv.catalog import load_catalog
    >>> catalog = load_catalog()
    >>> weights = band_weights(catalog.standard_population, catalog.age_bands)
    >>> round(sum(weights.values()), 12)
    1.0
    """
    edges = [*(float(age) for age in standard.lower_ages), inf]
    total = sum(standard.weights)
    found = {}
    for band in bands:
        end = inf if band.upper is None else band.upper + 1
        inside = 0.0
        for (lower, upper), weight in zip(pairwise(edges), standard.weights, strict=True):
            if upper == inf:  # how an open group is spread over its years is not known: whole or not at all
                inside += weight if lower >= band.lower and end == inf else 0.0
            else:
                overlap = min(end, upper) - max(band.lower, lower)
                inside += weight * max(0.0, overlap) / (upper - lower)
        found[band.id] = inside / total
    return found
