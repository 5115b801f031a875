"""The scan under no cluster: cases dealt anew over the people, and the best circle of every drawing. Arrays only.

The log likelihood ratio is never above the squared standard score (relative entropy is at most the chi-square
distance), so only circles whose score exceeds the root of the best ratio so far need a logarithm. A compiled walk
does the same where numba is installed and the work repays its loading; both give the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from ncdsurv.areas.rates import POISSON

if TYPE_CHECKING:
    from numpy.typing import NDArray

BERNOULLI = "bernoulli"
HIGH, LOW, BOTH = "high", "low", "both"
COMPILE_FROM = 100_000_000  # circles times drawings: about a second of the form without numba
_BATCH = 64  # drawings scanned side by side, so that a centre's sums stay in cache
_MARGIN = 0.999  # below the root of the best ratio: scores are in single precision


@dataclass(frozen=True)
class Zones:
    """Circles around n centres: `order` (n, K) lists areas from each centre outwards, `ends` where one may stop."""

    order: NDArray[np.integer]
    ends: NDArray[np.bool_]
    population: NDArray[np.float64]
    distance: NDArray[np.float32]

    @property
    def used(self) -> NDArray[np.int64]:
        """Places to walk at each centre: up to the last where a circle may stop."""
        last = self.ends.shape[1] - np.argmax(self.ends[:, ::-1], axis=1)
        return np.where(self.ends.any(axis=1), last, 0).astype(np.int64)


@dataclass(frozen=True)
class Work:
    """What every batch of drawings needs of the data."""

    zones: Zones
    people: NDArray[np.float64]
    cases: int
    model: str
    side: str

    @property
    def all_people(self) -> float:
        """People of all areas."""
        return float(self.people.sum())

    @property
    def scale(self) -> NDArray[np.float32]:
        """One over the standard deviation of the cases of every circle, were all areas alike; 0 where none ends."""
        share = self.zones.population / self.all_people
        p = self.cases / self.all_people if self.model == BERNOULLI else 0.0
        spread = np.sqrt(self.cases * share * (1 - share) * (1 - p))
        return np.where(self.zones.ends, 1 / np.maximum(spread, 1e-12), 0.0).astype(np.float32)


def best_of_drawings(
    work: Work, permutations: int, rng: np.random.Generator, compiled: bool | None = None
) -> NDArray[np.float64]:
    """The highest log likelihood ratio of every drawing.

    Args:
        work: Circles and data.
        permutations: Number of drawings.
        rng: Where they come from.
        compiled: Use the compiled walk; None: where numba is installed and the work repays it.
    """
    if compiled is None:
        repays = int(work.zones.ends.sum()) * permutations >= COMPILE_FROM
        compiled = repays and find_spec("numba") is not None
    scale, used = work.scale, work.zones.used
    expected = (work.cases * work.zones.population / work.all_people).astype(np.float32)
    best = np.zeros(permutations)
    for start in range(0, permutations, _BATCH):
        size = min(_BATCH, permutations - start)
        drawn = _draw(work, size, rng)
        if compiled:
            from ncdsurv.areas.scan_kernel import best_of_batch

            best[start : start + size] = best_of_batch(
                work.zones.order, work.zones.population, expected, scale, used, drawn, float(work.cases),
                work.all_people, work.model == BERNOULLI, work.side != LOW, work.side != HIGH,
            )  # fmt: skip
        else:
            best[start : start + size] = _best_of_batch(work, drawn, scale, used)
    return best


def _best_of_batch(
    work: Work, drawn: NDArray[np.int32], scale: NDArray[np.float32], used: NDArray[np.int64]
) -> NDArray[np.float64]:
    zones, side = work.zones, work.side
    # Cases over what is expected: their sums are the circles' excess, small enough for single precision.
    excess = (drawn - work.cases * work.people[:, None] / work.all_people).astype(np.float32)
    room = np.empty((int(used.max()), drawn.shape[1]), dtype=np.float32)
    top = np.zeros(drawn.shape[1])
    for at in np.flatnonzero(used):
        score = np.take(excess, zones.order[at, : used[at]], axis=0, out=room[: used[at]], mode="clip")
        np.cumsum(score, axis=0, out=score)
        score *= scale[at, : used[at], None]
        if side == BOTH:
            np.abs(score, out=score)
        limit = np.sqrt(top) * _MARGIN
        peak = -score.min(axis=0) if side == LOW else score.max(axis=0)
        drawings = np.flatnonzero(peak > limit)
        if not len(drawings):
            continue
        bound = score[:, drawings] if side != LOW else -score[:, drawings]
        place, which = np.nonzero(bound > limit[drawings])
        which = drawings[which]
        np.maximum.at(top, which, _exact(work, drawn, int(at), place, which))
    return top


def _exact(
    work: Work,
    drawn: NDArray[np.int32],
    at: int,
    place: NDArray[np.int64],
    which: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Ratios of some circles of a centre in some drawings, from whole counts again."""
    drawings, column = np.unique(which, return_inverse=True)
    deep = np.cumsum(drawn[work.zones.order[at, : int(place.max()) + 1]][:, drawings], axis=0, dtype=np.int64)
    inside = deep[place, column].astype(np.float64)
    population = work.zones.population[at, place]
    return log_ratios(inside, population, work.cases, work.all_people, work.model, work.side)


def log_ratios(
    inside: NDArray[np.float64],
    population: NDArray[np.float64],
    cases: float,
    people: float,
    model: str,
    side: str,
) -> NDArray[np.float64]:
    """Log likelihood ratio of circles; 0 on the side that was not asked for."""
    from scipy.special import xlogy

    expected = cases * population / people
    outside = np.maximum(cases - inside, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = xlogy(inside, inside / expected) + xlogy(outside, outside / (cases - expected))
        if model == BERNOULLI:
            free, others = population - inside, (people - population) - outside
            share = (people - cases) / people
            ratio += xlogy(free, free / (population * share))
            ratio += xlogy(others, others / ((people - population) * share))
    excess = inside - expected
    wanted = excess > 0 if side == HIGH else excess < 0 if side == LOW else excess != 0
    return np.where(wanted, np.nan_to_num(ratio, nan=0.0), 0.0)


def _draw(work: Work, size: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Cases dealt anew over the population, (n, size): to rates alike, or to people without return."""
    if work.model == POISSON:
        drawn = rng.multinomial(work.cases, work.people / work.all_people, size=size)
    else:
        drawn = rng.multivariate_hypergeometric(
            work.people.astype(np.int64), work.cases, size=size, method="marginals"
        )
    return np.ascontiguousarray(drawn.T, dtype=np.int32)
