"""Moran's I and Getis and Ord's Gi* with conditional permutations. Arrays only.

Methods: L Anselin, Geogr Anal 1995;27:93-115 (local Moran); JK Ord, A Getis, Geogr Anal 1995;27:286-306 (Gi*).
Conditional permutation keeps an area's value and deals the others out over its neighbours. The local Moran and Gi*
of an area are both increasing or decreasing in the neighbours' weighted sum, so one deal gives both their p values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ncdsurv.areas.correct import p_floor, permutations_needed
from ncdsurv.errors import StatisticsError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_matrix

_BLOCK = 256  # whole permutations dealt at a time
_NEAR_FLOOR = 10  # p values up to so many times the floor are told apart by a second, longer run
_SLACK = 1e-10  # sums of the same numbers in another order differ by rounding


@dataclass(frozen=True)
class GlobalMoran:
    """Moran's I of all areas: statistic, its expectation, standard score and one-sided p value by permutation."""

    statistic: float
    expected: float
    z: float
    p_value: float
    permutations: int


@dataclass(frozen=True)
class LocalMoran:
    """Local statistics of n areas, Float64 (n,) each.

    Attributes:
        z: The values in standard deviations.
        lag: Weighted mean of the neighbours' z.
        moran: Local Moran's I.
        gi_star: Gi* as a standard score.
        p_value: Two-sided, conditional permutation; of local Moran and Gi* alike.
        p_folded: The smaller tail alone, as PySAL's `p_sim` and spdep's folded column.
        permutations: How many the p value rests on, Int64 (n,).
    """

    z: NDArray[np.float64]
    lag: NDArray[np.float64]
    moran: NDArray[np.float64]
    gi_star: NDArray[np.float64]
    p_value: NDArray[np.float64]
    p_folded: NDArray[np.float64]
    permutations: NDArray[np.int64]


def global_moran(
    values: ArrayLike, weights: csr_matrix, *, permutations: int = 9999, seed: int = 0
) -> GlobalMoran:
    """Moran's I with row-standardised weights; the p value asks for likeness of neighbours (one-sided, greater).

    Args:
        values: Values of n areas that all have a neighbour.
        weights: Sparse (n, n), zero diagonal.
        permutations: Deals of all values over all areas.
        seed: Of the random numbers.

    Raises:
        StatisticsError: All values equal, or an area without neighbours.
    """
    z, rows = _prepare(values, weights)
    n, total = len(z), float((z**2).sum())
    observed = float(z @ (rows @ z)) / total * n / rows.sum()
    rng = np.random.default_rng(seed)
    found = np.empty(permutations)
    for start in range(0, permutations, _BLOCK):
        size = min(_BLOCK, permutations - start)
        dealt = rng.permuted(np.tile(z, (size, 1)), axis=1).T
        found[start : start + size] = (dealt * (rows @ dealt)).sum(axis=0) / total * n / rows.sum()
    p_value = (1 + int((found >= observed - _SLACK).sum())) / (permutations + 1)
    return GlobalMoran(
        observed, -1 / (n - 1), float((observed - found.mean()) / found.std()), p_value, permutations
    )


def local_moran(
    values: ArrayLike,
    weights: csr_matrix,
    *,
    permutations: int = 9999,
    alpha: float | None = None,
    seed: int = 0,
) -> LocalMoran:
    """Local Moran and Gi* of every area.

    Args:
        values: Values of n areas that all have a neighbour.
        weights: Sparse (n, n), zero diagonal; rows are standardised here.
        permutations: Conditional permutations of every area.
        alpha: The level of a false discovery rate to be applied afterwards: areas whose p value lies near the floor
            of `permutations` are then judged by a fresh run, long enough for one of them alone to pass. An area
            keeps its first p value or takes the second, so neither run can favour it. None: no second run.
        seed: Of the random numbers.

    Raises:
        StatisticsError: All values equal, or an area without neighbours.
    """
    z, rows = _prepare(values, weights)
    n, lag = len(z), rows @ z
    rng = np.random.default_rng(seed)
    every = np.arange(n)
    p_folded = _deal(z, rows, lag, every, permutations, rng)
    used = np.full(n, permutations, dtype=np.int64)
    more = permutations_needed(n, alpha) if alpha is not None else 0
    if more > permutations:
        near = np.flatnonzero(2 * p_folded <= _NEAR_FLOOR * p_floor(permutations))
        p_folded[near] = _deal(z, rows, lag, near, more, rng)
        used[near] = more
    return LocalMoran(z, lag, z * lag, _gi_star(z, weights), np.minimum(1.0, 2 * p_folded), p_folded, used)


def _deal(
    z: NDArray[np.float64],
    rows: csr_matrix,
    lag: NDArray[np.float64],
    areas: NDArray[np.int64],
    permutations: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Folded p values of some areas: (smaller tail + 1) / (permutations + 1)."""
    n = len(z)
    most = int(np.diff(rows.indptr)[areas].max()) if len(areas) else 0
    above, below = np.zeros(len(areas), dtype=np.int64), np.zeros(len(areas), dtype=np.int64)
    step = max(1, min(permutations, 20_000))
    for start in range(0, permutations, step):
        size = min(step, permutations - start)
        drawn = _draw(n - 1, most, size, rng)
        for at, area in enumerate(areas):
            weight = rows.data[rows.indptr[area] : rows.indptr[area + 1]]
            others = np.delete(z, area)
            dealt = weight @ others[drawn[: len(weight)]]
            above[at] += np.count_nonzero(dealt >= lag[area] - _SLACK)
            below[at] += np.count_nonzero(dealt <= lag[area] + _SLACK)
    return (np.minimum(above, below) + 1) / (permutations + 1)


def _draw(n: int, k: int, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Places 0..n-1 drawn without replacement, (k, size): every column is one deal."""
    if k * k > n:
        return np.argsort(rng.random((size, n)), axis=1)[:, :k].T.copy()
    drawn = rng.integers(0, n, (size, k))
    while True:
        ordered = np.sort(drawn, axis=1)
        again = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
        if not len(again):
            return drawn.T.copy()
        drawn[again] = rng.integers(0, n, (len(again), k))


def _gi_star(z: NDArray[np.float64], weights: csr_matrix) -> NDArray[np.float64]:
    """Standard score of the sum over the area and its neighbours, every one with weight 1."""
    n = len(z)
    binary = weights.copy()
    binary.data = np.ones_like(binary.data, dtype=np.float64)
    count = np.asarray(binary.sum(axis=1)).ravel() + 1
    near_all = np.maximum(n * count - count**2, 0.0) / (n - 1)
    spread = np.std(z) * np.sqrt(near_all)
    excess = binary @ z + z - z.mean() * count
    return np.divide(excess, spread, out=np.zeros(n), where=spread > 0)


def _prepare(values: ArrayLike, weights: csr_matrix) -> tuple[NDArray[np.float64], csr_matrix]:
    from scipy.sparse import csr_matrix, diags

    x = np.asarray(values, dtype=np.float64).ravel()
    matrix = csr_matrix(weights).astype(np.float64)
    if matrix.shape != (len(x), len(x)):
        raise StatisticsError(
            "weights and values differ in size",
            got=f"{matrix.shape} for {len(x)} values",
            do="give one row an area",
        )
    if matrix.diagonal().any():
        raise StatisticsError("an area is its own neighbour", do="set the diagonal of the weights to 0")
    if not np.isfinite(x).all():
        raise StatisticsError("a value is missing", got=f"{int((~np.isfinite(x)).sum())} of {len(x)} areas",
                              do="leave these areas out")  # fmt: skip
    sums = np.asarray(matrix.sum(axis=1)).ravel()
    if (sums <= 0).any():
        raise StatisticsError(
            "areas without neighbours have no local statistic",
            got=f"{int((sums <= 0).sum())} of {len(x)} areas",
            do="report them apart, or use nearest neighbours",
        )
    spread = x.std()
    if not spread > 1e-12 * max(1.0, float(np.abs(x).max())):
        raise StatisticsError(
            "all values are equal, so nothing can cluster",
            got=f"{len(x)} areas",
            do="choose another indicator",
        )
    return (x - x.mean()) / spread, csr_matrix(diags(1 / sums) @ matrix)
