"""Whether an analyst's rows can be: dates and readings within what the catalog calls plausible. Pure.

A release leaves such values out and says so in its log; here nothing is left out without the analyst: it is an error.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor

import polars as pl

from ncdsurv.catalog import Catalog
from ncdsurv.catalog.cards import written
from ncdsurv.catalog.conditions import Condition
from ncdsurv.errors import InputError

_YEAR, _DATED = "year", "see how the dates were read"
_DATES = {
    "patients": ("birth_date", "died_on"),
    "diagnoses": ("detected_on", "recorded_on", "withdrawn_on"),
}


def check_plausible(
    patients: pl.DataFrame, diagnoses: pl.DataFrame, visits: pl.DataFrame, catalog: Catalog
) -> None:
    """Years, readings, supplies and appointments: glucose in mg/dL is not judged as mmol/L, nobody comes unborn.

    Args:
        patients: person_id, birth_date, died_on.
        diagnoses: detected_on, recorded_on, withdrawn_on.
        visits: person_id, visited_on, next_visit_on and the columns of `plausibility.toml`, in its units.
        catalog: Limits.

    Raises:
        InputError: A value that cannot be; the message counts rows and shows none.
    """
    years = catalog.plausibility["visit_year"].limits
    said = "visits: visited_on is in no plausible year"
    _check(visits["visited_on"].dt.year(), _YEAR, years, said, _DATED)
    for frame, table in (("patients", patients), ("diagnoses", diagnoses)):
        for column in _DATES[frame]:
            said = f"{frame}: {column} is in no plausible year"
            _check(table[column].dt.year(), _YEAR, _lifetime(catalog), said, _DATED)
    if (
        early := visits.join(patients, on="person_id")
        .filter(pl.col("visited_on") < pl.col("birth_date"))
        .height
    ):
        raise InputError(
            "visits: before the person's day of birth",
            got=f"{early} rows",
            do="see which of the two dates is right",
        )
    measured = {
        name for m in catalog.measurements.values() for r in m.readings.values() for name in r.columns
    }
    for name in sorted((measured | {"supply_days"}) & set(catalog.plausibility)):
        plausible = catalog.plausibility[name]
        do = "name the unit, convert it, or leave the value empty"
        _check(visits[name], name, plausible.limits, f"visits: {name} is not plausible", do, plausible.unit)
    ahead = (visits["next_visit_on"] - visits["visited_on"]).dt.total_days()
    ahead = ahead.filter(ahead > 0)  # one not after the visit says nothing, as in a release
    plausible = catalog.plausibility["next_visit_days"]
    said, do = "visits: next_visit_on is too long after visited_on", f"{_DATED}, or leave it empty"
    _check(ahead, "time between them", plausible.limits, said, do, plausible.unit)


def _check(values: pl.Series, name: str, limits: Condition, said: str, do: str, unit: str = "") -> None:
    """Refuse values beyond their limits; `name` says in the message what it is that the limits bound."""
    named = Condition(tuple(replace(test, column=name) for test in limits.tests))
    known = pl.DataFrame({name: values}).drop_nulls()
    if odd := known.height - known.filter(named.expr()).height:
        raise InputError(said, got=f"{odd} rows", allowed=f"{written(named)} {unit}".strip(), do=do)


def _lifetime(catalog: Catalog) -> Condition:
    """The years of everything else that is dated: a long life before the first visit, and the last year of one."""
    first, last = _whole_numbers(catalog.plausibility["visit_year"].limits)
    _, oldest = _whole_numbers(catalog.plausibility["age_years"].limits)
    bounds = {} if first is None or oldest is None else {"ge": first - oldest}
    bounds |= {} if last is None else {"le": last}
    return Condition.parse({_YEAR: bounds}) if bounds else Condition()


def _whole_numbers(limits: Condition) -> tuple[int | None, int | None]:
    """The lowest and the highest whole number within limits, whichever way they are written; None without one."""
    lowest, highest = [], []
    for operator, limit in (bound for test in limits.tests for bound in test.bounds):
        if operator in ("ge", "gt"):
            lowest.append(ceil(limit) if operator == "ge" else floor(limit) + 1)
        else:
            highest.append(floor(limit) if operator == "le" else ceil(limit) - 1)
    return max(lowest, default=None), min(highest, default=None)
