"""Priors that draw to the simpler model: no spread between areas, and none of it spatial. Arrays only.

D Simpson et al., Stat Sci 2017;32:1-28 (penalised complexity); for the share of spatial spread A Riebler et al., Stat
Methods Med Res 2016;25:1145-65. The distance from the simpler model is exponential: of the standard deviation itself,
and for the share phi of d(phi) = sqrt(2 x the Kullback-Leibler distance of the two Gaussian models), up to d(1). The
level of a connected part is no pattern and takes no part in d; counting it in would send d(1) to infinity and pile
prior weight at phi = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FLAT = 1e-6  # the smallest rate: phi is then nearly uniform in its distance


@dataclass(frozen=True)
class SharePrior:
    """Penalised complexity prior of the share of spread that is spatial.

    Attributes:
        excess: Eigenvalues of the scaled spatial covariance, less 1.
        rate: Of the exponential distance.
    """

    excess: NDArray[np.float64]
    rate: float

    def distance(self, phi: float) -> float:
        """d(phi), 0 where nothing is spatial."""
        grown = phi * self.excess
        return sqrt(max(float((grown - np.log1p(grown)).sum()), 0.0))

    def below(self, phi: float) -> float:
        """Prior probability of a share below phi.

        >>> round(share_prior(np.array([0.2, 0.5, 2.0]), 0.5, 2 / 3).below(0.5), 6)
        0.666667
        """
        return expm1(-self.rate * self.distance(phi)) / expm1(-self.rate * self.distance(1.0))


def share_prior(variances: NDArray[np.float64], middle: float, below: float) -> SharePrior:
    """The prior with P(phi < middle) = below.

    Args:
        variances: Eigenvalues of the scaled spatial covariance, above 0; not all 1.
        middle: A share.
        below: A probability; where even a flat distance puts more below the middle, that is taken.
    """
    from scipy.optimize import brentq

    excess = np.asarray(variances, dtype=np.float64) - 1

    def gap(rate: float) -> float:
        return SharePrior(excess, rate).below(middle) - below

    if gap(_FLAT) >= 0:
        return SharePrior(excess, _FLAT)
    most = 1.0
    while gap(most) < 0:
        most *= 2
    return SharePrior(excess, float(brentq(gap, _FLAT, most, xtol=1e-12)))


def spread_rate(upper: float, above: float) -> float:
    """Rate of the exponential prior of a standard deviation with P(sigma > upper) = above.

    >>> round(spread_rate(1.0, 0.01), 4)
    4.6052
    """
    return -log(above) / upper
