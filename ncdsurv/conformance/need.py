"""Which data elements an indicator of a disease cannot do without: worked out from the definitions alone."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.elements import DataElement, DataStandard
from ncdsurv.catalog.vocabulary import SpellColumn

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Disease, Indicator

REPORTED = "reported_target"
"""The element that holds the facility's own verdict."""
Alternatives = tuple[tuple[str, ...], ...]
"""Sets of elements; one whole set is enough."""


def needs(
    indicator: Indicator, disease: Disease, catalog: Catalog, standard: DataStandard
) -> Alternatives | None:
    """What must be there to compute an indicator of a disease.

    Returns:
        The sets of elements of which one is enough, or None where the indicator is not made for the disease
        (no reading decides its control) or needs no record at all.
    """
    if indicator.diseases and disease.id not in indicator.diseases:
        return None
    conditions = [indicator.numerator_for(preset) for preset in indicator.presets]
    if not any(condition.tests for condition in conditions):
        return None
    elements = standard.elements.values()
    readings, of_readings = _readings(disease, catalog), _reading_columns(catalog)
    always = [element.id for element in elements if element.required]
    always += [
        element.id
        for element in elements
        if not element.required
        and element.id not in of_readings
        and any(_told_by(element, condition) for condition in conditions)
    ]
    asked = {
        column
        for element in elements
        if element.id in of_readings
        for condition in conditions
        for column in _asked_of(element, condition)
    }
    if not asked:
        return (tuple(always),)
    if asked == {SpellColumn.COMPANION_AT_TARGET}:
        readings = _columns_of(disease.companion, catalog)
    if SpellColumn.SEVERITY in asked:  # a verdict alone tells no degree
        readings = [columns for columns in readings if columns != (REPORTED,)]
    if not readings:
        return None
    return tuple((*always, *columns) for columns in readings)


def lacking(alternatives: Alternatives, usable: Container[str]) -> tuple[str, ...]:
    """The elements that are missing; none when one of the sets is whole.

    >>> lacking((("a", "b"), ("a", "c")), {"a", "c"})
    ()
    >>> lacking((("a", "b"), ("a", "c")), {"a"})
    ('b', 'c')
    """
    gaps = [[element for element in every if element not in usable] for every in alternatives]
    if not all(gaps):
        return ()
    return tuple(dict.fromkeys(element for gap in gaps for element in gap))


def _told_by(element: DataElement, condition: Condition) -> bool:
    """Whether a condition asks for something that only this element can tell."""
    return any(_asked_of(element, condition))


def _asked_of(element: DataElement, condition: Condition) -> Iterator[SpellColumn]:
    """The columns of a condition that only this element can tell."""
    if not element.feeds:
        return
    for test in condition.tests:
        asked = {str(value) for value in test.values}
        for column, values in element.feeds.items():
            if str(test.column) == str(column) and (not values or (asked and asked <= set(values))):
                yield column


def _readings(disease: Disease, catalog: Catalog) -> list[tuple[str, ...]]:
    """What an outcome can rest on: the readings, and the facility's own verdict where that decides."""
    said = [(REPORTED,)] if disease.measurement is None or disease.or_reported else []
    return [*_columns_of(disease.measurement, catalog), *said]


def _columns_of(measurement: str | None, catalog: Catalog) -> list[tuple[str, ...]]:
    if measurement is None:
        return []
    readings = catalog.measurements[measurement].readings.values()
    return list(dict.fromkeys(reading.columns for reading in readings))


def _reading_columns(catalog: Catalog) -> frozenset[str]:
    return frozenset({REPORTED}) | frozenset(
        column
        for measurement in catalog.measurements.values()
        for reading in measurement.readings.values()
        for column in reading.columns
    )


def besides(catalog: Catalog, standard: DataStandard) -> dict[str, dict[str, Alternatives]]:
    """What indicators need over and above the required elements.

    Returns:
        Indicator -> disease -> sets of elements of which one is enough; only where there are any.
    """
    required = {element.id for element in standard.elements.values() if element.required}
    found: dict[str, dict[str, Alternatives]] = {}
    for indicator in catalog.indicators.values():
        for disease in catalog.diseases.values():
            alternatives = needs(indicator, disease, catalog, standard)
            more = tuple(
                tuple(element for element in every if element not in required) for every in alternatives or ()
            )
            if any(more):
                found.setdefault(indicator.id, {})[disease.id] = more
    return found
