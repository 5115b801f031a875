"""Small-area rates: empirical Bayes smoothing, and rates standardised for unequal populations. Arrays only.

Methods, from their papers:
- global and local empirical Bayes, Poisson: RJ Marshall, Appl Stat 1991;40:283-94, moment estimates.
- binomial (beta-binomial) moments: M Martuzzi, P Elliott, Stat Med 1996;15:1867-73.
- standardised rate for Moran: RM Assuncao, EA Reis, Stat Med 1999;18:2147-62.
A negative moment estimate of the variance between areas is set to 0 in all of them: the areas then differ no more
than chance, and every smoothed rate is the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ncdsurv.errors import StatisticsError, unknown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_matrix

POISSON, BINOMIAL = "poisson", "binomial"
FAMILIES = (POISSON, BINOMIAL)
GLOBAL, LOCAL, SPATIAL = "global", "local", "spatial"
METHODS = (GLOBAL, LOCAL, SPATIAL)


@dataclass(frozen=True)
class Smoothed:
    """Rates per person of n areas.

    Attributes:
        raw: count / population, Float64 (n,).
        smoothed: mean + weight x (raw - mean), Float64 (n,).
        weight: How much of an area's own deviation is kept, 0 to 1, Float64 (n,).
        mean: What each area is drawn to, Float64 (n,).
        between: Variance between areas (of its neighbourhood), clamped at 0, Float64 (n,).
        clamped: Where the moment estimate was negative, Boolean (n,).
    """

    raw: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    weight: NDArray[np.float64]
    mean: NDArray[np.float64]
    between: NDArray[np.float64]
    clamped: NDArray[np.bool_]


def smooth_rates(
    count: ArrayLike,
    population: ArrayLike,
    *,
    method: str = GLOBAL,
    neighbours: csr_matrix | None = None,
    family: str = POISSON,
) -> Smoothed:
    """Empirical Bayes rates.

    Args:
        count: Events or people with the attribute, >= 0, shape (n,).
        population: People at risk, > 0, shape (n,).
        method: `global` draws every area to the overall rate; `local` and `spatial` to the rate of the area and its
            neighbours. `local` measures each neighbour's deviation from that neighbour's own local rate (Marshall;
            spdep's EBlocal), `spatial` from the area's local rate (GeoDa's and PySAL's spatial empirical Bayes).
        neighbours: Sparse (n, n) matrix whose nonzero entries are neighbours; needed by `local` and `spatial`.
        family: `poisson` for rare events, `binomial` for shares.

    Returns:
        A `Smoothed`.

    Raises:
        StatisticsError: Counts that cannot be rates, or a single area.
        UsageError: Unknown method or family.

    >>> found = smooth_rates([10, 60, 2], [100, 200, 40])
    >>> [round(float(rate), 4) for rate in found.raw], [round(float(rate), 4) for rate in found.smoothed]
    ([0.1, 0.3, 0.05], [0.1204, 0.2911, 0.108])
    """
    if method not in METHODS:
        raise unknown("smoothing method", str(method), METHODS)
    e, b = check_counts(count, population, family)
    rate = e / b
    if method == GLOBAL:
        people, mean = b.sum(), e.sum() / b.sum()
        spread = float((b * (rate - mean) ** 2).sum() / people)
        parts = _shrink(
            rate, b, np.full_like(b, mean), np.full_like(b, spread), np.full_like(b, people / len(b)), family
        )
    else:
        if neighbours is None:
            raise StatisticsError(
                f"{method} smoothing needs neighbours",
                do="give a matrix of neighbours, or use method='global'",
            )
        around = _with_self(neighbours)
        people, size = around @ b, np.asarray(around.sum(axis=1)).ravel()
        mean = (around @ e) / people
        if method == LOCAL:
            spread = (around @ (b * (rate - mean) ** 2)) / people
        else:  # sum of b (rate - own mean)^2, written out in sums over neighbours
            spread = (around @ (b * rate**2) - 2 * mean * (around @ e) + mean**2 * people) / people
        parts = _shrink(rate, b, mean, np.maximum(spread, 0.0), people / size, family)
    return parts


def standardise_rates(
    count: ArrayLike, population: ArrayLike, family: str = POISSON, *, clamp: bool = True
) -> NDArray[np.float64]:
    """Deviations from the overall rate in units of their standard deviation (Assuncao and Reis).

    A rate of few people swings more; raw rates would make small areas look like clusters.

    Args:
        count, population, family: As in `smooth_rates`.
        clamp: Set a negative variance between areas to 0 (as spdep). False keeps it where an area's variance stays
            positive, as the paper and PySAL do: areas of many people then get scores that are too large.

    Returns:
        z, Float64 (n,).

    >>> z = standardise_rates([30, 25, 25, 15, 33, 21, 30, 20], [100, 100, 110, 90, 100, 90, 110, 90], clamp=False)
    >>> [round(float(one), 6) for one in z[:3]]
    [1.038436, -0.040991, -0.562504]
    """
    e, b = check_counts(count, population, family)
    rate, mean = e / b, e.sum() / b.sum()
    spread = float((b * (rate - mean) ** 2).sum() / b.sum())
    between, within = _variances(np.array([mean]), np.array([spread]), np.array([b.mean()]), family)
    variance = (np.maximum(between, 0.0) if clamp else between) + within / b
    variance = np.where(variance < 0, within / b, variance)
    if not np.all(variance > 0):
        raise StatisticsError(
            "every rate is 0 or every share is 1, so nothing varies",
            got=f"{len(b)} areas",
            do="choose another indicator or period",
        )
    return (rate - mean) / np.sqrt(variance)


def _shrink(
    rate: NDArray[np.float64],
    population: NDArray[np.float64],
    mean: NDArray[np.float64],
    spread: NDArray[np.float64],
    average: NDArray[np.float64],
    family: str,
) -> Smoothed:
    estimate, within = _variances(mean, spread, average, family)
    between = np.maximum(estimate, 0.0)
    total = between + within / population
    weight = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
    return Smoothed(rate, mean + weight * (rate - mean), weight, mean, between, estimate < 0)


def _variances(
    mean: NDArray[np.float64], spread: NDArray[np.float64], average: NDArray[np.float64], family: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Moment estimate of the variance between areas (may be negative), and that within an area of one person."""
    if family == POISSON:
        chance, within = mean, mean
    else:
        chance = mean * (1 - mean)
        within = np.maximum(chance - spread, 0.0)
    return spread - chance / average, within


def _with_self(neighbours: csr_matrix) -> csr_matrix:
    """Neighbours and the area itself, every one counted once."""
    from scipy.sparse import csr_matrix, identity

    matrix = csr_matrix(neighbours)
    binary = csr_matrix((matrix != 0).astype(np.float64))
    binary.setdiag(0)
    return csr_matrix(binary + identity(matrix.shape[0], format="csr"))


def check_counts(
    count: ArrayLike, population: ArrayLike, family: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts and populations as floats, refused where they are no rates.

    Raises:
        StatisticsError: Fewer than two areas, a count or population missing or negative, a population of 0, or a
            share above 1 in the binomial family.
        UsageError: Unknown family.
    """
    if family not in FAMILIES:
        raise unknown("family of rates", str(family), FAMILIES)
    e, b = np.asarray(count, dtype=np.float64).ravel(), np.asarray(population, dtype=np.float64).ravel()
    if len(e) != len(b):
        raise StatisticsError("counts and populations differ in length", got=f"{len(e)} and {len(b)}")
    if len(e) < 2:
        raise StatisticsError(
            "one area has nothing to be compared with", got=f"{len(e)} areas", allowed="two or more"
        )
    rules = (
        (~np.isfinite(e) | ~np.isfinite(b), "a count or population is missing", "leave these areas out"),
        ((e < 0) | (b < 0), "a negative count or population", "check the two columns"),
        (b == 0, "a population of 0 has no rate", "leave these areas out"),
    )
    for wrong, what, do in rules:
        if wrong.any():
            raise StatisticsError(what, got=f"{int(wrong.sum())} of {len(e)} areas", do=do)
    if family == BINOMIAL and (e > b).any():
        raise StatisticsError(
            "a count exceeds its population, so it is no share",
            got=f"{int((e > b).sum())} of {len(e)} areas",
            do="check the two columns, or use the Poisson family for events that may happen twice",
        )
    return e, b
