"""The bucket layout: persons, cases and contacts of a few communes as dense integers, ordered for one pass.

A bucket holds people who live near each other (home commune), ordered by home atom and person, their
contacts by person and date. The order is paid for once, when records are written; every build after that
is one sequential pass (see `engine`). Four tables, integers only:

| table | one row is |
|---|---|
| people | a person: dense number, sex, birth month, month of death |
| segments | from this month on the person lives in this atom |
| cases | a person x disease: first month detected, month of enrolment |
| contacts | one visit row: day, month, kind, diseases it speaks of, readings, status |

Nulls of the two month columns are `NEVER`; readings keep their nulls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import polars as pl

from ncdsurv.catalog.conditions import Condition, Test
from ncdsurv.catalog.tables import Schema
from ncdsurv.catalog.vocabulary import PatientStatus, Sex, VisitKind

NEVER = 10**6  # a month index no calendar reaches; differences to it stay far outside every window
SEXES, KINDS, STATUSES = tuple(Sex), tuple(VisitKind), tuple(PatientStatus)
GLUCOSE_KINDS = ("fasting", "random", "unknown")
SCALES: Mapping[str, int] = {"glucose_mmol_l": 100, "hba1c_percent": 100}  # clean rounds both to 0.01

PEOPLE: Schema = {
    "person": pl.Int32(),
    "person_id": pl.String(),
    "sex": pl.Int8(),
    "birth_month": pl.Int32(),
    "death_month": pl.Int32(),
}
SEGMENTS: Schema = {"person": pl.Int32(), "from_month": pl.Int32(), "atom": pl.Int32()}
CASES: Schema = {
    "person": pl.Int32(),
    "disease": pl.Int8(),
    "detected_month": pl.Int32(),
    "enrolled_month": pl.Int32(),
}
CONTACTS: Schema = {
    "person": pl.Int32(),
    "day": pl.Int32(),
    "month": pl.Int32(),
    "kind": pl.Int8(),
    "diseases": pl.Int64(),
    "status": pl.Int8(),
    "reported_target": pl.Int8(),
    "dispensed": pl.Int8(),
    "sbp": pl.Int16(),
    "dbp": pl.Int16(),
    "glucose_mmol_l": pl.Int16(),
    "glucose_kind": pl.Int8(),
    "hba1c_percent": pl.Int16(),
}
LAYOUT: Mapping[str, Schema] = {"people": PEOPLE, "segments": SEGMENTS, "cases": CASES, "contacts": CONTACTS}


@dataclass(frozen=True)
class Bucket:
    """One bucket: the four tables of the layout, in its order. See the module's text."""

    people: pl.DataFrame
    segments: pl.DataFrame
    cases: pl.DataFrame
    contacts: pl.DataFrame

    def tables(self) -> dict[str, pl.DataFrame]:
        """The four tables by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def encode_condition(condition: Condition) -> Condition:
    """A condition over record columns, rewritten to the integers the contacts hold.

    >>> from ncdsurv.catalog.conditions import Condition
    >>> encode_condition(Condition.parse({"glucose_mmol_l": {"lt": 11.1}})).tests[0].bounds
    (('lt', 1110),)
    """
    encoded = []
    for test in condition.tests:
        scale = SCALES.get(test.column, 1)
        values = tuple(
            GLUCOSE_KINDS.index(str(v)) if test.column == "glucose_kind" else _scaled(v, scale)
            for v in test.values
        )
        encoded.append(Test(test.column, values, tuple((op, _scaled(v, scale)) for op, v in test.bounds)))
    return Condition(tuple(encoded))


def _scaled(limit: object, scale: int) -> float:
    number = round(float(str(limit)) * scale, 6)  # 7.2 x 100 is 720.0000000000001 without the rounding
    return int(number) if number.is_integer() else number
