"""How many joinpoints a series needs: the sequential permutation test of Kim and others (2000).

Kim HJ, Fay MP, Feuer EJ, Midthune DN: Permutation tests for joinpoint regression with applications to cancer
rates. Statistics in Medicine 2000, 19:335-351. The test of k0 against k1 joinpoints shuffles the residuals of
the k0 model, adds them back to its fitted values, and compares the ratio of the least sums of squares of the
two models with that of the data. It begins with 0 against the most; a rejection raises k0 by one, anything else
lowers k1 by one, until both meet. Each test of k0 uses the level alpha / (most - k0), as the Joinpoint program
of the United States' National Cancer Institute does since its version 3.0 (its help, "Significance level of each
individual test"), so that the chance of finding too many is at most alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncdsurv.trends.joinpoint.grid import Grid
from ncdsurv.trends.joinpoint.infer import fitted_rows
from ncdsurv.trends.joinpoint.search import TIE, least_squares, reaches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class PermutationTest:
    """One test of the sequence: `null` against `other` joinpoints, its p value and the level it was held to."""

    null: int
    other: int
    p_value: float
    level: float
    permutations: int

    @property
    def rejected(self) -> bool:
        """Whether fewer joinpoints were ruled out."""
        return self.p_value <= self.level


def permutation_sequence(
    grid: Grid, row: Array, most: int, *, alpha: float, permutations: int, seed: int, form: str = "auto"
) -> tuple[int, list[PermutationTest]]:
    """Choose the number of joinpoints.

    Args:
        grid: Where joinpoints may stand.
        row: Whitened data, shape (n,).
        most: The largest number to consider.
        alpha: Chance of finding a joinpoint where there is none.
        permutations: Shuffles of each test.
        seed: Of the random numbers; the same seed gives the same p values.
        form: Of the search, as for `search.least_squares`; the p values are the same.

    Returns:
        The number of joinpoints and the tests in their order.
    """
    low, high = 0, most
    tests = []
    while low < high:
        # One stream for each null model, so that its tests share their shuffles.
        p_value = permutation_p(grid, row, low, high, permutations=permutations, seed=seed + low, form=form)
        tests.append(PermutationTest(low, high, p_value, alpha / (most - low), permutations))
        if tests[-1].rejected:
            low += 1
        else:
            high -= 1
    return low, tests


def permutation_p(
    grid: Grid, row: Array, null: int, other: int, *, permutations: int, seed: int, form: str = "auto"
) -> float:
    """P value of `null` against `other` joinpoints; the data count as one of the shuffles.

    Args:
        grid: Where joinpoints may stand.
        row: Whitened data, shape (n,).
        null: Joinpoints of the simpler model.
        other: Joinpoints of the other, more than `null`.
        permutations: Number of shuffles.
        seed: Of the random numbers.
        form: Of the search, as for `search.least_squares`.

    Returns:
        Share of shuffles, the data among them, whose ratio is at least that of the data.
    """
    import numpy as np

    data = row[:, None]
    sums = [float(least_squares(grid, data, k)[0][0]) for k in (null, other)]
    if sums[0] <= TIE**2 * float(row @ row):  # nothing is left to explain
        return 1.0
    knots = least_squares(grid, data, null)[1][0]
    fitted = fitted_rows(grid, row, grid.where[knots])
    shuffled = np.random.default_rng(seed).permuted(np.tile(row - fitted, (permutations, 1)), axis=1).T
    shuffled += fitted[:, None]
    ratio = sums[1] / sums[0]
    # An upper bound of the null model's sum settles most shuffles; only the rest need the sum itself.
    bound = least_squares(grid, shuffled, null, exact=null <= 1, form=form)[0]
    at_least = reaches(grid, shuffled, other, ratio * bound, form=form)
    if null > 1:
        open_ = np.nonzero(at_least)[0]
        exact = least_squares(grid, shuffled[:, open_], null, form=form)[0]
        lower = exact < bound[open_] * (1 - TIE)
        at_least[open_[lower]] = reaches(
            grid, shuffled[:, open_[lower]], other, ratio * exact[lower], form=form
        )
    return (1 + int(at_least.sum())) / (permutations + 1)
