"""The shape of JSON exports, as data: where records stand, which objects inside are sheets, what is an error."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ncdsurv.catalog.models import Definition


class Answer(Definition):
    """A body that is an answer without data: known by one key, whatever its value or one of `values`.

    `unless` are values of success. `ends_pages`: after pages with records it only says that there are no more.
    """

    key: str
    values: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    ends_pages: bool = False
    says: str = Field(min_length=1)
    do: str = Field(min_length=1)


class RecordsMapping(Definition):
    """Where the records of a JSON body stand.

    Attributes:
        lists: Keys of a body (with dots below one another) whose value is the list of records.
        sheets_below: Keys of a record whose objects are its sheets, told by the names of `[sheets.*]`; an
            empty text is the record itself. A field that a sheet lacks is looked for in the record around it.
        answers: Bodies that are refused, the first that fits.
    """

    lists: tuple[str, ...] = Field(min_length=1)
    sheets_below: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()


def records_problems(mapping: Any) -> list[str]:
    """What a JSON source lacks."""
    if mapping.records is None:
        return [
            'a JSON source needs [records]. Do: add lists = ["KEY"], the key under which its records stand'
        ]
    if mapping.sheets and not mapping.records.sheets_below:
        return ["[records] sheets_below is missing. Do: name the key that holds the objects of [sheets.*]"]
    return []
