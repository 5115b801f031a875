"""The steps to a joinpoint model: season, autocorrelation, number of joinpoints, line; each beside the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR
from ncdsurv.trends.joinpoint.choose import criteria
from ncdsurv.trends.joinpoint.grid import Grid, make_grid
from ncdsurv.trends.joinpoint.infer import Line, fit_line
from ncdsurv.trends.joinpoint.noise import MOST, Noise, lag_one, make_noise
from ncdsurv.trends.joinpoint.permute import PermutationTest, permutation_sequence
from ncdsurv.trends.joinpoint.search import least_squares

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Season and joinpoints, or autocorrelation and fit, are found in turn; they settle in two or three rounds.
ROUNDS = 4
# Season and autocorrelation are found beside at most one joinpoint: beside many, a line takes up the noise, the
# residuals look negatively correlated, and the permutation test finds joinpoints that are not there.
NUISANCE_JOINPOINTS = 1


@dataclass(frozen=True)
class Settings:
    """How the number of joinpoints is chosen and where they may stand.

    `choose` is `permutation`, `wbic`, `bic`, `bic3` or `fixed` (exactly `most` joinpoints). `rho` is the correlation
    of errors one month apart, or None to estimate it. `samples` above 0 gives intervals by resampling, `averaged` those
    averaged over the places of the joinpoints; neither, those of the delta method.
    """

    most: int
    choose: str = "permutation"
    minimum_end: int = 2
    minimum_between: int = 2
    grid_between: int = 0
    harmonics: int = 0
    rho: float | None = 0.0
    alpha: float = 0.05
    permutations: int = 4499
    samples: int = 0
    averaged: bool = False
    seed: int = 1


def choose_number(
    grid: Grid, noise: Noise, response: Array, season: Array, settings: Settings
) -> tuple[int, list[PermutationTest], list[dict[str, float]], Array]:
    """The number of joinpoints, how it came about, and the whitened data without season.

    Where more joinpoints turn up than the season was found beside, the season took part of a bend: it is found
    again beside that many, and the choice is made again.
    """
    beside = min(settings.most, NUISANCE_JOINPOINTS)
    tests: list[PermutationTest] = []
    for _ in range(ROUNDS):
        row = noise.whiten(response - _seasonal(grid, noise, response, season, beside))
        scores = criteria(grid, row, settings.most)
        if settings.choose == "fixed":
            k = settings.most
        elif settings.choose == "permutation":
            k, tests = permutation_sequence(
                grid,
                row,
                settings.most,
                alpha=settings.alpha,
                permutations=settings.permutations,
                seed=settings.seed,
            )
        else:
            k = int(min(scores, key=lambda score: score[settings.choose])["joinpoints"])
        if not season.shape[1] or k <= beside:
            break
        beside = k
    return k, tests, scores, row


def settle_line(
    grid: Grid, noise: Noise, response: Array, season: Array, k: int, row: Array
) -> tuple[Line, Array]:
    """Joinpoints, line and season in turn, until the joinpoints stay where they are."""
    import numpy as np

    last: Array | None = None
    for _ in range(ROUNDS):
        joinpoints = grid.where[least_squares(grid, row[:, None], k)[1][0]]
        line = fit_line(grid.times, noise, response, joinpoints, season)
        seasonal = season @ line.coefficients[len(line.coefficients) - season.shape[1] :]
        row = noise.whiten(response - seasonal)
        if not season.shape[1] or (last is not None and np.array_equal(last, joinpoints)):
            break
        last = joinpoints
    return line, row


def _seasonal(grid: Grid, noise: Noise, response: Array, season: Array, joinpoints: int) -> Array:
    """The season beside a line with a given number of joinpoints."""
    if not season.shape[1]:
        return season.sum(axis=1)
    line, _ = settle_line(grid, noise, response, season, joinpoints, noise.whiten(response))
    return season @ line.coefficients[len(line.coefficients) - season.shape[1] :]


def estimate_rho(months: Array, times: Array, response: Array, weights: Array, settings: Settings) -> float:
    """Autocorrelation of the errors, from residuals, their bias reduced.

    Residuals of p parameters are less correlated than the errors: E(r) is near rho - (p / n)(1 + rho), which is
    solved for rho (an approximation, held against simulation in benchmarks/trends.py). Below 0 counts as 0.
    """
    rho, season = 0.0, season_columns(months, settings.harmonics)
    k = min(settings.most, NUISANCE_JOINPOINTS)
    share = (2 + 2 * k + season.shape[1]) / len(months)
    for _ in range(ROUNDS):
        noise = make_noise(months, weights, rho)
        grid = make_grid(
            times, noise, minimum_end=settings.minimum_end, minimum_between=settings.minimum_between
        )
        line, _ = settle_line(grid, noise, response, season, k, noise.whiten(response))
        seasonal = season @ line.coefficients[len(line.coefficients) - season.shape[1] :]
        found = lag_one(months, weights, response - line.values(times) - seasonal)
        rho = min(max((found + share) / (1 - share), 0.0), MOST)
    return rho


def season_columns(months: Array, harmonics: int) -> Array:
    """Cosine and sine of each harmonic of the year, shape (n, 2 x harmonics)."""
    import numpy as np

    angles = 2 * np.pi * months / MONTHS_PER_YEAR
    columns = [wave(h * angles) for h in range(1, harmonics + 1) for wave in (np.cos, np.sin)]
    return np.column_stack(columns) if columns else np.zeros((len(months), 0))
