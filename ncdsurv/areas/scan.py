"""Kulldorff's spatial scan: which circle of neighbouring areas is least like the rest. Arrays only.

Method: M Kulldorff, Commun Stat Theory Methods 1997;26:1481-96. Circles of growing radius around every area, up to a
share of the population; the likelihood ratio of each; p values by drawing the same number of cases anew over the
population and scanning again (`scan_drawings`), so that the many circles are paid for. Areas without cases are areas
like others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ncdsurv.areas.rates import BINOMIAL, POISSON, check_counts
from ncdsurv.areas.scan_drawings import BERNOULLI, BOTH, HIGH, LOW, Work, Zones, best_of_drawings, log_ratios
from ncdsurv.errors import StatisticsError, unknown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MODELS = (POISSON, BERNOULLI)
SIDES = (HIGH, LOW, BOTH)
_ROWS = 256  # centres whose ratios are worked out side by side


@dataclass(frozen=True)
class Circle:
    """A cluster found by the scan.

    Attributes:
        areas: Places of its areas in the input, from the centre outwards.
        radius: From the centre to the farthest of them, in the unit of the coordinates.
        count: Cases inside.
        population: People inside.
        expected: Cases expected there if all areas were alike.
        relative: Rate inside over rate outside; infinite where there is no case outside.
        log_ratio: Log likelihood ratio.
        p_value: Share of drawings whose best circle is at least as unlikely (with the data itself).
    """

    areas: tuple[int, ...]
    radius: float
    count: float
    population: float
    expected: float
    relative: float
    log_ratio: float
    p_value: float

    @property
    def high(self) -> bool:
        """Whether there are more cases than expected."""
        return self.count > self.expected


def scan_circles(
    count: ArrayLike,
    population: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    *,
    model: str = POISSON,
    side: str = HIGH,
    max_share: float = 0.5,
    permutations: int = 999,
    most: int = 10,
    seed: int = 0,
) -> list[Circle]:
    """The most likely cluster, and further ones that share no area with a more likely one.

    Args:
        count: Cases, whole numbers >= 0, shape (n,); zeros are allowed.
        population: People at risk, > 0 (whole numbers for `bernoulli`), shape (n,).
        x, y: Centroids in a plane, any unit of length.
        model: `poisson` for events, `bernoulli` for people with and without an attribute.
        side: Circles with more cases than expected (`high`), fewer (`low`), or `both`.
        max_share: Largest share of the population in a circle, up to 0.5.
        permutations: Drawings under no cluster; the smallest p value is 1 / (permutations + 1).
        most: At most so many clusters.
        seed: Of the random numbers.

    Returns:
        Clusters from the most to the least likely; empty where no circle has more (fewer) cases than expected.

    Raises:
        StatisticsError: Counts that cannot be scanned.
        UsageError: Unknown model or side.

    >>> found = scan_circles([9, 8, 1, 0, 2, 1], [100] * 6, [0, 1, 5, 6, 9, 10], [0] * 6, permutations=99)
    >>> found[0].areas, round(found[0].log_ratio, 3)
    ((0, 1), 10.073)
    """
    if model not in MODELS:
        raise unknown("model of the scan", str(model), MODELS)
    if side not in SIDES:
        raise unknown("side of the scan", str(side), SIDES)
    e, b = check_counts(count, population, POISSON if model == POISSON else BINOMIAL)
    _check(e, b, model, max_share, permutations)
    zones = make_zones(b, np.asarray(x, dtype=float), np.asarray(y, dtype=float), max_share)
    work = Work(zones, b, int(e.sum()), model, side)
    found = _pick(_observed(work, e), zones, e, b, most)
    if not found:
        return []
    drawn = best_of_drawings(work, permutations, np.random.default_rng(seed))
    slack = 1e-9
    return [
        Circle(*parts, p_value=float((1 + (drawn >= parts[-1] - slack).sum()) / (permutations + 1)))
        for parts in found
    ]


def make_zones(
    population: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], max_share: float
) -> Zones:
    """Circles around every area up to a share of the population; areas at one distance enter together."""
    n, limit = len(population), max_share * population.sum() * (1 + 1e-12)
    orders, sums, far = [], [], []
    for at in range(n):
        distance = np.hypot(x - x[at], y - y[at])
        distance[at] = 0.0
        order = np.argsort(distance, kind="stable")
        order = np.concatenate([[at], order[order != at]])
        total = np.cumsum(population[order])
        size = int(np.searchsorted(total, limit, side="right"))
        # Copies: a slice would keep the whole country alive for every centre.
        orders.append(order[: size + 1].astype(np.int32))
        sums.append(total[: size + 1].copy())
        far.append(distance[order[: size + 1]])
    width = max(len(order) for order in orders)
    order = np.zeros((n, width), dtype=np.int32)
    people, ends = np.full((n, width), np.inf), np.zeros((n, width), bool)
    distance = np.full((n, width), np.inf, dtype=np.float32)
    for at in range(n):
        size = len(orders[at])
        order[at, :size], people[at, :size], distance[at, :size] = orders[at], sums[at], far[at]
        # The last one listed is over the limit: it only shows whether the one before stands alone at its distance.
        ends[at, : size - 1] = (far[at][1:] - far[at][:-1] > 1e-9 * (1 + far[at][1:])) & (
            sums[at][:-1] <= limit
        )
    return Zones(order, ends, np.where(ends, people, 1.0), distance)


def _observed(work: Work, e: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log likelihood ratio of every circle; 0 where none ends."""
    zones = work.zones
    found = np.zeros(zones.ends.shape)
    for start in range(0, len(found), _ROWS):
        some = slice(start, start + _ROWS)
        inside = np.cumsum(e[zones.order[some]], axis=1)
        ratio = log_ratios(inside, zones.population[some], work.cases, work.all_people, work.model, work.side)
        found[some] = np.where(zones.ends[some], ratio, 0.0)
    return found


def _pick(
    ratios: NDArray[np.float64], zones: Zones, e: NDArray[np.float64], b: NDArray[np.float64], most: int
) -> list[tuple[tuple[int, ...], float, float, float, float, float, float]]:
    """The best circles that share no area; of equals the one with fewest areas, then the nearest to the front."""
    found: list[tuple[tuple[int, ...], float, float, float, float, float, float]] = []
    cases, people = float(e.sum()), float(b.sum())
    while len(found) < most:
        top = float(ratios.max(initial=0.0))
        if not top > 1e-9:
            break
        rows, columns = np.nonzero(ratios >= top * (1 - 1e-10))
        first = np.lexsort((rows, zones.distance[rows, columns], columns))[0]
        at, last = int(rows[first]), int(columns[first])
        areas = zones.order[at, : last + 1]
        inside, size = float(e[areas].sum()), float(b[areas].sum())
        outside = (cases - inside) / (people - size)
        relative = inside / size / outside if outside else float("inf")
        found.append(
            (tuple(int(one) for one in areas), float(zones.distance[at, last]), inside, size,
             cases * size / people, relative, float(ratios[at, last]))
        )  # fmt: skip
        taken = np.zeros(len(e), dtype=bool)
        taken[areas] = True
        hit = np.logical_or.accumulate(taken[zones.order], axis=1)
        ratios[hit] = 0.0
    return found


def _check(
    e: NDArray[np.float64], b: NDArray[np.float64], model: str, max_share: float, permutations: int
) -> None:
    if not 0 < max_share <= 0.5:
        raise StatisticsError(
            "largest share of a circle out of range", got=max_share, allowed="above 0, up to 0.5"
        )
    if isinstance(permutations, bool) or not isinstance(permutations, int | np.integer) or permutations < 1:
        raise StatisticsError("permutations are a whole number", got=repr(permutations), do="give 999")
    whole = [e] if model == POISSON else [e, b]
    if any((values != np.round(values)).any() for values in whole):
        raise StatisticsError(
            "the scan deals out whole people",
            got="counts with fractions",
            do="give the counts before any weighting",
        )
    if not e.sum() > 0:
        raise StatisticsError(
            "no case to scan for", got=f"0 cases in {len(e)} areas", do="choose another indicator"
        )
    if model == BERNOULLI and e.sum() == b.sum():
        raise StatisticsError(
            "everybody is a case, so nothing can cluster",
            got=f"{len(e)} areas",
            do="choose another indicator",
        )
    if (b > max_share * b.sum()).all():
        raise StatisticsError(
            "no circle is small enough",
            got=f"every area holds more than {max_share:g} of the population",
            do="use smaller areas",
        )
