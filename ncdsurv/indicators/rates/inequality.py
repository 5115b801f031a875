"""Inequality between areas that can be put in order: slope index, relative index, gap and ratio of the extremes.

Areas are ordered by a rank (poverty, distance, share of an ethnic minority, ...). Each stands at the middle of its
stretch of the population laid end to end from 0 to 1; tied areas share one middle. A line is fitted to the values,
weighted by population. AE Kunst, JP Mackenbach, Measuring socioeconomic inequalities in health, WHO Europe 1994; E
Regidor, Measures of health inequalities: part 2, J Epidemiol Community Health 2004;58:900-3.
- slope index = fitted value at 1 - fitted value at 0; relative index = fitted value at 1 / fitted value at 0.
- on the log or logit scale the line is fitted there and its ends are brought back before they are compared.
- intervals: the line's ends are linear in the values, so their covariance follows from the values' standard errors
  exactly; "delta" uses it (relative index on the log scale), "simulated" draws the ends from it with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from ncdsurv.errors import StatisticsError
from ncdsurv.indicators.rates.border import (
    FIGURES,
    column_numbers,
    free,
    group_columns,
    names_of,
    open_frame,
)
from ncdsurv.indicators.rates.compare import HIGH_GOOD, LOW_GOOD, NO_JUDGEMENT, POLARITIES
from ncdsurv.indicators.rates.given import (
    CONFIDENCE,
    Figures,
    Floats,
    checked,
    choice,
    is_missing,
    numbers,
    positive,
    same_shape,
    z_of,
)
from ncdsurv.indicators.rates.slope import LOG, LOGIT, PLAIN, back, delta, fitted_ends, simulated, to_scale

DELTA, SIMULATED = "delta", "simulated"
SEED = 20_260_101
STATISTICS = ("slope_index", "relative_index", "gap", "ratio")
NO_INTERVAL = "none: the extremes were chosen after looking"
FEWEST_AREAS = 3


class _Way(NamedTuple):
    scale: str
    multiplier: float
    polarity: str
    interval: str
    confidence: float
    seed: int


def inequality(
    frame: Any = None,
    *,
    value: Any,
    population: Any,
    rank: Any,
    lower: Any,
    upper: Any,
    limits_confidence: float = CONFIDENCE,
    by: str | Sequence[str] = (),
    scale: str = PLAIN,
    multiplier: float = 1.0,
    polarity: str = NO_JUDGEMENT,
    interval: str = DELTA,
    confidence: float = CONFIDENCE,
    seed: int = SEED,
) -> Any:
    """Slope index, relative index, gap and ratio of a value over ordered areas.

    Args:
        frame: A pandas or polars DataFrame, one row an area; without one, the rest are arrays of one group.
        value: Of each area, in any unit: a column's name, or an array.
        population: Weight of each area; more than 0.
        rank: What the areas are ordered by, from low to high; any numbers.
        lower: Lower limit of each value; with `upper` it gives the value's standard error on the scale.
        upper: Upper limit.
        limits_confidence: Confidence of those limits.
        by: The column or columns that name groups (periods, provinces), each with areas of its own.
        scale: "plain", "log" (rates; values above 0) or "logit" (shares; 0 < value / multiplier < 1).
        multiplier: Of the values, for "logit": 100 where they are percent.
        polarity: "high_good" or "low_good" turns gap and ratio into best against worst; else highest against lowest.
        interval: "delta" or "simulated".
        confidence: Two-sided, of the results.
        seed: Of the simulated intervals; a whole number of at least 0.

    Returns:
        The same kind of frame, four rows a group sorted by it: the columns of `by`, statistic (slope_index,
        relative_index, gap, ratio), value, lower, upper (Float64), method, confidence. A positive slope says that
        the value rises with the rank. Null where a ratio's divisor is 0 or the line falls to 0; gap and ratio have
        no interval, since the extremes were chosen after looking. For arrays a dict of `Figures` of single numbers.

    Raises:
        StatisticsError: A null number, a population of 0, fewer than three areas or all of one rank, limits that do
            not hold the value, a value outside the scale.

    >>> found = inequality(
    ...     value=[40, 45, 55], population=[100, 200, 100], rank=[1, 2, 3], lower=[38, 43, 53], upper=[42, 47, 57]
    ... )
    >>> {name: round(float(figures.value), 3) for name, figures in found.items()}
    {'slope_index': 20.0, 'relative_index': 1.552, 'gap': 15.0, 'ratio': 1.375}
    """
    choice("scale", scale, (PLAIN, LOG, LOGIT))
    choice("polarity", polarity, POLARITIES)
    choice("interval", interval, (DELTA, SIMULATED))
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise StatisticsError(
            "seed out of range", got=type(seed).__name__, allowed="a whole number, 0 or more"
        )
    way = _Way(scale, positive("multiplier", multiplier), polarity, interval, checked(confidence), seed)
    roles = {"value": value, "population": population, "rank": rank, "lower": lower, "upper": upper}
    z = z_of(limits_confidence)
    if frame is None:
        if by:
            raise StatisticsError("groups of arrays", got="`by` without a frame", do="give a frame")
        arrays = {role: numbers(role, each, negative=role != "population") for role, each in roles.items()}
        return _of_group(same_shape(**arrays), z, way)
    return _of_frame(frame, roles, names_of(by), z, way)


def _of_frame(frame: Any, roles: dict[str, Any], by: list[str], z: float, way: _Way) -> Any:
    import narwhals as nw

    table = open_frame(frame)
    named = group_columns(table, by)
    free(named, ("statistic", *FIGURES))
    arrays = [
        column_numbers(table, name, role, negative=role != "population") for role, name in roles.items()
    ]
    space = nw.get_native_namespace(table)
    index = nw.new_series("_row", np.arange(len(table)), backend=space)
    numbered = named.with_columns(index) if by else index.to_frame()
    # In the order the frame itself gives its names: that of standardised rates, categories by their own.
    place = {_key(names): at for at, names in enumerate(named.unique().sort(*by).iter_rows())} if by else {}
    groups = sorted(numbered.group_by(*by), key=lambda each: place[_key(each[0])]) if by else [((), numbered)]
    if not groups:
        raise StatisticsError("a frame without rows", do="give a row an area")
    parts = []
    for _, part in groups:
        rows = part["_row"].to_numpy()
        found = _of_group([array[rows] for array in arrays], z, way)
        figures = list(found.values())
        repeated = nw.maybe_reset_index(part.head(1).select(*by)[[0] * len(found)]) if by else None
        new = {
            "statistic": list(found),
            **{name: [_null(figure[at]) for figure in figures] for at, name in enumerate(FIGURES)},
        }
        kinds: Any = {"statistic": nw.String, "method": nw.String}
        made = nw.from_dict(new, {name: kinds.get(name, nw.Float64) for name in new}, backend=space)
        parts.append(made if repeated is None else nw.concat([repeated, made], how="horizontal"))
    return nw.maybe_reset_index(nw.concat(parts)).to_native()


def _key(names: tuple[Any, ...]) -> tuple[Any, ...]:
    """The names of a group, however a missing one is written."""
    return tuple(None if is_missing(name) else name for name in names)


def _null(figure: Any) -> Any:
    item = figure.item() if isinstance(figure, np.ndarray) else figure
    return None if item != item else item


def _of_group(arrays: list[Floats], z: float, way: _Way) -> dict[str, Figures]:
    y, n, rank, low, high = arrays
    if any(np.isnan(array).any() for array in arrays):
        raise StatisticsError("an area without its number", do="drop it first, and say so")
    if np.any(n <= 0):
        raise StatisticsError("an area without population", do="drop it first, and say so")
    if y.size < FEWEST_AREAS or np.unique(rank).size < 2:
        raise StatisticsError(
            "too few areas to rank", got=y.size, allowed=f"{FEWEST_AREAS} or more, of two ranks or more"
        )
    if np.any((low > y) | (high < y)):
        raise StatisticsError("limits that do not hold their value", do="check the order of the columns")
    found = dict(zip(STATISTICS[:2], _slope(y, n, rank, low, high, z, way), strict=True))
    return {**found, **dict(zip(STATISTICS[2:], _extremes(y, way), strict=True))}


def _slope(
    y: Floats, n: Floats, rank: Floats, low: Floats, high: Floats, z: float, way: _Way
) -> tuple[Figures, Figures]:
    there, lowest, highest = (to_scale(each, way.scale, way.multiplier) for each in (y, low, high))
    ends, covariance = fitted_ends(there, (highest - lowest) / (2 * z), n, rank)
    first, last = back(ends, way.scale, way.multiplier)
    if way.interval == SIMULATED:
        sides, relative = simulated(ends, covariance, way.scale, way.multiplier, way.confidence, way.seed)
    else:
        sides, relative = delta(ends, covariance, way.scale, way.multiplier, way.confidence)
    named = f"weighted regression ({way.scale}), {way.interval}"
    if way.interval == SIMULATED:
        named += f" with seed {way.seed}"
    positive_ends = first > 0 and last > 0
    method = named if positive_ends else "not defined: the fitted line falls to 0"
    ratio = last / first if positive_ends else np.nan
    return (
        _single(last - first, sides[0], sides[1], named, way),
        _single(ratio, relative[0], relative[1], method, way),
    )


def _extremes(y: Floats, way: _Way) -> tuple[Figures, Figures]:
    best, worst = float(y.max()), float(y.min())
    if way.polarity == LOW_GOOD:
        best, worst = worst, best
    said = "best against worst" if way.polarity in (HIGH_GOOD, LOW_GOOD) else "highest against lowest"
    named = f"{said}; interval {NO_INTERVAL}"
    ratio = best / worst if worst > 0 else np.nan
    return _single(best - worst, np.nan, np.nan, named, way), _single(ratio, np.nan, np.nan, named, way)


def _single(value: float, lower: float, upper: float, method: str, way: _Way) -> Figures:
    figures = [np.asarray(figure, dtype=np.float64) for figure in (value, lower, upper)]
    return Figures(figures[0], figures[1], figures[2], np.asarray(method, dtype=np.str_), way.confidence)
