"""How a source's paper-like books are laid out: month columns, marks, totals and signatures, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from ncdsurv.catalog.models import Definition


class BookMapping(Definition):
    """What stands in a yearly book that no column header tells.

    Attributes:
        month: Regular expression of a month's label, groups `month` and (optional) `year`.
        month_group: Words of a label above bare month numbers ("Tháng" over 1..12).
        year: Regular expression that finds the year in a title, a sheet's name or the file's name.
        line_number: Headers of the column that numbers the lines (TT, STT).
        marks: What is written in a month's cell when medicine was given.
        nothing: What is written when the person did not come.
        totals: Regular expression of the first words of a total or sub-total.
        signatures: Regular expression of words that stand below a table only.
        flags: ICD-10 code -> headers of columns in which a mark says the diagnosis.
    """

    month: str
    month_group: tuple[str, ...] = ()
    year: str
    line_number: tuple[str, ...] = ()
    marks: tuple[str, ...] = Field(min_length=1)
    nothing: tuple[str, ...] = ()
    totals: str
    signatures: str
    flags: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("month", "year", "totals", "signatures")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression ({error})") from None
        return pattern

    @field_validator("month")
    @classmethod
    def _names_month(cls, pattern: str) -> str:
        if "month" not in re.compile(pattern).groupindex:
            raise ValueError("name the month's group: (?P<month>\\d{1,2})")
        return pattern


def shape_problems(
    reader: str,
    book: BookMapping | None,
    ignored: tuple[str, ...],
    above: Mapping[str, str],
    fields: Mapping[str, Any],
    known: Mapping[str, Any],
) -> list[str]:
    """What is wrong with the parts of a mapping that are neither fields nor sheets."""
    problems = []
    if (reader == "book") != (book is not None):
        problems.append('[book] goes with reader = "book" and with no other. Do: add or remove [book]')
    used = {column for field in fields.values() for column in field.columns}
    problems += [f"[ignored] column {name!r} is also read. Do: keep one" for name in ignored if name in used]
    for name, pattern in above.items():
        if name not in known:
            problems.append(f"[above] unknown name {name!r}; allowed: {', '.join(sorted(known))}")
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            problems.append(f"[above.{name}] not a regular expression ({error})")
            continue
        if groups != 1:
            problems.append(f"[above.{name}] has {groups} groups; allowed: one. Do: put the value in (...)")
    return problems
