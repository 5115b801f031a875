"""How often the 95 % interval of `ns.forecast` holds what comes, 1, 12 and 24 months ahead.

    python -m benchmarks.forecast [SERIES]

72 months of a drifting level (0.02 a month) with slope, season and noise (0.05), cut after 48.
"""

from __future__ import annotations

import sys

import numpy as np

from ncdsurv.trends.forecast.model import fit_forecast

MONTHS, KNOWN, AHEAD, QUANTILE = 72, 48, (1, 12, 24), 1.959964


def coverage(series: int, seed: int = 1) -> dict[int, tuple[float, float]]:
    """Share held, by months ahead: as given, and before the back-test widened it."""
    rng, held = np.random.default_rng(seed), {ahead: [0, 0] for ahead in AHEAD}
    at = np.arange(MONTHS)
    for _ in range(series):
        level = np.cumsum(rng.normal(0, 0.02, MONTHS)) + 0.004 * at + 0.05 * np.cos(at * np.pi / 6)
        y = level + rng.normal(0, 0.05, MONTHS)
        found = fit_forecast(y[:KNOWN], max(AHEAD), first_origin=24, origins=6)
        for ahead, hits in held.items():
            z = abs(y[KNOWN + ahead - 1] - found.mean[ahead - 1]) / found.error[ahead - 1]
            hits[0] += z < QUANTILE
            hits[1] += z * found.backtest.factor < QUANTILE
    return {ahead: (hits[0] / series, hits[1] / series) for ahead, hits in held.items()}


if __name__ == "__main__":
    print(coverage(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
