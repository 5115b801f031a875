"""Classes of a choropleth whose printed limits are the limits used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, inf, isfinite

import numpy as np

from ncdsurv.errors import UsageError, unknown
from ncdsurv.maps.wording import number

SCHEMES = ("quantile", "natural", "target")
# Steps of a target scheme, as parts of the target: half, three quarters, reached.
_OF_TARGET = {"high_good": (0.5, 0.75, 1.0), "low_good": (1.0, 1.25, 1.5), "no_judgement": (0.5, 0.75, 1.0)}
MOST_CLASSES = 7  # more cannot be told apart
_MOST_DECIMALS = 4
_DECIMALS_BY_SPAN = ((2.0, 1), (0.2, 2))  # span of the values, most decimals


@dataclass(frozen=True)
class Classes:
    """Ordered classes: class i holds edges[i] <= value < edges[i + 1]; the last holds its upper edge too.

    The outer edges of classes with limits given beforehand are infinite.
    """

    scheme: str
    edges: tuple[float, ...]
    decimals: int
    shared: bool = False  # worked out over all periods, so the same from map to map

    @property
    def k(self) -> int:
        """Number of classes."""
        return len(self.edges) - 1

    @property
    def breaks(self) -> tuple[float, ...]:
        """The limits between the classes."""
        return self.edges[1:-1]

    def place(self, values: np.ndarray) -> np.ndarray:
        """Class of every value, -1 for a missing one."""
        values = np.asarray(values, dtype=float)
        found = np.searchsorted(np.array(self.edges[1:-1]), values, side="right")
        return np.where(np.isnan(values), -1, found).astype(int)

    def label(self, place: int, lang: str) -> str:
        """The range of a class as the legend prints it."""
        below, above = self.edges[place : place + 2]
        low, high = number(below, lang, self.decimals), number(above, lang, self.decimals)
        if below == -inf or above == inf:
            return f"<{high}" if below == -inf else f"≥{low}"
        if low == high:
            return low
        return f"{low} – {high}" if place == self.k - 1 else f"{low} – <{high}"


def classify(
    values: np.ndarray, scheme: str, k: int, *, target: float | None = None, polarity: str = "no_judgement"
) -> Classes:
    """Make classes, give them round limits, and let these limits decide which value is in which class.

    The limits have as many decimals as tell the scheme's classes apart, but no more than a reader wants to see;
    where that moves a break, the printed break is the one used.

    Args:
        values: Values to class; NaN is left out.
        scheme: `quantile`, `natural` (Fisher-Jenks) or `target` (parts of a national target).
        k: Number of classes wished for, 2 to 7; fewer distinct values give fewer classes.
        target: The target, in the values' unit; needed by `target`.
        polarity: Which side of the target is good.

    Raises:
        UsageError: Unknown scheme, k out of range, no value, or no target.

    >>> classify(np.array([1.0, 2.0, 3.0, 4.0]), "quantile", 2).edges
    (1.0, 3.0, 4.0)
    """
    if scheme not in SCHEMES:
        raise unknown("class scheme", str(scheme), SCHEMES)
    if not 2 <= k <= MOST_CLASSES:
        raise UsageError(
            "number of classes out of range", got=k, allowed=f"2 to {MOST_CLASSES}: more cannot be told apart"
        )
    known = np.sort(np.asarray(values, dtype=float)[~np.isnan(values)])
    if not len(known):
        raise UsageError("no value to map", got="only missing values", do="choose another period or level")
    if scheme == "target":
        return _by_target(known, target, polarity)
    distinct = np.unique(known)
    k = min(k, len(distinct))
    groups = _groups(known, distinct, scheme, k)
    breaks = [(groups[i][-1], groups[i + 1][0]) for i in range(len(groups) - 1)]
    decimals = _decimals_needed(breaks, known)
    scale = 10**decimals
    first, last = floor(known[0] * scale) / scale, ceil(known[-1] * scale) / scale
    inner = {_round_between(low, high, decimals) for low, high in breaks}
    return Classes(scheme, (first, *sorted(edge for edge in inner if first < edge <= last), last), decimals)


def fixed_classes(breaks: Sequence[float]) -> Classes:
    """Classes between limits that are given, so that several maps can share them; both ends are open.

    Args:
        breaks: Limits between the classes, ascending, 1 to 6, finite.

    Raises:
        UsageError: No limit, too many, not numbers, or not ascending.

    >>> [fixed_classes([40, 62.5]).label(at, "en") for at in range(3)]
    ['<40.0', '40.0 – <62.5', '≥62.5']
    """
    try:
        limits = [float(limit) for limit in breaks]
    except (TypeError, ValueError):
        limits = []
    ascending = all(low < high for low, high in pairwise(limits))
    if not 1 <= len(limits) < MOST_CLASSES or not ascending or not all(map(isfinite, limits)):
        raise UsageError(
            "limits between classes cannot be used",
            got=str(breaks),
            allowed=f"1 to {MOST_CLASSES - 1} numbers, each above the one before",
            do="pass breaks=[25, 50, 75], or the .breaks of another map",
        )
    exact = range(_MOST_DECIMALS + 1)
    decimals = next((n for n in exact if all(round(limit, n) == limit for limit in limits)), _MOST_DECIMALS)
    return Classes("fixed", (-inf, *(round(limit, decimals) for limit in limits), inf), decimals)


def _groups(known: np.ndarray, distinct: np.ndarray, scheme: str, k: int) -> list[np.ndarray]:
    """The sorted values of every class; ties make fewer classes, and the legend shows how many."""
    if k == 1:
        return [known]
    bins = np.unique(_BINS[scheme](known, k))
    which = np.searchsorted(bins, known, side="left")
    return [known[which == one] for one in np.unique(which)]


def _quantiles(known: np.ndarray, k: int) -> np.ndarray:
    """Upper bounds as `mapclassify.Quantiles` has them (a test compares); its import alone costs seconds."""
    return np.percentile(known, np.linspace(0, 100, k + 1)[1:])


def _natural(known: np.ndarray, k: int) -> np.ndarray:
    import warnings

    import mapclassify

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(mapclassify.FisherJenks(known, k=k).bins, dtype=float)


_BINS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {"quantile": _quantiles, "natural": _natural}


def _decimals_needed(breaks: list[tuple[float, float]], known: np.ndarray) -> int:
    """Fewest decimals with which every break falls between its two neighbours, up to what the span deserves."""
    if np.all(known == np.round(known)):
        return 0
    most = next((n for span, n in _DECIMALS_BY_SPAN if known[-1] - known[0] >= span), _MOST_DECIMALS)
    for decimals in range(most):
        if all(low < _round_down(high, decimals) for low, high in breaks):
            return decimals
    return most


def _round_down(number: float, decimals: int) -> float:
    """The number cut to some decimals; one that is exact within rounding noise stays itself."""
    scale = 10**decimals
    cut = floor(number * scale + 1e-9) / scale
    return min(cut, float(number))


def _round_between(low: float, high: float, decimals: int) -> float:
    """The roundest number above `low`, not above `high`; the nearest of these decimals where none is between."""
    cut = _round_down(high, decimals)
    return cut if low < cut else round(float(high), decimals)


def _by_target(known: np.ndarray, target: float | None, polarity: str) -> Classes:
    if target is None:
        raise UsageError(
            "no target for these values",
            got='classes="target"',
            allowed="an indicator and disease with an entry in targets.toml",
            do='use classes="quantile" or classes="natural"',
        )
    inner = [part * target for part in _OF_TARGET[polarity]]
    decimals = 0 if all(edge == round(edge) for edge in inner) else 1
    inner = [round(edge, decimals) for edge in inner]
    low, high = min(0.0, float(known[0])), max(float(known[-1]), inner[-1])
    top = ceil(high * 10**decimals) / 10**decimals
    return Classes("target", (low, *inner, top if top > inner[-1] else inner[-1] * 1.25), decimals)
