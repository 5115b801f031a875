"""Directly standardised rates, with Dobson's or Fay and Feuer's interval.

With standard weights w that sum to 1, events x and people n by age band: the rate is sum(w x / n), its variance
v = sum(w^2 x / n^2).
- AJ Dobson, K Kuulasmaa, E Eberle, J Scherer, Confidence intervals for weighted sums of Poisson parameters, Stat
  Med 1991;10:457-62: rate + sqrt(v / X) (limit of X - X), X all events, its limits as of `poisson_limits`.
- MP Fay, EJ Feuer, Confidence intervals for directly standardized rates: a method based on the gamma
  distribution, Stat Med 1997;16:791-801.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.errors import StatisticsError
from ncdsurv.indicators.rates.border import FIGURES, add, free, names_of, words
from ncdsurv.indicators.rates.crude import poisson_limits
from ncdsurv.indicators.rates.given import (
    CONFIDENCE,
    PER_100000,
    Figures,
    Floats,
    checked,
    choice,
    fewest,
    numbers,
    positive,
    same_shape,
)
from ncdsurv.indicators.rates.groups import by_group, filled, grouped
from ncdsurv.indicators.rates.standards import complete, weights_by_name

if TYPE_CHECKING:
    import narwhals as nw
    from numpy.typing import ArrayLike

FEWEST_EVENTS = 10  # a standardised rate of fewer events is withheld (UKHSA practice)
NO_LIMITS = "no limits: no events"
METHODS = {"dobson": "Dobson", "fay-feuer": "Fay-Feuer"}


def dobson(
    value: ArrayLike,
    variance: ArrayLike,
    total: ArrayLike,
    confidence: float = CONFIDENCE,
    fewest_events: float = FEWEST_EVENTS,
) -> tuple[Floats, Floats, Floats]:
    """Dobson limits of standardised rates, from sums over their age bands.

    Args:
        value: Standardised rates, sum(w x / n), in any unit.
        variance: sum(w^2 x / n^2), in that unit squared.
        total: All events of each rate.
        confidence: Two-sided, above 0 and below 1.
        fewest_events: Rates of fewer events are withheld.

    Returns:
        (value, lower, upper) in the unit of the value, Float64; NaN where withheld.

    Raises:
        StatisticsError: A negative or infinite number (people were 0 somewhere), arrays of different lengths, a
            confidence or number of fewest events out of range.

    Source: Dobson et al., Stat Med 1991;10:457-62.

    >>> [round(float(figure), 5) for figure in dobson(0.06, 0.0000355, 100)]
    [0.06, 0.0489, 0.07289]
    """
    rate, spread, events = _sums(value=value, variance=variance, total=total)
    low, high = poisson_limits(events, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(events > 0, np.sqrt(spread / events), np.nan)
    return _withheld(
        events, fewest_events, rate, rate + scale * (low - events), rate + scale * (high - events)
    )


def fay_feuer(
    value: ArrayLike,
    variance: ArrayLike,
    largest: ArrayLike,
    total: ArrayLike,
    confidence: float = CONFIDENCE,
    fewest_events: float = FEWEST_EVENTS,
) -> tuple[Floats, Floats, Floats]:
    """Gamma limits of standardised rates, from sums over their age bands.

    Args:
        value: Standardised rates, sum(w x / n), in any unit.
        variance: sum(w^2 x / n^2), in that unit squared.
        largest: The largest weight per person, max(w / n), in that unit.
        total: All events of each rate.
        confidence: Two-sided, above 0 and below 1.
        fewest_events: Rates of fewer events are withheld.

    Returns:
        (value, lower, upper) in the unit of the value, Float64; NaN where withheld.

    Raises:
        StatisticsError: As of `dobson`.

    Source: Fay and Feuer, Stat Med 1997;16:791-801.

    >>> found = fay_feuer(0.06, 0.0000355, 0.00075, 100)
    >>> [round(float(figure), 5) for figure in found]
    [0.06, 0.04889, 0.07307]
    """
    from scipy.special import gammaincinv

    rate, spread, most, events = _sums(value=value, variance=variance, largest=largest, total=total)
    tail = (1 - checked(confidence)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = np.where(spread > 0, spread / rate * gammaincinv(rate**2 / spread, tail), 0.0)
        above, wider = rate + most, spread + most**2
        upper = wider / above * gammaincinv(above**2 / wider, 1 - tail)
    return _withheld(events, fewest_events, rate, lower, upper)


def standardised_rate(
    frame: Any = None,
    *,
    count: Any,
    population: Any,
    age: Any,
    standard: Mapping[str, float] | str,
    by: str | Sequence[str] = (),
    per: float = PER_100000,
    confidence: float = CONFIDENCE,
    method: str = "dobson",
    fewest_events: float = FEWEST_EVENTS,
) -> Any:
    """Directly standardised rates of groups, from one row for each group and age band.

    Args:
        frame: A pandas or polars DataFrame; without one, `count`, `population` and `age` are arrays of one group.
        count: Events of the age band: a column's name, or an array.
        population: Persons at risk in the age band; more than 0.
        age: Names of the age bands, the same words as in `standard`.
        standard: Age band -> weight (need not sum to 1; see `world_standard`), or the column of the frame that
            holds the weight of each row's band. Never a bare list: weights are matched by name.
        by: The column or columns that name the groups.
        per: Multiplier, 100,000 by default.
        confidence: Two-sided, above 0 and below 1.
        method: "dobson" or "fay-feuer".
        fewest_events: A group of fewer events is withheld.

    Returns:
        The same kind of frame, one row a group, sorted by it: the columns of `by`, events and population
        (Float64), value, lower, upper (Float64, per `per`), method and confidence. Withheld values are null and
        their method says why. For arrays `Figures` of single numbers.

    Raises:
        StatisticsError: An age band that the standard does not have or a group lacks, a band twice, a null number,
            a population of 0, a negative number, a confidence out of range.
        UsageError: A column that the frame does not have.

    >>> found = standardised_rate(
    ...     count=[60, 40], population=[500, 1000], age=["40+", "18-39"], standard={"18-39": 3, "40+": 1}, per=100
    ... )
    >>> round(float(found.value), 6), str(found.method)
    (6.0, 'Dobson')
    """
    named = METHODS[choice("method", method, tuple(METHODS))]
    scale, few = positive("per", per), f"withheld: fewer than {fewest(fewest_events):g} events"
    by = names_of(by)
    sums = standard_sums(frame, count, population, age, standard, by)
    events = sums["events"].to_numpy()
    raw, spread, largest = (sums[name].to_numpy() for name in ("_rate", "_spread", "_largest"))
    if named == METHODS["dobson"]:
        value, lower, upper = dobson(raw, spread, events, confidence, fewest_events)
    else:
        value, lower, upper = fay_feuer(raw, spread, largest, events, confidence, fewest_events)
    # Dobson's limits scale those of the count by its spread: without an event there is none to scale.
    how = words([(events < fewest_events, few), (np.isnan(lower), NO_LIMITS)], named, events.shape)
    figures = Figures(scale * value, scale * lower, scale * upper, how, confidence)
    if frame is None:
        return figures.single()
    return add(sums.select(*by, "events", "population"), figures._asdict())


def standard_sums(
    frame: Any, count: Any, population: Any, age: Any, standard: Any, by: Sequence[str]
) -> nw.DataFrame[Any]:
    """By group: events, population, and the sums that a standardised rate and its limits are made of."""
    import narwhals as nw

    table, columns = grouped(frame, by, {"count": count, "population": population}, age)
    free(table.select(*by), ("events", "population", *FIGURES))
    x, n = filled(columns["count"]), filled(columns["population"])
    if not np.all(n > 0):
        raise StatisticsError("an age band without population", do="merge it with the next or drop it")
    w = weights_by_name(table, columns["age"], standard)
    complete(
        table,
        list(by),
        columns["age"],
        len(standard) if isinstance(standard, Mapping) else table[columns["age"]].n_unique(),
    )
    terms = {
        "events": x,
        "population": n,
        "_rate": w * x / n,
        "_spread": w * w * x / (n * n),
        "_largest": w / n,
    }
    space = nw.get_native_namespace(table)
    series = [nw.new_series(name, values, backend=space) for name, values in terms.items()]
    most = nw.col("_largest").max()
    sums = [nw.col(name).sum() for name in terms if name != "_largest"]
    chosen = (
        table.select(*by).with_columns(*series) if by else table.select(columns["age"]).with_columns(*series)
    )
    return by_group(chosen, by, [*sums, most]) if by else chosen.select(*sums, most)


def _sums(**given: ArrayLike) -> list[Floats]:
    return same_shape(**{name: numbers(name, part) for name, part in given.items()})


def _withheld(events: Floats, least: float, *figures: Floats) -> tuple[Floats, Floats, Floats]:
    enough = events >= fewest(least)
    value, lower, upper = (np.where(enough, figure, np.nan) for figure in figures)
    return value, lower, upper
