"""The bucket layout: persons, cases and contacts of a few communes as dense integers, ordered for one pass.

A bucket holds people who live near each other (home commune), ordered by home atom and person, their
contacts by person and date. The order is paid for once, when records are written; every build after that
is one sequential pass (see `engine`). Five tables, integers but for the names of facilities and sources:

| table | one row is |
|---|---|
| people | a person: dense number, sex, birth month, month of death |
| segments | from this month on the person lives in this atom |
| assignments | from this month on the person is looked after by this facility, known from this source |
| cases | a person x disease: months of detection, enrolment, first suspicious reading, withdrawal |
| contacts | one visit row, or a notice: day, month, kind, diseases it speaks of, readings, status, day due again |

Nulls of the month columns are `NEVER`; readings and `due_day` keep their nulls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import polars as pl

from ncdsurv.catalog.conditions import Condition, Test
from ncdsurv.catalog.tables import Schema
from ncdsurv.catalog.vocabulary import GLUCOSE_KINDS, PatientStatus, Sex, VisitKind

NEVER = 10**6  # a month index no calendar reaches; differences to it stay far outside every window
SEXES, KINDS, STATUSES = tuple(Sex), tuple(VisitKind), tuple(PatientStatus)
NOTICE = len(KINDS)  # the kind of a contact that only tells a status: no preset counts it as a visit
SCALES: Mapping[str, int] = {"glucose_mmol_l": 100, "hba1c_percent": 100}  # clean rounds both to 0.01

PEOPLE: Schema = {
    "person": pl.Int32(),
    "person_id": pl.String(),
    "sex": pl.Int8(),
    "birth_month": pl.Int32(),
    "death_month": pl.Int32(),
}
SEGMENTS: Schema = {"person": pl.Int32(), "from_month": pl.Int32(), "atom": pl.Int32()}
ASSIGNMENTS: Schema = {
    "person": pl.Int32(),
    "from_month": pl.Int32(),
    "facility": pl.String(),
    "source": pl.String(),
}
CASES: Schema = {
    "person": pl.Int32(),
    "disease": pl.Int8(),
    "detected_month": pl.Int32(),
    "enrolled_month": pl.Int32(),
    "suspected_month": pl.Int32(),
    "at_risk_month": pl.Int32(),
    "withdrawn_month": pl.Int32(),
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
    "lung_grade": pl.Int8(),
    "asthma_control": pl.Int8(),
    "due_day": pl.Int32(),
}
LAYOUT: Mapping[str, Schema] = {
    "people": PEOPLE,
    "segments": SEGMENTS,
    "assignments": ASSIGNMENTS,
    "cases": CASES,
    "contacts": CONTACTS,
}
_ABSENT = {column: NEVER for column in CASES if column.endswith("_month")}


def lay_out(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The columns of a table of the layout, in order and type; those absent say that nothing is known.

    >>> known = pl.DataFrame({"person": 0, "disease": 0, "detected_month": 24301, "enrolled_month": 24302})
    >>> lay_out(known, CASES)["withdrawn_month"].to_list() == [NEVER]
    True
    """
    missing = {name: pl.lit(_ABSENT.get(name)) for name in schema if name not in frame.columns}
    return frame.with_columns(**missing).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


@dataclass(frozen=True, repr=False)
class Bucket:
    """One bucket: the five tables of the layout, in its order. See the module's text."""

    people: pl.DataFrame
    segments: pl.DataFrame
    assignments: pl.DataFrame
    cases: pl.DataFrame
    contacts: pl.DataFrame

    def __repr__(self) -> str:
        """Counts only: its rows are readings of people."""
        return f"Bucket({self.people.height} people, {self.contacts.height} contacts)"

    def tables(self) -> dict[str, pl.DataFrame]:
        """The five tables by name."""
        return {part.name: getattr(self, part.name) for part in fields(self)}


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
