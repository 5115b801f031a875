"""The BYM2 model of counts on a map. Arrays only; the density itself is compiled in `kernel`.

    count ~ Poisson(people x exp(eta)) or Binomial(people, 1 / (1 + exp(-eta)))
    eta = start + level + sigma (sqrt(1 - phi) v + sqrt(phi) u),  v standard normal, u the scaled prior of `structure`

A Riebler et al., Stat Methods Med Res 2016;25:1145-65. The sum of v and u is normal with covariance
(1 - phi) I + phi S, so in the patterns (eigenvectors) of S it falls apart into n independent numbers of variance
1 - phi + phi x eigenvalue: those are sampled, with level, log sigma and logit phi, and v and u need not be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.areas.bayes.prior import SharePrior
from ncdsurv.areas.bayes.structure import Structure
from ncdsurv.areas.rates import BINOMIAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_SPREAD = 0.05  # of the first guess of sigma, which only chooses the form in which patterns are sampled


@dataclass(frozen=True)
class Model:
    """Data and priors of one map of n areas.

    Attributes:
        count, people: Float64 (n,).
        family: `poisson` or `binomial`.
        structure: Who borders whom.
        sigma_rate: Of the exponential prior of sigma.
        phi_prior: Of phi.
        level_spread: Standard deviation of the normal prior of the level about `start`.
    """

    count: NDArray[np.float64]
    people: NDArray[np.float64]
    family: str
    structure: Structure
    sigma_rate: float
    phi_prior: SharePrior
    level_spread: float

    @property
    def size(self) -> int:
        """Numbers sampled."""
        return 3 + len(self.count)

    @cached_property
    def start(self) -> float:
        """The overall rate on the scale of eta, a case and a person without one added."""
        cases, people = float(self.count.sum()), float(self.people.sum())
        if self.family == BINOMIAL:
            return log((cases + 1) / (people - cases + 1))
        return log((cases + 1) / people)

    @cached_property
    def _centred(self) -> NDArray[np.float64]:
        """How far each pattern is sampled as itself (1) or in units of its standard deviation (0).

        A pattern that the data tell well moves freely as itself, one they hardly see in units of its prior; between
        them goes the share of its variance that is not noise. A rough guess serves: it changes no answer, only how
        fast the chains move.
        """
        mean = self.count.sum() / self.people.sum()
        weight = mean * (1 - mean) if self.family == BINOMIAL else mean
        noise = 1 / (weight * self.people.mean())
        off = (self.count / self.people - mean) / weight
        between = np.average(off**2, weights=self.people) - noise
        # The smaller of the variances at phi = 0.5 and 0.95, and squared: where sigma nears 0, or phi nears 1 for a
        # pattern that is not spatial, the units of the prior are the safe ones.
        smooth = self.structure.variances
        spread = max(float(between), _LEAST_SPREAD**2) * np.minimum(0.5 + 0.5 * smooth, 0.05 + 0.95 * smooth)
        return (spread / (spread + noise)) ** 2

    @cached_property
    def _excess(self) -> NDArray[np.float64]:
        return self.structure.variances - 1

    @cached_property
    def _numbers(self) -> tuple[Any, ...]:
        patterns = np.ascontiguousarray(self.structure.patterns)
        return (
            self.count, self.people, self.family == BINOMIAL, self.start, self.level_spread, self.sigma_rate, patterns,
            np.ascontiguousarray(patterns.T), self._excess, self.structure.levels, self.phi_prior.rate, self._centred,
        )  # fmt: skip

    def log_density(self, x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Log density (up to a constant) and gradient at x, shape (size,)."""
        from ncdsurv.areas.bayes.kernel import log_density

        return log_density(x, *self._numbers)

    def read(self, x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """What is kept of a draw: rates per person, level, sigma, phi."""
        from ncdsurv.areas.bayes.kernel import FIRST, mixture

        sigma, phi, log_spread = mixture(x, self._excess)
        swing = self.structure.patterns @ (np.exp((1 - self._centred) * log_spread) * x[FIRST:])
        eta = self.start + x[0] + swing
        rate = 1 / (1 + np.exp(-eta)) if self.family == BINOMIAL else np.exp(eta)
        return {
            "rate": rate, "level": np.array(self.start + x[0]), "sigma": np.array(sigma), "phi": np.array(phi),
        }  # fmt: skip
