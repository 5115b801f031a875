"""How often the 95 % interval of `ns.forecast` holds what comes, 1, 12 and 24 months ahead.

    python -m benchmarks.forecast                  # 1,000 series of each kind, as a table
    python -m benchmarks.forecast --series 200 --json

Series with slope, season and noise, of 72 months, cut after 48 (or 36). They differ in how much their level drifts by
month, as a multiple of the noise; the last kinds are series that the model is wrong for: a slope that changes after the
last month known, counts of few people, and values that look back three months.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from ncdsurv.trends.forecast.model import fit_forecast, to_scale

MONTHS, AHEAD, PROMISED, NOISE = 72, (1, 12, 24), 0.95, 0.05
Draw = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Held:
    """Share of series whose month `ahead` lay in the interval, as given and before the back-test widened it."""

    name: str
    known: int
    ahead: int
    given: float
    raw: float
    series: int

    @property
    def error(self) -> float:
        """Standard error of a share, were the promise kept."""
        return sqrt(PROMISED * (1 - PROMISED) / self.series)

    def line(self) -> str:
        """The study as a row of the table."""
        return f"{self.name:<42}{self.known:>6}{self.ahead:>7}{self.given:>9.3f}{self.raw:>9.3f}   +- {self.error:.3f}"


def drifting(ratio: float) -> Draw:
    """A level that drifts by `ratio` times the noise a month, with slope and season."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        at = np.arange(MONTHS)
        level = np.cumsum(rng.normal(0, ratio * NOISE, MONTHS)) + 0.004 * at + 0.05 * np.cos(at * np.pi / 6)
        return level + rng.normal(0, NOISE, MONTHS)

    return draw


def few_people(rng: np.random.Generator) -> np.ndarray:
    """Shares of 60 people on the logit scale, no drift beyond chance."""
    share = 1 / (1 + np.exp(0.8 - 0.004 * np.arange(MONTHS)))
    return to_scale(rng.binomial(60, share).astype(float), np.full(MONTHS, 60.0), True)


def windows(rng: np.random.Generator) -> np.ndarray:
    """Means over three months of a drifting level."""
    y = drifting(0.4)(rng)
    return np.r_[y[:2], (y[2:] + y[1:-1] + y[:-2]) / 3]


def bent(rng: np.random.Generator) -> np.ndarray:
    """A slope that turns after the last month known: no method can foresee it."""
    return drifting(0.1)(rng) - 0.01 * np.maximum(np.arange(MONTHS) - 47, 0)


KINDS: dict[str, tuple[Draw, int]] = {
    "no drift": (drifting(0.0), 48),
    "drift 0.1 of the noise": (drifting(0.1), 48),
    "drift 0.4 of the noise": (drifting(0.4), 48),
    "drift 0.4 of the noise, shorter": (drifting(0.4), 36),
    "drift 1 of the noise": (drifting(1.0), 48),
    "drift 3 of the noise": (drifting(3.0), 48),
    "60 people, no drift": (few_people, 48),
    "wrong model: windows of 3 months": (windows, 48),
    "wrong model: the slope turns": (bent, 48),
}


def coverage(name: str, series: int, seed: int = 1) -> list[Held]:
    """Shares held by the intervals of one kind of series, by months ahead."""
    draw, known = KINDS[name]
    rng, hits = np.random.default_rng(seed), np.zeros((len(AHEAD), 2))
    at = np.array(AHEAD) - 1
    for _ in range(series):
        y = draw(rng)
        found = fit_forecast(y[:known], max(AHEAD), first_origin=24, origins=6)
        come = y[known : known + max(AHEAD)]
        for column, below in enumerate((found.below(come), found.mixture.cdf(come))):
            hits[:, column] += np.abs(2 * below[at] - 1) <= PROMISED
    shares = hits / series
    return [
        Held(name, known, ahead, float(shares[row, 0]), float(shares[row, 1]), series)
        for row, ahead in enumerate(AHEAD)
    ]


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=1000, help="simulated series of each kind")
    parser.add_argument("--json", action="store_true", help="a last line of JSON")
    arguments = parser.parse_args()
    print(f"{'series':<42}{'known':>6}{'ahead':>7}{'given':>9}{'raw':>9}   Monte Carlo error")
    every = []
    for name in KINDS:
        for study in coverage(name, arguments.series):
            print(study.line(), flush=True)
            every.append(vars(study) | {"promised": PROMISED, "error": study.error})
    if arguments.json:
        print(json.dumps(every))


if __name__ == "__main__":
    main()
