"""Parameters of a notebook, checked before anything runs.

papermill only warns about a parameter it does not know and then runs with the default, so a mistyped
province would give a clean, wrong report. Here an unknown or missing parameter, or a value that does not
exist, is an error with the nearest name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import ConfigDict, Field, StrictStr, ValidationError, create_model

from ncdsurv.catalog.vocabulary import Language, Level, Period, Vintage
from ncdsurv.errors import NcdsurvError, UsageError, nearest, unknown
from ncdsurv.reports.analyses import ANALYSES, moments
from ncdsurv.reports.catalogue import NotebookSpec

Choices = Mapping[str, Collection[str]]
"""Kind of parameter -> the values that exist; a kind without an entry is free text."""

FIXED_CHOICES: Choices = {
    "vintage": [str(item) for item in Vintage],
    "language": [str(item) for item in Language],
    "level": [str(item) for item in Level],
    "method": list(ANALYSES),
}


def parse_assignments(words: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` words as a dictionary; values stay text, so `04` keeps its zero.

    >>> parse_assignments(["province=04"])
    {'province': '04'}
    """
    values: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError("a parameter cannot be read", got=word, allowed="NAME=VALUE")
        values[name] = value
    return values


def check_parameters(spec: NotebookSpec, given: Mapping[str, Any], choices: Choices) -> dict[str, str]:
    """The complete parameters of one run.

    Args:
        spec: The notebook.
        given: What the caller gave; the rest comes from the notebook's defaults.
        choices: Values that exist, by kind.

    Returns:
        Every declared parameter with its value.

    Raises:
        UsageError: Something is unknown, missing, not text, or names what does not exist.
    """
    for name in given:
        if name not in spec.parameters:
            raise unknown(f"parameter of {spec.name}", name, spec.parameters)
    values = {name: given.get(name, default) for name, default in spec.defaults.items()}
    try:
        checked = _model(spec).model_validate(values).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"parameter {first['loc'][0]} of {spec.name} is missing or is not text",
            allowed=spec.parameters[str(first["loc"][0])].kind,
            do="give it as text, for instance -p province=79",
        ) from None
    known = {**FIXED_CHOICES, **choices}
    for name, value in checked.items():
        _check_value(spec, name, value, known)
    return checked


def _check_period(name: str, value: str) -> None:
    try:
        Period.parse(value)
    except NcdsurvError as error:
        raise UsageError(f"parameter {name}: {error}") from None


def _model(spec: NotebookSpec) -> Any:
    fields: dict[str, Any] = {name: (StrictStr, Field(min_length=1)) for name in spec.parameters}
    return create_model(f"Parameters_{spec.name}", __config__=ConfigDict(extra="forbid"), **fields)


def _check_value(spec: NotebookSpec, name: str, value: str, known: Choices) -> None:
    kind = spec.parameters[name].kind
    if kind == "period":
        _check_period(name, value)
    if kind == "moment" and value not in moments():
        near = nearest(value, moments())
        if near and not value[:1].isdigit():
            raise UsageError(
                f"parameter {name} of {spec.name}: no such event",
                got=value,
                allowed="YYYY-MM, " + ", ".join(moments()),
                do=f"try {near}",
            )
        _check_period(name, value)
    if kind in known and value not in known[kind]:
        names = [str(item) for item in known[kind]]
        near = nearest(value, names)
        shown = ", ".join(names[:12]) + (f", ... ({len(names)} in all)" if len(names) > 12 else "")
        raise UsageError(
            f"parameter {name} of {spec.name}: no such {kind}",
            got=value,
            allowed=shown or "none",
            do=f"try {near}" if near else None,
        )
