"""A joinpoint model of one series, arrays in: noise, season, number of joinpoints, lines and intervals."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR
from ncdsurv.errors import StatisticsError
from ncdsurv.trends.joinpoint.averaged import Places, weigh_places
from ncdsurv.trends.joinpoint.grid import make_grid, most_joinpoints
from ncdsurv.trends.joinpoint.infer import Line
from ncdsurv.trends.joinpoint.noise import make_noise
from ncdsurv.trends.joinpoint.permute import PermutationTest
from ncdsurv.trends.joinpoint.resample import resample_lines
from ncdsurv.trends.joinpoint.spans import Span, averaged_spans, span_of
from ncdsurv.trends.joinpoint.steps import Settings, choose_number, estimate_rho, season_columns, settle_line

__all__ = ["JoinpointModel", "Settings", "Span", "fit_joinpoint_model"]

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class JoinpointModel:
    """A fitted model; times are in years from the first month, `joinpoints` in month indices."""

    months: Array
    line: Line
    rho: float
    joinpoints: Array
    joinpoint_limits: list[tuple[float, float] | None]
    segments: list[Span]
    tests: list[PermutationTest]
    criteria: list[dict[str, float]]
    fitted: Array
    trend: Array
    lower: Array | None
    upper: Array | None
    residuals: Array
    confidence: float
    drawn: list[Line]
    places: Places | None = None

    @property
    def k(self) -> int:
        """Number of joinpoints."""
        return len(self.joinpoints)

    def average(self, first: float, last: float) -> Span:
        """Average change per year between two months, the joinpoints counted as estimated.

        Args:
            first: Month index where the interval begins.
            last: Month index where it ends, later than `first`.

        Returns:
            The span; its interval comes the same way as those of the segments.
        """
        start, end = (float(at - self.months[0]) / MONTHS_PER_YEAR for at in (first, last))
        if self.places is not None:
            estimate = self.line.average(start, end)
            return averaged_spans(
                [(first, last)], [estimate], self.places.average(start, end), self.confidence
            )[0]
        drawn = [line.average(start, end)[0] for line in self.drawn]
        return span_of(first, last, self.line.average(start, end), drawn, self.line.freedom, self.confidence)


def fit_joinpoint_model(
    months: Array, response: Array, weights: Array, settings: Settings, *, confidence: float = 0.95
) -> JoinpointModel:
    """Fit segmented lines, choose their number, and give changes per year with intervals.

    Args:
        months: Ascending month indices (year x 12 + month), shape (n,); gaps are allowed.
        response: What changes linearly in time: the logarithm of a rate, or the rate itself, shape (n,).
        weights: Reciprocals of the response's variances up to a common factor, shape (n,).
        settings: Choice of the number of joinpoints, distances, season, autocorrelation.
        confidence: Of every interval.

    Returns:
        The model.

    Raises:
        StatisticsError: Too few months for the joinpoints asked for, or for one line.

    >>> import numpy as np
    >>> months = np.arange(24300.0, 24336.0)
    >>> bent = np.maximum(months - 24318, 0) / 12 + 0.01 * np.cos(7 * months)
    >>> found = fit_joinpoint_model(months, bent, np.ones(36), Settings(most=2, permutations=99))
    >>> found.joinpoints.tolist(), round(found.segments[1].change, 1)
    ([24318.0], 1.0)
    """
    import numpy as np

    months, response = np.asarray(months, dtype=float), np.asarray(response, dtype=float)
    season = season_columns(months, settings.harmonics)
    room = most_joinpoints(len(months), settings.minimum_end, settings.minimum_between)
    if settings.most > room or len(months) < 2 * settings.most + 3 + season.shape[1]:
        raise StatisticsError(
            "too few months for so many joinpoints",
            got=f"{len(months)} months for {settings.most} joinpoints",
            allowed=f"at most {room} with the minimum distances asked for",
            do="lower max_joinpoints or take more months",
        )
    times: Array = (months - months[0]) / MONTHS_PER_YEAR
    rho = (
        settings.rho if settings.rho is not None else estimate_rho(months, times, response, weights, settings)
    )
    noise = make_noise(months, weights, rho)
    grid = make_grid(
        times,
        noise,
        minimum_end=settings.minimum_end,
        minimum_between=settings.minimum_between,
        between=settings.grid_between,
    )
    k, tests, scores, row = choose_number(grid, noise, response, season, settings)
    line, row = settle_line(grid, noise, response, season, k, row)
    drawn = (
        resample_lines(grid, row, line, samples=settings.samples, seed=settings.seed)
        if settings.samples
        else []
    )
    places = weigh_places(grid, response, season, row, line) if settings.averaged else None
    return _describe(months, times, response, season, line, rho, tests, scores, drawn, places, confidence)


def _describe(
    months: Array,
    times: Array,
    response: Array,
    season: Array,
    line: Line,
    rho: float,
    tests: list[PermutationTest],
    scores: list[dict[str, float]],
    drawn: list[Line],
    places: Places | None,
    confidence: float,
) -> JoinpointModel:
    import numpy as np
    from scipy import stats

    joinpoints = months[0] + line.joinpoints * MONTHS_PER_YEAR
    edges = [float(months[0]), *(float(at) for at in joinpoints), float(months[-1])]
    slopes_drawn = [[slope for slope, _ in one.slopes()] for one in drawn]
    segments = [
        span_of(first, last, slope, [slopes[at] for slopes in slopes_drawn], line.freedom, confidence)
        for at, (first, last, slope) in enumerate(zip(edges, edges[1:], line.slopes()))
    ]
    if places is not None:
        segments = averaged_spans(list(pairwise(edges)), line.slopes(), places.slopes(), confidence)
    trend = line.values(times)
    fitted = trend + season @ line.coefficients[len(line.coefficients) - season.shape[1] :]
    errors = line.value_errors(times)
    quantile = float(stats.t.ppf(0.5 + confidence / 2, line.freedom)) if line.freedom > 0 else np.nan
    limits: list[tuple[float, float] | None] = []
    for at, error in enumerate(line.joinpoint_errors()):
        centre, reach = joinpoints[at], None if error is None else quantile * error * MONTHS_PER_YEAR
        if places is not None:
            low, high = places.joinpoint_limits(confidence)[at]
            limits.append((months[0] + low * MONTHS_PER_YEAR, months[0] + high * MONTHS_PER_YEAR))
        elif drawn:
            tail = (1 - confidence) / 2
            low, high = np.quantile([one.joinpoints[at] for one in drawn], [tail, 1 - tail])
            limits.append((months[0] + low * MONTHS_PER_YEAR, months[0] + high * MONTHS_PER_YEAR))
        elif reach is None:
            limits.append(None)
        else:
            limits.append((max(centre - reach, edges[0]), min(centre + reach, edges[-1])))
    return JoinpointModel(
        months=months,
        line=line,
        rho=rho,
        joinpoints=joinpoints,
        joinpoint_limits=limits,
        segments=segments,
        tests=tests,
        criteria=scores,
        fitted=fitted,
        trend=trend,
        lower=None if errors is None else trend - quantile * errors,
        upper=None if errors is None else trend + quantile * errors,
        residuals=response - fitted,
        confidence=confidence,
        drawn=drawn,
        places=places,
    )
