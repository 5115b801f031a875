"""What a caller gave: numbers of one shape, a confidence between 0 and 1; everything after assumes it."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ncdsurv.errors import StatisticsError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
CONTROL = 0.998  # the outer limit of control charts and funnels: three standard errors
PER_100000 = 100_000
PERCENT = 100.0


class Figures(NamedTuple):
    """What a function gives back for arrays: one entry a row, in the order given.

    Attributes:
        value: Float64; NaN where it is not defined or withheld.
        lower: Lower limit, Float64, in the unit of the value.
        upper: Upper limit.
        method: How the limits were made, a word for each row.
        confidence: Two-sided confidence of the limits.
    """

    value: Floats
    lower: Floats
    upper: Floats
    method: NDArray[np.str_]
    confidence: float

    def single(self) -> Figures:
        """The only row of these, as single numbers."""
        value, lower, upper = (figure.reshape(()) for figure in self[:3])
        return Figures(value, lower, upper, self.method.reshape(()), self.confidence)


def z_of(confidence: float) -> float:
    """The standard normal quantile of a two-sided confidence.

    Raises:
        StatisticsError: A confidence that is not above 0 and below 1.

    >>> round(z_of(0.95), 6)
    1.959964
    """
    from scipy.special import ndtri

    return float(ndtri((1 + checked(confidence)) / 2))


def checked(confidence: float) -> float:
    """The confidence itself, if it is one."""
    if not is_number(confidence) or not 0 < confidence < 1:
        raise StatisticsError(
            "confidence out of range", got=_shown(confidence), allowed="between 0 and 1", do="give 0.95"
        )
    return float(confidence)


def choice(kind: str, word: Any, known: tuple[str, ...]) -> str:
    """One of the known words, or the error that names them."""
    if word not in known:
        raise StatisticsError(f"unknown {kind}", got=word, allowed=", ".join(known))
    return str(word)


def numbers(label: str, given: ArrayLike, *, negative: bool = False) -> Floats:
    """Float64 array of what was given; null becomes NaN.

    Args:
        label: What the numbers are, for the error.
        given: A number, list, numpy array (what is masked is null) or Series.
        negative: Whether numbers below 0 are allowed.

    Raises:
        StatisticsError: Not numbers, infinite, or below 0 where they must not be.
    """
    try:
        found = np.asarray(given)
        if isinstance(given, np.ma.MaskedArray) and found.dtype.kind in "iufO":
            found = np.where(np.ma.getmaskarray(given), np.nan, found)  # numpy hands out what the mask hides
        if (
            found.dtype.kind not in "iuf"
        ):  # text that looks like a number is a mistake of reading, not a count
            if found.dtype.kind != "O" or any(isinstance(each, str | bool) for each in found.ravel()):
                raise TypeError
            null = np.array([is_missing(each) for each in found.ravel()], dtype=bool).reshape(found.shape)
            found = np.where(null, np.nan, found).astype(np.float64)
        found = found.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise StatisticsError(f"a {label} that is no number", do="give a column of numbers") from None
    if np.isinf(found).any():
        raise StatisticsError(f"an infinite {label}", got=_rows(np.isinf(found)), do="check the column")
    if not negative and np.any(found < 0):
        raise StatisticsError(f"a negative {label}", got=_rows(found < 0), do="check the column")
    return found


def same_shape(**given: Floats) -> list[Floats]:
    """Arrays of one shape; a single number serves every row, nothing else is stretched.

    Raises:
        StatisticsError: Arrays of different lengths.
    """
    shapes = {array.shape for array in given.values() if array.ndim}
    if len(shapes) > 1:
        sizes = ", ".join(f"{name} {array.shape}" for name, array in given.items() if array.ndim)
        raise StatisticsError("arrays of different lengths", got=sizes, do="give one entry a row in each")
    return [np.broadcast_to(array, next(iter(shapes), ())) for array in given.values()]


def counts_of(count: ArrayLike, total: ArrayLike, name: str = "total") -> tuple[Floats, Floats]:
    """A count and what it is of: both at least 0, of one shape."""
    x, n = same_shape(**{"count": numbers("count", count), name: numbers(name, total)})
    return x, n


def within(count: Floats, total: Floats) -> None:
    """No part is larger than its whole.

    Raises:
        StatisticsError: A count above its total.
    """
    if np.any(count > total):
        raise StatisticsError(
            "a count exceeds its total",
            got=f"{int(np.sum(count > total))} of {count.size} rows",
            do="check the two columns",
        )


def at_risk(count: Floats, population: Floats) -> Floats:
    """The population as a divisor: NaN where it is 0.

    Raises:
        StatisticsError: Events among nobody.
    """
    if np.any(bad := (population == 0) & (count > 0)):
        raise StatisticsError("events in an empty population", got=_rows(bad), do="check the population")
    return np.where(population > 0, population, np.nan)


def expecting(count: Floats, expected: Floats) -> Floats:
    """The expected events as a divisor: NaN where none are expected.

    Raises:
        StatisticsError: Events where none are expected.
    """
    if np.any((expected == 0) & (count > 0)):
        raise StatisticsError("events where none are expected", do="check the reference rates")
    return np.where(expected > 0, expected, np.nan)


def fewest(number: float) -> float:
    """The number of events below which a rate is withheld; 0 withholds none."""
    if not is_number(number) or not 0 <= number < np.inf:
        raise StatisticsError("fewest_events out of range", got=_shown(number), allowed="0 or more")
    return float(number)


def positive(label: str, number: float) -> float:
    """A single multiplier or level that must be above 0."""
    if not is_number(number) or not 0 < number < np.inf:
        raise StatisticsError(f"{label} out of range", got=_shown(number), allowed="a number above 0")
    return float(number)


def is_number(given: Any) -> bool:
    """Whether it is one real number: Python's or numpy's, but no truth value."""
    return isinstance(given, Real) and not isinstance(given, bool)


def is_missing(given: Any) -> bool:
    """Whether it is None, NaN, or what pandas writes for a missing value (which compared has no truth value).

    >>> [is_missing(each) for each in (None, float("nan"), 0, "")]
    [True, True, False, False]
    """
    return given is None or type(given).__name__ == "NAType" or (isinstance(given, float) and given != given)


def _shown(setting: Any) -> Any:
    """A setting as an error shows it: text in quotes, or `0.95` would seem to be the number."""
    return repr(setting) if isinstance(setting, str) else setting


def _rows(bad: NDArray[np.bool_]) -> str:
    found = int(np.sum(bad))
    return f"{found} row{'s' if found != 1 else ''}"
