"""Do the cluster tests keep their level? Simulated areas without any effect, run by hand and small in the tests.

    python -m benchmarks.clusters                 # every study, the full size, as a table
    python -m benchmarks.clusters --maps 40       # fewer simulated maps
    python -m benchmarks.clusters --time          # processor time over the communes of the built-in pack instead
    python -m benchmarks.clusters --time --json   # the same as one JSON object of seconds

A map is a grid of areas with very unequal populations, one rate for all. A false positive is a map on which
anything at all is called a cluster (under no effect every discovery is false, so the false discovery rate is the
share of maps with one). Each share is printed with the error of the simulation, beside the level it must not pass.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass
from importlib.util import find_spec
from math import sqrt

import numpy as np
from scipy.sparse import csr_matrix

from ncdsurv.areas.correct import adjust_fdr
from ncdsurv.areas.moran import global_moran, local_moran
from ncdsurv.areas.neighbours import touching
from ncdsurv.areas.rates import standardise_rates
from ncdsurv.areas.scan import make_zones, scan_circles

LEVEL, SHARE, RATE = 0.05, 0.4, 0.003


@dataclass(frozen=True)
class Study:
    """Share of simulated maps (or areas) with a false positive, and the level promised."""

    name: str
    promised: float
    found: int
    trials: int
    maps: int

    @property
    def share(self) -> float:
        """What was found."""
        return self.found / self.trials

    @property
    def error(self) -> float:
        """Standard error of the share over independent maps, were the promise kept."""
        return sqrt(self.promised * (1 - self.promised) / self.maps)

    def line(self) -> str:
        """The study as a row of the table."""
        return f"{self.name:<66}{self.promised:>9.3f}{self.share:>9.3f}   +- {self.error:.3f}"


def grid(side: int) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    """Queen neighbours and centres of a square of areas."""
    import shapely

    x, y = (part.ravel().astype(float) for part in np.meshgrid(np.arange(side), np.arange(side)))
    cells = shapely.box(x, y, x + 1, y + 1)
    return touching([str(at) for at in range(side * side)], cells).matrix, x, y


def people(rng: np.random.Generator, n: int) -> np.ndarray:
    """Populations between about 40 and 4,000."""
    return np.exp(rng.normal(6, 1, n)).astype(np.int64) + 20


def moran_studies(
    maps: int, side: int, permutations: int, seed: int = 1, *, folded: bool = False
) -> list[Study]:
    """Local and global Moran on standardised shares and rare events; `folded` takes the smaller tail alone."""
    weights, _, _ = grid(side)
    n = side * side
    studies = []
    for family, rate in (("binomial", SHARE), ("poisson", RATE)):
        any_found = singles = overall = 0
        rng = np.random.default_rng(seed)
        for at in range(maps):
            population = people(rng, n)
            count = rng.binomial(population, rate)
            z = standardise_rates(count, population, family)
            local = local_moran(z, weights, permutations=permutations, alpha=LEVEL, seed=at)
            any_found += bool((adjust_fdr(local.p_value) <= LEVEL).any())
            singles += int(((local.p_folded if folded else local.p_value) <= LEVEL).sum())
            overall += global_moran(z, weights, permutations=199, seed=at).p_value <= LEVEL
        studies += [
            Study(f"local Moran, {family}, FDR: maps with a discovery", LEVEL, any_found, maps, maps),
            Study(f"local Moran, {family}, uncorrected: areas", LEVEL, singles, maps * n, maps),
            Study(f"global Moran, {family}: maps", LEVEL, int(overall), maps, maps),
        ]
    return studies


def scan_studies(maps: int, side: int, permutations: int, seed: int = 2) -> list[Study]:
    """The most likely cluster of maps without one."""
    _, x, y = grid(side)
    studies = []
    for model, rate in (("bernoulli", SHARE), ("poisson", RATE)):
        found = 0
        rng = np.random.default_rng(seed)
        for at in range(maps):
            population = people(rng, side * side)
            count = rng.binomial(population, rate)
            best = scan_circles(
                count, population, x, y, model=model, side="both", permutations=permutations, most=1, seed=at
            )
            found += bool(best) and best[0].p_value <= LEVEL
        studies.append(Study(f"scan, {model}: maps with a cluster", LEVEL, found, maps, maps))
    return studies


def measure_times(
    permutations: int = 9999, drawings: int = 999, level: str = "commune"
) -> list[tuple[str, int, float, float]]:
    """(what, areas, processor seconds, seconds on the wall) over all areas of a level of the built-in pack.

    What is compiled is compiled before the clock starts: a second call in a process is what is measured.
    """
    from ncdsurv.areas.neighbours import centroids_of, make_neighbours
    from ncdsurv.reference import load_reference

    reference = load_reference()
    areas = reference.areas(level, "2025")
    codes = areas["code"].to_list()
    where = dict(zip(areas["code"], zip(areas["lon"], areas["lat"])))
    rng = np.random.default_rng(3)
    population = people(rng, len(codes))
    count = rng.binomial(population, SHARE)
    z = standardise_rates(count, population, "binomial")
    found: list[tuple[str, int, float, float]] = []

    def timed(name: str, n: int, call):
        start, wall = time.process_time(), time.perf_counter()
        out = call()
        found.append((name, n, time.process_time() - start, time.perf_counter() - wall))
        return out

    n = len(codes)
    queen = timed("neighbours, queen", n, lambda: make_neighbours(reference, level, "2025", codes))
    linked = np.flatnonzero(queen.counts > 0)
    matrix = queen.matrix[linked][:, linked]
    timed(
        f"local Moran and Gi*, {permutations} permutations", len(linked),
        lambda: local_moran(z[linked], matrix, permutations=permutations, alpha=LEVEL),
    )  # fmt: skip
    timed(
        f"global Moran, {permutations} permutations", len(linked),
        lambda: global_moran(z[linked], matrix, permutations=permutations),
    )  # fmt: skip
    x, y = centroids_of(codes, where)
    if find_spec("numba"):
        import ncdsurv.areas.scan_drawings as drawings_of

        few = slice(0, 40)
        zones = make_zones(population[few].astype(float), x[few], y[few], 0.5)
        work = drawings_of.Work(
            zones, population[few].astype(float), int(count[few].sum()), "poisson", "both"
        )
        drawings_of.best_of_drawings(work, 1, np.random.default_rng(0), True)
    for model in ("poisson", "bernoulli"):
        timed(
            f"scan, {model}, both sides, {drawings} drawings", n,
            lambda model=model: scan_circles(
                count, population, x, y, model=model, side="both", permutations=drawings
            ),
        )  # fmt: skip
    return found


def print_times(as_json: bool) -> None:
    """Seconds as a table, or as one JSON object."""
    found = measure_times()
    if as_json:
        rows = [
            {"what": name, "areas": n, "processor_seconds": round(used, 3), "wall_seconds": round(took, 3)}
            for name, n, used, took in found
        ]
        print(json.dumps({"cores": os.cpu_count(), "numba": bool(find_spec("numba")), "times": rows}))
        return
    for name, n, used, took in found:
        print(f"{f'{name}, {n} areas':<66}{used:>9.2f} s processor{took:>9.2f} s wall")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--maps", type=int, default=1000, help="simulated maps of every study")
    parser.add_argument("--side", type=int, default=15, help="areas along the side of the square")
    parser.add_argument("--permutations", type=int, default=999)
    parser.add_argument("--time", action="store_true", help="processor time instead")
    parser.add_argument("--json", action="store_true", help="with --time: one JSON object")
    given = parser.parse_args()
    if given.json and not given.time:
        parser.error("--json goes with --time")
    if given.time:
        print_times(given.json)
        return
    print(f"{given.maps} maps of {given.side**2} areas, {given.permutations} permutations")
    print(f"{'study':<66}{'promised':>9}{'found':>9}   error of the simulation")
    for study in moran_studies(given.maps, given.side, given.permutations):
        print(study.line(), flush=True)
    for study in scan_studies(given.maps, given.side, min(given.permutations, 199)):
        print(study.line(), flush=True)


if __name__ == "__main__":
    main()
