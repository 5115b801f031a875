"""Code lists that changed over time: which list holds on a day, and what its codes mean to the registry."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from ncdsurv.catalog.models import Definition, Names


class ListVersion(Definition):
    """One version: the first day of its use, and its codes by the word of the registry they stand for."""

    id: str
    names: Names
    first_day: dt.date = Field(alias="from")
    source: str
    verified: bool
    codes: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def meanings(self) -> dict[str, str]:
        """Word of the registry by code."""
        return {code: word for word, codes in self.codes.items() for code in codes}


class CodeList(Definition):
    """One code list in all its versions, from old to new.

    Attributes:
        by: The date of a row that says which version holds.
        digits: Length to which a code that lost its zeros is filled up; 0 leaves codes alone.
    """

    id: str
    names: Names
    by: str
    digits: int = 0
    lists: tuple[ListVersion, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> CodeList:
        days = [version.first_day for version in self.lists]
        if days != sorted(set(days)):
            raise ValueError("give the lists from old to new, one first day each")
        return self

    def at(self, day: dt.date) -> ListVersion:
        """The version in use on a day; before the first, the first.

        >>> from ncdsurv.catalog import load_catalog
        >>> load_catalog().code_lists["icd10"].at(dt.date(2026, 7, 1)).id
        'tt06_2026'
        """
        held = [version for version in self.lists if version.first_day <= day]
        return held[-1] if held else self.lists[0]


def load_code_lists(path: Path) -> tuple[dict[str, CodeList], list[str]]:
    """Read the lists.

    Args:
        path: `code_lists.toml`.

    Returns:
        The lists by id, and every problem.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [f"{path.name}: not readable as TOML ({error})"]
    found: dict[str, CodeList] = {}
    problems: list[str] = []
    for name, table in tables.items():
        try:
            found[name] = CodeList.model_validate({"id": name, **table})
        except ValidationError as error:
            problems += [
                f"{path.name}: [{name}] {'.'.join(map(str, item['loc'])) or 'table'}: {item['msg']}"
                for item in error.errors()
            ]
    return found, problems
