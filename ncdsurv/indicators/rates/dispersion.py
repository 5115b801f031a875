"""How much more areas differ than chance allows, from z-scores whose tails are drawn in.

DJ Spiegelhalter, Funnel plots for comparing institutional performance, Stat Med 2005;24:1185-202, section on
over-dispersion; DJ Spiegelhalter, Handling over-dispersion of performance indicators, Qual Saf Health Care
2005;14:347-51. With z = (y - benchmark) / s, the lowest and highest tenth drawn in to their quantiles:
- multiplicative: phi = mean(z^2), at least 1; variances times phi.
- additive: tau^2 = (I phi - (I - 1)) / (sum w - sum w^2 / sum w), w = 1 / s^2, at least 0 (R DerSimonian, N Laird,
  Control Clin Trials 1986;7:177-88, with the drawn-in z); variances plus tau^2.
"""

from __future__ import annotations

import numpy as np

from ncdsurv.errors import StatisticsError
from ncdsurv.indicators.rates.given import Floats, is_number, numbers, same_shape

NONE, MULTIPLICATIVE, ADDITIVE = "none", "multiplicative", "additive"
WAYS = (NONE, MULTIPLICATIVE, ADDITIVE)
WINSORISE = 0.1


def winsorised(z: Floats, share: float = WINSORISE) -> Floats:
    """The z-scores with the `share` lowest and highest drawn in to that quantile (R's type 7); NaN is left out.

    Raises:
        StatisticsError: Scores that are no numbers, a share out of range.

    >>> winsorised([-9.0, 0.0, 0.5, 1.0, 9.0], 0.25).tolist()
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    if not is_number(share) or not 0 <= share < 0.5:
        raise StatisticsError("share to winsorise out of range", got=share, allowed="0 to below 0.5")
    scores = numbers("z-score", z, negative=True)
    known = scores[~np.isnan(scores)]
    if not known.size:
        return scores
    low, high = np.quantile(known, [share, 1 - share])
    return np.clip(scores, low, high)


def overdispersion(
    value: Floats, variance: Floats, benchmark: float, share: float = WINSORISE
) -> tuple[float, float]:
    """The factor and the between-area variance of values about a benchmark.

    Args:
        value: Of each area; NaN is left out.
        variance: By chance alone, at the benchmark; more than 0.
        benchmark: The common value.
        share: Share of the z-scores drawn in at either end.

    Returns:
        (phi >= 1, tau squared >= 0, in the value's unit squared).

    Raises:
        StatisticsError: Fewer than two areas, arrays of different lengths, a negative variance, a share or benchmark
            that is no number.

    >>> phi, tau2 = overdispersion([0.2, 0.8, 0.4, 0.6], [0.01] * 4, 0.5, 0)
    >>> round(phi, 6), round(tau2, 6)
    (5.0, 0.056667)
    """
    if not is_number(benchmark):
        raise StatisticsError("a benchmark that is no number", got=benchmark, do="give the common value")
    y, v = same_shape(value=numbers("value", value, negative=True), variance=numbers("variance", variance))
    known = ~np.isnan(y) & (v > 0)
    y, weight = y[known], 1 / v[known]
    if y.size < 2:
        raise StatisticsError("too few areas to judge dispersion", got=y.size, allowed="2 or more")
    z = winsorised((y - benchmark) * np.sqrt(weight), share)
    phi = float(np.mean(z**2))
    below = weight.sum() - (weight**2).sum() / weight.sum()
    return max(1.0, phi), max(0.0, float((y.size * phi - (y.size - 1)) / below))


def dispersion_p_value(phi: float, areas: int) -> float:
    """Chance of a mean squared z of `phi` or more among areas that differ by chance alone.

    Their sum of squares is then nearly chi-square with one degree of freedom an area. Drawing in the tails makes it
    smaller, so the answer is on the cautious side: dispersion is seen a little less often than it is there.

    Args:
        phi: Mean of the squared z-scores.
        areas: Number of areas, 1 or more.

    >>> round(dispersion_p_value(1.0, 100), 3), dispersion_p_value(4.0, 100) < 1e-9
    (0.481, True)
    """
    from scipy.special import chdtrc

    return float(chdtrc(areas, areas * phi))
