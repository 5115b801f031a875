"""Do the trends keep what they promise? Simulated series with a known truth, run by hand and small in the tests.

    python -m benchmarks.trends                  # every study, the full size, as a table
    python -m benchmarks.trends --series 60      # smaller
    python -m benchmarks.trends --time           # processor time of the permutation test instead, compiled and not
    python -m benchmarks.trends --time --json    # and a last line of JSON

A false positive is a joinpoint in a series that has none; coverage is the share of intervals that hold the true
change. Each is printed with the error of the simulation, and beside the level it should keep.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, floor, sqrt

import numpy as np

from ncdsurv.errors import StatisticsError
from ncdsurv.trends.joinpoint.grid import make_grid
from ncdsurv.trends.joinpoint.model import Settings, fit_joinpoint_model
from ncdsurv.trends.joinpoint.noise import make_noise
from ncdsurv.trends.joinpoint.permute import permutation_p, permutation_sequence
from ncdsurv.trends.kendall.ranks import mann_kendall_test
from ncdsurv.trends.model import fit_rate_model

FIRST, NOISE, BEFORE, BEND, LEVEL = 24301.0, 0.05, 0.10, -0.35, 0.05
Draw = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True)
class Study:
    """Share of simulated series in which something happened, and the share that was promised."""

    name: str
    promised: float
    found: int
    series: int

    @property
    def share(self) -> float:
        """What was found."""
        return self.found / self.series

    @property
    def error(self) -> float:
        """Standard error of the share, were the promise kept."""
        return sqrt(self.promised * (1 - self.promised) / self.series)

    def line(self) -> str:
        """The study as a row of the table."""
        return f"{self.name:<72}{self.promised:>9.3f}{self.share:>9.3f}   +- {self.error:.3f}"


def independent(rng: np.random.Generator, n: int) -> np.ndarray:
    """Errors of months that share nothing."""
    return rng.normal(0, NOISE, n)


def overlapping(rng: np.random.Generator, n: int) -> np.ndarray:
    """Errors of values that each look back three months."""
    single = rng.normal(0, NOISE, n + 2)
    return (single[2:] + single[1:-1] + single[:-2]) / sqrt(3)


def seasonal(rng: np.random.Generator, n: int) -> np.ndarray:
    """Independent errors on a strong season."""
    return rng.normal(0, NOISE, n) + 4 * NOISE * np.cos(2 * np.pi * np.arange(n) / 12)


def correlated(rng: np.random.Generator, n: int) -> np.ndarray:
    """First-order autocorrelation of 0.5."""
    out = rng.normal(0, NOISE, n)
    for at in range(1, n):
        out[at] = 0.5 * out[at - 1] + sqrt(1 - 0.25) * out[at]
    return out


def false_positives(name: str, draw: Draw, n: int, series: int, **settings: object) -> Study:
    """Series without joinpoint in which the permutation test or a criterion finds one."""
    rng, months = np.random.default_rng(1), FIRST + np.arange(n)
    found = 0
    for seed in range(series):
        own = Settings(**({"most": 3, "permutations": 199, "seed": seed} | settings))  # type: ignore[arg-type]
        found += fit_joinpoint_model(months, BEFORE * np.arange(n) / 12 + draw(rng, n), np.ones(n), own).k > 0
    return Study(f"joinpoint where there is none: {name}, {n} months", LEVEL, found, series)


def coverage(name: str, draw: Draw, n: int, series: int, **settings: object) -> list[Study]:
    """Intervals of a series with one joinpoint in the middle: first segment, last segment, average, joinpoint."""
    rng, months = np.random.default_rng(2), FIRST + np.arange(n)
    bend_at = n // 2
    line = (BEFORE * np.arange(n) + BEND * np.maximum(np.arange(n) - bend_at, 0)) / 12
    truth = [BEFORE, BEFORE + BEND, (line[-1] - line[0]) * 12 / (n - 1)]
    held = [0, 0, 0, 0]
    for seed in range(series):
        own = Settings(**({"most": 1, "choose": "fixed", "seed": seed} | settings))  # type: ignore[arg-type]
        model = fit_joinpoint_model(months, line + draw(rng, n), np.ones(n), own)
        spans = [*model.segments, model.average(months[0], months[-1])]
        for at, (span, true) in enumerate(zip(spans, truth)):
            held[at] += span.lower is not None and span.lower <= true <= (span.upper or 0.0)
        limits = model.joinpoint_limits[0]
        # As the result tells it: whole months, rounded outwards.
        held[3] += limits is not None and floor(limits[0]) <= months[bend_at] <= ceil(limits[1])
    parts = ("change before", "change after", "average (AAPC)", "joinpoint")
    return [
        Study(f"coverage of the {part}: {name}, {n} months", 0.95, count, series)
        for part, count in zip(parts, held)
    ]


def trend_coverage(
    name: str, draw: Draw, n: int, series: int, lag: int | None, step: int = 1, window: int = 1
) -> Study:
    """Intervals of the rate trend's annual change."""
    rng, months = np.random.default_rng(3), np.arange(n) + int(FIRST)
    people = np.full(n, 3000.0)
    held = 0
    for _ in range(series):
        counts = np.round(people * np.exp(np.log(0.4) + BEFORE * np.arange(n) / 12 + draw(rng, n)))
        kept = slice((n - 1) % step, None, step)
        model = fit_rate_model(counts[kept], people[kept], months[kept], harmonics=0, lag=lag, window=window)
        change = 100 * np.expm1(BEFORE)
        held += model.annual_change_lower <= change <= model.annual_change_upper
    return Study(f"coverage of ns.trend: {name}, {n} months", 0.95, held, series)


def kendall_positives(name: str, draw: Draw, n: int, series: int, step: int = 1, **settings: object) -> Study:
    """Series without trend that Mann-Kendall calls rising or falling."""
    rng, months = np.random.default_rng(4), FIRST + np.arange(n)
    found = 0
    for _ in range(series):
        kept = slice((n - 1) % step, None, step)
        try:
            test = mann_kendall_test(months[kept], draw(rng, n)[kept], **settings)  # type: ignore[arg-type]
        except StatisticsError:  # a correction without positive variance is refused, so nothing is claimed
            continue
        found += test.p_value < LEVEL
    return Study(f"Mann-Kendall where there is no trend: {name}, {n} months", LEVEL, found, series)


def studies(series: int) -> Iterator[Study]:
    """Every study, each of so many series."""
    third = 2 / 3  # what windows of three months imply
    yield false_positives("permutation test", independent, 36, series)
    yield false_positives("permutation test", independent, 60, series)
    yield false_positives("with season, 1 harmonic", seasonal, 36, series, harmonics=1)
    yield false_positives("with season, ignored", seasonal, 36, series)
    yield false_positives("windows of 3, rho 2/3 (default)", overlapping, 36, series, rho=third)
    yield false_positives("windows of 3, rho 2/3 (default)", overlapping, 60, series, rho=third)
    yield false_positives("windows of 3, ignored", overlapping, 36, series)
    yield false_positives("windows of 3, thinned", independent, 20, series)
    yield false_positives("autocorrelation 0.5, estimated", correlated, 60, series, rho=None)
    yield false_positives("weighted BIC", independent, 36, series, choose="wbic")
    yield false_positives("BIC", independent, 36, series, choose="bic")
    yield false_positives("BIC3", independent, 36, series, choose="bic3")
    for n in (36, 60):
        yield from coverage("averaged (default)", independent, n, series, averaged=True)
    windows = {"rho": third, "averaged": True}
    yield from coverage("averaged, windows of 3, rho 2/3", overlapping, 60, series, **windows)
    yield from coverage("delta", independent, 36, series)
    yield from coverage("delta", independent, 60, series)
    yield from coverage("delta, windows of 3, rho 2/3", overlapping, 60, series, rho=third)
    yield from coverage("resampled", independent, 36, max(series // 4, 20), samples=199)
    yield trend_coverage("independent", independent, 36, series, None)
    yield trend_coverage("windows of 3, ignored", overlapping, 36, series, None)
    yield trend_coverage("windows of 3, shared (default)", overlapping, 24, series, None, window=3)
    yield trend_coverage("windows of 3, shared (default)", overlapping, 36, series, None, window=3)
    yield trend_coverage("windows of 3, shared (default)", overlapping, 60, series, None, window=3)
    yield trend_coverage("windows of 3, Newey-West lag 3", overlapping, 36, series, 3)
    yield trend_coverage("windows of 3, Newey-West lag 3", overlapping, 60, series, 3)
    yield trend_coverage("windows of 3, thinned", overlapping, 60, series, None, step=3)
    yield kendall_positives("independent", independent, 36, series)
    yield kendall_positives("windows of 3, ignored", overlapping, 36, series)
    yield kendall_positives("windows of 3, thinned", overlapping, 36, series, step=3)
    yield kendall_positives(
        "windows of 3, Hamed-Rao lag 9", overlapping, 36, series, correction="hamed_rao", lags=9
    )
    yield kendall_positives(
        "seasons, Hirsch-Slack", overlapping, 120, series, season=True, correction="hirsch_slack"
    )


@dataclass(frozen=True)
class Timed:
    """Joinpoints found, p values of the tests, processor seconds and seconds of a whole sequence of tests."""

    name: str
    form: str
    found: int
    p_values: list[float]
    processor: float
    clock: float

    def line(self) -> str:
        """A row of the table."""
        return f"{self.name:<44}{self.form:<12}{self.found:>6}{self.processor:>9.1f}{self.clock:>9.1f}"


def permutation_time(
    points: int = 100, most: int = 4, permutations: int = 4499, form: str = "compiled"
) -> list[Timed]:
    """The sequence of tests for three kinds of series; the compiled form is loaded before the clock starts."""
    rng = np.random.default_rng(3)
    times = np.arange(points) / 12
    noise = make_noise(np.arange(float(points)), np.ones(points))
    grid = make_grid(times, noise)
    shapes = {
        "no joinpoint": np.zeros(points),
        "one": 1.2 * np.maximum(times - times[-1] / 2, 0),
        "three": np.interp(times, np.linspace(0, times[-1], 5), [0, 4, -1, 4, 0]),
    }
    permutation_p(grid, rng.normal(size=points), 0, 2, permutations=99, seed=1, form=form)
    out = []
    for name, shape in shapes.items():
        row = shape + rng.normal(size=points)
        clock, processor = time.perf_counter(), time.process_time()
        k, tests = permutation_sequence(
            grid, row, most, alpha=0.05, permutations=permutations, seed=1, form=form
        )
        spent = time.process_time() - processor, time.perf_counter() - clock
        out.append(Timed(name, form, k, [test.p_value for test in tests], *spent))
    return out


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=400, help="simulated series of each study")
    parser.add_argument("--time", action="store_true", help="processor time of the permutation test instead")
    parser.add_argument("--json", action="store_true", help="a last line of JSON")
    arguments = parser.parse_args()
    every: list[dict[str, object]] = []
    if arguments.time:
        print("100 points, at most 4 joinpoints, 4,499 permutations")
        print(f"{'series':<44}{'form':<12}{'found':>6}{'CPU, s':>9}{'wall, s':>9}")
        for form in ("compiled", "arrays"):
            for timed in permutation_time(form=form):
                print(timed.line(), flush=True)
                every.append(vars(timed))
    else:
        print(f"{'study':<72}{'promised':>9}{'found':>9}   Monte Carlo error")
        for study in studies(arguments.series):
            print(study.line(), flush=True)
            every.append(
                vars(study) | {"found": int(study.found), "share": float(study.share), "error": study.error}
            )
    if arguments.json:
        print(json.dumps(every))


if __name__ == "__main__":
    main()
