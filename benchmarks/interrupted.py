"""How often the interval of a step covers 0 where nothing changed: the three kinds of error of `ns.interrupted`.

    python -m benchmarks.interrupted [SERIES]

42 months, 800 people, rate 0.3 with 5 % of variation beyond chance, independent or with a lag-1 correlation of 0.4.
"""

from __future__ import annotations

import sys

import numpy as np

from ncdsurv.trends.interrupted.model import fit_segmented

MONTHS, AT, PEOPLE, RATE, SPREAD = np.arange(24277, 24319), 24301, 800.0, 0.3, 0.05
KINDS = {"own": {}, "newey_west_3": {"lag": 3}, "wider": {"lag": 3, "wider": True}}


def coverage(series: int, correlation: float, seed: int = 1) -> dict[str, float]:
    """Share of series whose 95 % interval of the step covers 0, by kind of error."""
    rng, people = np.random.default_rng(seed), np.full(len(MONTHS), PEOPLE)
    covered = dict.fromkeys(KINDS, 0)
    for _ in range(series):
        noise = np.zeros(len(MONTHS))
        for at in range(len(MONTHS)):
            before = correlation * noise[at - 1] if at else 0.0
            noise[at] = before + rng.normal(0, SPREAD * np.sqrt(1 - correlation**2))
        counts = rng.poisson(people * RATE * np.exp(noise)).astype(float)
        for kind, settings in KINDS.items():
            step = fit_segmented(counts, people, MONTHS, AT, **settings).level_change  # type: ignore[arg-type]
            covered[kind] += step.lower < 0 < step.upper
    return {kind: hits / series for kind, hits in covered.items()}


if __name__ == "__main__":
    for one in (0.0, 0.4):
        print(one, coverage(int(sys.argv[1]) if len(sys.argv) > 1 else 400, one))
