"""Indirect standardisation: events against those expected at a reference's rates by age.

Ratio = observed / expected, its limits those of the observed count (exact below 10, Byar from 10 on) over the
expected; rate = ratio x the reference's crude rate. NE Breslow, NE Day, Statistical Methods in Cancer Research II,
IARC 1987, ch. 2. Not withheld at small numbers: it is the form for areas too small for direct standardisation, and
two areas' ratios are each comparable with the reference only, not with one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isinf
from typing import TYPE_CHECKING, Any

from ncdsurv.errors import StatisticsError
from ncdsurv.indicators.rates.border import FIGURES, add, answer, free, given_numbers, names_of
from ncdsurv.indicators.rates.crude import poisson_limits, poisson_method
from ncdsurv.indicators.rates.given import (
    CONFIDENCE,
    PER_100000,
    PERCENT,
    Figures,
    Floats,
    at_risk,
    checked,
    expecting,
    positive,
    same_shape,
)
from ncdsurv.indicators.rates.groups import by_group, filled, grouped
from ncdsurv.indicators.rates.standards import complete, rows_by_name

if TYPE_CHECKING:
    import narwhals as nw

    Reference = Mapping[str, tuple[float, float]]


def ratio_to_expected(
    frame: Any = None,
    *,
    count: Any,
    expected: Any,
    multiplier: float = PERCENT,
    confidence: float = CONFIDENCE,
) -> Any:
    """Observed over expected events of each row, where the expected ones are known already.

    Args:
        frame: A pandas or polars DataFrame; without one, `count` and `expected` are arrays.
        count: Observed events: a column's name, or an array.
        expected: Expected events, any number of at least 0.
        multiplier: 100 gives "as many as expected" the value 100.
        confidence: Two-sided, above 0 and below 1.

    Returns:
        The same kind of frame with value, lower, upper (Float64), method and confidence added; or `Figures`. Null
        where nothing is expected.

    Raises:
        StatisticsError: A negative number, events where none are expected, arrays of different lengths.

    >>> found = ratio_to_expected(count=[20], expected=[10.0])
    >>> [round(float(figure[0]), 2) for figure in found[:3]]
    [200.0, 122.11, 308.9]
    """
    table, (x, e) = given_numbers(frame, count=count, expected=expected)
    x, e = same_shape(count=x, expected=e)
    return answer(table, _figures(x, e, positive("multiplier", multiplier), confidence))


def standardised_ratio(
    frame: Any = None,
    *,
    count: Any,
    population: Any,
    age: Any,
    reference: Reference,
    by: str | Sequence[str] = (),
    multiplier: float = PERCENT,
    confidence: float = CONFIDENCE,
) -> Any:
    """Indirectly standardised ratios of groups, from one row for each group and age band.

    Args:
        frame: A pandas or polars DataFrame; without one, `count`, `population` and `age` are arrays of one group.
        count: Events of the age band: a column's name, or an array.
        population: Persons at risk in the age band.
        age: Names of the age bands, the same words as in `reference`.
        reference: Age band -> (events, persons) of the reference population, matched by name.
        by: The column or columns that name the groups.
        multiplier: 100 gives "as many as expected" the value 100.
        confidence: Two-sided, above 0 and below 1.

    Returns:
        The same kind of frame, one row a group, sorted by it: the columns of `by`, events, expected (Float64),
        value, lower, upper (Float64), method and confidence; for arrays `Figures` of single numbers.

    Raises:
        StatisticsError: An age band that the reference does not have or a group lacks, a band twice, a null number,
            events in a band without people, a reference band without population or of infinite numbers.

    >>> found = standardised_ratio(
    ...     count=[5, 15], population=[1000, 500], age=["18-39", "40+"],
    ...     reference={"40+": (160, 10_000), "18-39": (40, 20_000)},
    ... )
    >>> round(float(found.value), 6)
    200.0
    """
    by = names_of(by)
    sums, _ = _sums(frame, count, population, age, reference, by)
    return _answer(frame, sums, by, positive("multiplier", multiplier), confidence)


def indirect_rate(
    frame: Any = None,
    *,
    count: Any,
    population: Any,
    age: Any,
    reference: Reference,
    by: str | Sequence[str] = (),
    per: float = PER_100000,
    confidence: float = CONFIDENCE,
) -> Any:
    """Indirectly standardised rates of groups: the ratio times the reference's crude rate.

    Arguments, results and errors are those of `standardised_ratio`; values are per `per` people.

    >>> found = indirect_rate(
    ...     count=[5, 15], population=[1000, 500], age=["18-39", "40+"], per=1000,
    ...     reference={"40+": (160, 10_000), "18-39": (40, 20_000)},
    ... )
    >>> round(float(found.value), 4)
    13.3333
    """
    by = names_of(by)
    sums, crude = _sums(frame, count, population, age, reference, by)
    return _answer(frame, sums, by, positive("per", per) * crude, confidence)


def _sums(
    frame: Any, count: Any, population: Any, age: Any, reference: Any, by: Sequence[str]
) -> tuple[nw.DataFrame[Any], float]:
    import narwhals as nw

    table, columns = grouped(frame, by, {"count": count, "population": population}, age)
    free(table.select(*by), ("events", "expected", *FIGURES))
    x, n = filled(columns["count"]), filled(columns["population"])
    at_risk(x, n)  # nothing is expected of a band without people, so its events would only swell the ratio
    rates, crude = _reference(reference)
    expected = n * rows_by_name(table, columns["age"], rates)
    complete(table, list(by), columns["age"], len(rates))
    space = nw.get_native_namespace(table)
    terms = {"events": x, "expected": expected}
    series = [nw.new_series(name, values, backend=space) for name, values in terms.items()]
    sums = [nw.col(name).sum() for name in terms]
    if not by:
        return table.select(columns["age"]).with_columns(*series).select(*sums), crude
    return by_group(table.select(*by).with_columns(*series), by, sums), crude


def _reference(reference: Any) -> tuple[dict[str, float], float]:
    try:
        pairs = {str(band): (float(events), float(people)) for band, (events, people) in reference.items()}
    except (AttributeError, TypeError, ValueError):
        raise StatisticsError(
            "a reference population without names or without two numbers a band",
            got=type(reference).__name__,
            allowed="age band -> (events, persons)",
        ) from None
    if any(isinf(number) for pair in pairs.values() for number in pair):
        raise StatisticsError("a reference band of infinite numbers", do="check the reference population")
    if not all(people > 0 and events >= 0 for events, people in pairs.values()):
        raise StatisticsError("a reference band without population", do="merge it with the next band")
    crude = sum(events for events, _ in pairs.values()) / sum(people for _, people in pairs.values())
    return {band: events / people for band, (events, people) in pairs.items()}, crude


def _answer(frame: Any, sums: Any, by: Sequence[str], scale: float, confidence: float) -> Any:
    figures = _figures(sums["events"].to_numpy(), sums["expected"].to_numpy(), scale, confidence)
    if frame is None:
        return figures.single()
    return add(sums.select(*by, "events", "expected"), figures._asdict())


def _figures(x: Floats, expected: Floats, scale: float, confidence: float) -> Figures:
    checked(confidence)
    below = expecting(x, expected)
    low, high = poisson_limits(x, confidence)
    value, lower, upper = (scale * figure / below for figure in (x, low, high))
    return Figures(value, lower, upper, poisson_method(x, lower), confidence)
