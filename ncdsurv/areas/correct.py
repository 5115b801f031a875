"""Many areas, many tests: adjusted p values, and how many permutations a correction needs. Arrays only.

Methods: Y Benjamini, Y Hochberg, J R Stat Soc B 1995;57:289-300; for local statistics MC Castro, BH Singer,
Geogr Anal 2006;38:180-208.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ncdsurv.errors import StatisticsError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def adjust_fdr(p_values: ArrayLike) -> NDArray[np.float64]:
    """Benjamini-Hochberg adjusted p values, as R's `p.adjust(p, "BH")`.

    Args:
        p_values: p values, shape (n,).

    Returns:
        Adjusted p values; those at most alpha are the discoveries at a false discovery rate of alpha.

    >>> [round(float(p), 4) for p in adjust_fdr([0.01, 0.02, 0.03, 0.5])]
    [0.04, 0.04, 0.04, 0.5]
    """
    p = np.asarray(p_values, dtype=np.float64)
    n = len(p)
    order = np.argsort(p, kind="stable")
    raised = p[order] * n / np.arange(1, n + 1)
    lowest = np.minimum.accumulate(raised[::-1])[::-1]
    adjusted = np.empty(n)
    adjusted[order] = np.minimum(lowest, 1.0)
    return adjusted


def strict_threshold(p_values: ArrayLike, alpha: float) -> float:
    """The p value cut-off that PySAL's `esda.fdr` gives: i x alpha / n of the largest p(i) strictly below it.

    Where none is below, alpha / n (Bonferroni). It differs from `adjust_fdr` only where a p value equals its limit.

    >>> round(strict_threshold([0.5] * 78, 0.05), 6)
    0.000641
    """
    p = np.sort(np.asarray(p_values, dtype=np.float64))
    limits = np.arange(1, len(p) + 1) * alpha / len(p)
    below = np.flatnonzero(p < limits)
    return float(limits[below[-1]]) if len(below) else alpha / len(p)


def p_floor(permutations: int) -> float:
    """The smallest two-sided p value that so many permutations can give.

    >>> p_floor(9999)
    0.0002
    """
    return min(1.0, 2.0 / (permutations + 1))


def permutations_needed(tests: int, alpha: float) -> int:
    """Permutations with which one area alone among `tests` can pass Benjamini-Hochberg at `alpha`, two-sided.

    >>> permutations_needed(300, 0.05)
    11999
    """
    return ceil(2 * tests / alpha - 1e-9) - 1


def fewest_at_floor(tests: int, permutations: int, alpha: float) -> int:
    """How many areas must stand at the floor before any of them can pass.

    >>> fewest_at_floor(300, 999, 0.05)
    12
    """
    return max(1, ceil(tests * p_floor(permutations) / alpha - 1e-9))


def check_alpha(alpha: float) -> float:
    """The level, refused outside 0 to 1."""
    if not 0 < alpha < 1:
        raise StatisticsError("level out of range", got=alpha, allowed="between 0 and 1", do="give 0.05")
    return float(alpha)


def check_permutations(permutations: int, alpha: float) -> int:
    """The number, refused where no p value could reach alpha even without a correction.

    Raises:
        StatisticsError: Too few permutations, or not a whole number.
    """
    if isinstance(permutations, bool) or not isinstance(permutations, int | np.integer):
        raise StatisticsError("permutations are a whole number", got=repr(permutations), do="give 9999")
    if p_floor(int(permutations)) > alpha:
        raise StatisticsError(
            "too few permutations for any area to pass",
            got=f"{permutations}: the smallest p value is {p_floor(int(permutations)):.3g}",
            allowed=f"at least {permutations_needed(1, alpha)} at a level of {alpha:g}",
            do="give 9999",
        )
    return int(permutations)
