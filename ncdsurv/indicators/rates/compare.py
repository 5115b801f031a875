"""An area against its parent or a target: lower, similar, higher - and better or worse only where that is known.

The rule is the one of public health profiles: an area differs where its own interval does not hold the reference.
The reference's own chance variation is left out, so a target or a parent much larger than the area is meant; of an
area that is a large part of its parent the rule says "similar" too often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.errors import StatisticsError
from ncdsurv.indicators.rates.border import add, column, column_numbers, given_numbers, open_frame, words
from ncdsurv.indicators.rates.crude import rate
from ncdsurv.indicators.rates.given import (
    CONFIDENCE,
    CONTROL,
    PER_100000,
    PERCENT,
    Figures,
    Floats,
    choice,
    is_missing,
    numbers,
    positive,
    same_shape,
)
from ncdsurv.indicators.rates.indirect import ratio_to_expected
from ncdsurv.indicators.rates.share import proportion

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LOWER, SIMILAR, HIGHER = "lower", "similar", "higher"
BETTER, WORSE = "better", "worse"
HIGH_GOOD, LOW_GOOD, NO_JUDGEMENT = "high_good", "low_good", "no_judgement"
POLARITIES = (HIGH_GOOD, LOW_GOOD, NO_JUDGEMENT)
_SCALES = {"proportion": PERCENT, "rate": float(PER_100000), "ratio": PERCENT}


def compare_limits(lower: ArrayLike, upper: ArrayLike, reference: ArrayLike) -> NDArray[np.str_]:
    """Where intervals lie beside a reference: of any statistic, at the confidence of its limits.

    Args:
        lower: Lower limits; NaN gives an empty word.
        upper: Upper limits.
        reference: The reference, one number or one a row; NaN gives an empty word.

    Returns:
        "lower", "similar" or "higher" for each row. A limit that equals the reference is "similar".

    Raises:
        StatisticsError: A lower limit above its upper one, arrays of different lengths.

    >>> compare_limits([50, 40], [60, 49], 50).tolist()
    ['similar', 'lower']
    """
    low, high, at = same_shape(
        lower=numbers("lower limit", lower, negative=True),
        upper=numbers("upper limit", upper, negative=True),
        reference=numbers("reference", reference, negative=True),
    )
    if np.any(low > high):
        raise StatisticsError("a lower limit above its upper limit", do="check the order of the columns")
    unknown = np.isnan(low) | np.isnan(high) | np.isnan(at)
    return words([(unknown, ""), (high < at, LOWER), (low > at, HIGHER)], SIMILAR, low.shape)


def judge(comparison: ArrayLike, polarity: str) -> NDArray[np.str_]:
    """Better, similar or worse, where the indicator says which way is good; else empty.

    Args:
        comparison: Words of `compare_limits`; empty (or None) where there is nothing to judge.
        polarity: "high_good", "low_good" or "no_judgement".

    Raises:
        StatisticsError: A word that is no comparison, an unknown polarity.

    >>> judge(["lower", "similar", "higher"], "low_good").tolist()
    ['better', 'similar', 'worse']
    """
    good = {HIGH_GOOD: HIGHER, LOW_GOOD: LOWER}.get(choice("polarity", polarity, POLARITIES))
    given = np.asarray(comparison, dtype=object)
    found = np.where([is_missing(word) for word in given.ravel()], "", given.ravel()).astype(np.str_)
    found = found.reshape(given.shape)
    for word in dict.fromkeys(found.ravel().tolist()):
        choice("comparison", word or SIMILAR, (LOWER, SIMILAR, HIGHER))
    if good is None:
        return np.full(found.shape, "", dtype="<U7")
    bad = LOWER if good == HIGHER else HIGHER
    return words(
        [(found == good, BETTER), (found == bad, WORSE), (found == SIMILAR, SIMILAR)], "", found.shape
    )


def compare(
    frame: Any = None,
    *,
    count: Any,
    total: Any,
    reference: Any = None,
    parent: Any = None,
    statistic: str = "proportion",
    multiplier: float | None = None,
    polarity: str = NO_JUDGEMENT,
) -> Any:
    """Each area against a target or the value of its parent area, at 95 % and 99.8 %.

    Args:
        frame: A pandas or polars DataFrame, one row an area; without one, the rest are arrays.
        count: Numerators: a column's name, or an array.
        total: People (proportion), population (rate) or expected events (ratio).
        reference: The target or parent's value in the unit of the value: a number, or a column or array.
        parent: Instead of a reference: names of the parent areas; the reference is then the value of all rows of
            the same parent together. An area whose parent is null is compared with nothing.
        statistic: "proportion" (Wilson), "rate" or "ratio" (exact Poisson below 10, Byar from 10 on).
        multiplier: 100, 100,000 and 100 by default.
        polarity: "high_good", "low_good" or "no_judgement": of the indicator.

    Returns:
        The same kind of frame with value, lower, upper, method, confidence (95 %), lower_998, upper_998 and
        reference (Float64), comparison_95 and comparison_998 (lower, similar, higher), judgement_95 and
        judgement_998 (better, similar, worse; null without polarity) and comparison_method (String) added; for
        arrays a dict of arrays with those names.

    Raises:
        StatisticsError: Both or neither of `reference` and `parent`, an unknown statistic or polarity, and what the
            statistic itself refuses.

    >>> found = compare(count=[40, 60], total=[100, 100], reference=55, polarity="high_good")
    >>> found["comparison_95"].tolist(), found["judgement_95"].tolist()
    (['lower', 'similar'], ['worse', 'similar'])
    """
    if (reference is None) == (parent is None):
        raise StatisticsError(
            "one thing to compare with is needed",
            got="both" if parent is not None else "neither",
            allowed="reference (a target or value) or parent (names of areas)",
        )
    choice("statistic", statistic, tuple(_SCALES))
    scale = _SCALES[statistic] if multiplier is None else positive("multiplier", multiplier)
    table, (x, n) = given_numbers(frame, count=count, total=total)
    x, n = same_shape(count=x, total=n)
    inner, outer = (_figures(statistic, x, n, scale, level) for level in (CONFIDENCE, CONTROL))
    at = (
        _parent_value(frame, parent, x, n, scale)
        if reference is None
        else _reference(frame, reference, x.shape)
    )
    named = "target or given value" if reference is not None else "value of the parent area"
    near, far = (compare_limits(each.lower, each.upper, at) for each in (inner, outer))
    columns: dict[str, Any] = {
        **inner._asdict(),
        "lower_998": outer.lower,
        "upper_998": outer.upper,
        "reference": at,
        "comparison_95": near,
        "comparison_998": far,
        "judgement_95": judge(near, polarity),
        "judgement_998": judge(far, polarity),
        "comparison_method": f"interval of the area against the {named}",
    }
    return columns if table is None else add(table, columns)


def _figures(statistic: str, x: Floats, n: Floats, scale: float, confidence: float) -> Figures:
    found: Figures
    if statistic == "proportion":
        found = proportion(count=x, total=n, multiplier=scale, confidence=confidence)
    elif statistic == "rate":
        found = rate(count=x, population=n, per=scale, confidence=confidence)
    else:
        found = ratio_to_expected(count=x, expected=n, multiplier=scale, confidence=confidence)
    return found


def _reference(frame: Any, reference: Any, shape: tuple[int, ...]) -> Floats:
    if isinstance(reference, str) and frame is not None:
        return column_numbers(open_frame(frame), reference, "reference")
    found = numbers("reference", reference)
    if found.ndim and found.shape != shape:
        raise StatisticsError(
            "arrays of different lengths",
            got=f"count {shape}, reference {found.shape}",
            do="give one entry a row in each",
        )
    return np.broadcast_to(found, shape)


def _parent_value(frame: Any, parent: Any, x: Floats, n: Floats, scale: float) -> Floats:
    names = list(parent) if frame is None else column(open_frame(frame), parent).to_list()
    if len(names) != x.size:
        raise StatisticsError(
            "arrays of different lengths",
            got=f"count {x.shape}, parent ({len(names)},)",
            do="give one entry a row in each",
        )
    named = np.array([not is_missing(name) for name in names], dtype=bool)
    words_of = [str(name) for name in names]
    places = {name: number for number, name in enumerate(dict.fromkeys(words_of))}
    code = np.array([places[name] for name in words_of], dtype=np.int64)
    known = ~np.isnan(x) & ~np.isnan(n) & named
    sums = [np.bincount(code, weights=np.where(known, part, 0), minlength=len(places)) for part in (x, n)]
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(sums[1] > 0, scale * sums[0] / sums[1], np.nan)[code]
    return np.where(named, values, np.nan)  # areas without a parent have none in common
