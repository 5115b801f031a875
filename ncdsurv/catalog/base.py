"""What every definition is made of: a frozen base, names in two languages, conditions read from a file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import SpellColumn


def _condition(columns: Any) -> BeforeValidator:
    def read(value: Any) -> Any:
        return value if isinstance(value, Condition) or value is None else Condition.parse(value, columns)

    return BeforeValidator(read)


def write_condition(condition: Condition | None) -> dict[str, Any] | None:
    """A condition as it would stand in a definition file."""
    if condition is None:
        return None
    return {
        test.column: dict(test.bounds)
        if test.bounds
        else (test.values[0] if len(test.values) == 1 else list(test.values))
        for test in condition.tests
    }


_plain = PlainSerializer(write_condition, return_type=dict[str, Any] | None)
SpellCondition = Annotated[Condition, _condition([c.value for c in SpellColumn]), _plain]
MeasurementCondition = Annotated[Condition, _condition(None), _plain]


class Definition(BaseModel):
    """Base: frozen, no unknown field, no silent coercion of text into numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Names(Definition):
    """A name or text in Vietnamese and English."""

    vi: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def __getitem__(self, language: str) -> str:
        return str(getattr(self, language))


def _same_in_both(value: Any) -> Any:
    return {language: value for language in Names.model_fields} if isinstance(value, str) else value


Citation = Annotated[Names, BeforeValidator(_same_in_both)]
"""A text in both languages; one that reads alike in both (a title, a unit) may stand once.

Definitions kept with a release of before hold it once, in English.
"""
