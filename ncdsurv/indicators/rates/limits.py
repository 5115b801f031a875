"""Funnel limits at a benchmark for areas of some sizes; the paper and the forms: `funnel`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.errors import StatisticsError
from ncdsurv.indicators.rates.given import CONFIDENCE, Floats, choice, is_number, numbers, positive, z_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

NORMAL, EXACT = "normal", "exact"
SHARE, RATE, RATIO = "proportion", "rate", "ratio"


def funnel_limits(
    size: ArrayLike,
    benchmark: float,
    *,
    statistic: str = SHARE,
    confidence: float = CONFIDENCE,
    method: str = NORMAL,
    phi: float = 1.0,
    tau2: float = 0.0,
) -> tuple[Floats, Floats]:
    """Limits at a benchmark for areas of some sizes: also the curves of a plot.

    Args:
        size: People, person-time or expected events of each area; NaN or 0 gives NaN.
        benchmark: As a share, a rate per person or a ratio.
        statistic: "proportion", "rate" or "ratio".
        confidence: Two-sided, above 0 and below 1.
        method: "normal" or "exact" (whole sizes only, for proportions).
        phi: Variances are multiplied by it.
        tau2: Is added to variances.

    Returns:
        (lower, upper), Float64, in the benchmark's unit.

    Raises:
        StatisticsError: A negative size, a benchmark, confidence, phi or tau2 out of range, exact limits of a total
            that is not whole or with over-dispersion.

    >>> lower, upper = funnel_limits([100, 400], 0.5)
    >>> [round(float(limit), 4) for limit in (*lower, *upper)]
    [0.402, 0.451, 0.598, 0.549]
    """
    choice("statistic", statistic, (SHARE, RATE, RATIO))
    z, n = z_of(confidence), numbers("size", size)
    n = np.where(n > 0, n, np.nan)
    most = 1.0 if statistic == SHARE else np.inf
    if not is_number(benchmark) or not 0 < benchmark < most:
        raise StatisticsError("benchmark out of range", got=benchmark, allowed=f"above 0, below {most:g}")
    positive("phi", phi)
    if not is_number(tau2) or not 0 <= tau2 < np.inf:
        raise StatisticsError("tau2 out of range", got=tau2, allowed="0 or more")
    if choice("method", method, (NORMAL, EXACT)) == NORMAL:
        half = z * np.sqrt(phi * variance_at(benchmark, n, statistic) + tau2)
        return np.clip(benchmark - half, 0, most), np.clip(benchmark + half, 0, most)
    if phi != 1 or tau2 != 0:
        raise exact_with_dispersion()
    tail = (1 - confidence) / 2
    return tuple(np.clip(_quantile(p, n, benchmark, statistic), 0, most) for p in (tail, 1 - tail))  # type: ignore[return-value]


def exact_with_dispersion() -> StatisticsError:
    """The error of exact limits that are to be widened."""
    return StatisticsError("exact limits with over-dispersion", allowed="the normal method")


def variance_at(benchmark: float, size: Floats, statistic: str) -> Floats:
    """The variance by chance alone of an area of a size at the benchmark."""
    return benchmark * (1 - benchmark if statistic == SHARE else 1.0) / size


def tails(count: Floats, size: Floats, benchmark: float, statistic: str) -> tuple[Floats, Floats]:
    """How likely chance alone gives an area of its size at most, and at least, its count.

    >>> at_most, at_least = tails(np.array([2.0]), np.array([2.0]), 0.4, SHARE)
    >>> round(float(at_most[0]), 2), round(float(at_least[0]), 2)
    (1.0, 0.16)
    """
    law = _law(np.where(size > 0, size, np.nan), benchmark, statistic)
    return law.cdf(count), law.sf(np.ceil(count) - 1)


def _quantile(p: float, n: Floats, benchmark: float, statistic: str) -> Floats:
    law = _law(n, benchmark, statistic)
    r = law.ppf(p)
    at, before = law.cdf(r), law.cdf(r - 1)
    return (r - (at - p) / (at - before)) / n


def _law(n: Floats, benchmark: float, statistic: str) -> Any:
    from scipy.stats import binom, poisson

    if statistic != SHARE:
        return poisson(n * benchmark)
    if np.any(n[~np.isnan(n)] % 1):
        raise StatisticsError("exact limits of a total that is not whole", allowed="the normal method")
    return binom(n, benchmark)
