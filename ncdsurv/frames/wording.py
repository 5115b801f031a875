"""The words of a story, as `wording.toml` has them; numbers come from the definitions."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.conditions import Condition
from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import language, number

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

_DECIMALS = 2


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(files("ncdsurv.frames").joinpath("wording.toml").read_text(encoding="utf-8"))


def phrase(key: str, lang: str, **parts: object) -> str:
    """A phrase by dotted key, its parts filled in, in composed form.

    >>> phrase("overdue", "vi")
    'quá hẹn'
    """
    node: Any = _words()
    for step in key.split("."):
        node = node[step]
    return nfc(str(node[language(lang)]).format(**parts))


def disease_name(catalog: Catalog, disease: str, lang: str) -> str:
    """Name of a disease."""
    return catalog.diseases[disease].names[lang]


def state_name(standing: str, lang: str) -> str:
    """Name of a standing."""
    return phrase(f"state.{standing}.name", lang)


def kind_name(kind: str, column: str, lang: str) -> str:
    """Name of a column's value as one kind of reading: `fasting glucose`, `systolic`."""
    return phrase(f"kind.{kind}" if kind in _words()["kind"] else f"column.{column}", lang)


def short_name(column: str, lang: str) -> str:
    """Name of a column where there is little room: over the marks of a picture."""
    return phrase(f"short.{column}" if column in _words()["short"] else f"column.{column}", lang)


def with_unit(catalog: Catalog, column: str, said: str) -> str:
    """A figure with its unit, where the column could be in another one."""
    plausible = catalog.plausibility.get(column)
    return f"{said} {plausible.unit}" if plausible is not None and plausible.other_units else said


def figure(value: float, lang: str) -> str:
    """A value with as many decimals as it needs: 6.99, just below the limit of 7, must not read 7.0."""
    needed = (places for places in range(_DECIMALS) if round(value, places) == value)
    return number(value, lang, next(needed, _DECIMALS))


def limit_words(
    catalog: Catalog, condition: Condition, kind: str, columns: tuple[str, ...], lang: str
) -> str:
    """A condition as `systolic < 140, diastolic < 90`, in the order of the reading's columns."""
    parts = []
    for test in sorted(condition.tests, key=lambda test: columns.index(test.column)):
        name = kind_name(kind, test.column, lang)
        bounds = [f"{phrase_operator(op)} {figure(limit, lang)}" for op, limit in test.bounds]
        parts += [f"{name} {with_unit(catalog, test.column, bound)}" for bound in bounds]
        if test.values:
            parts.append(f"{name} " + "/".join(str(value) for value in test.values))
    return ", ".join(parts)


def phrase_operator(operator: str) -> str:
    """The sign of an operator of the condition grammar."""
    return str(_words()["operator"][operator])


def months_words(months: int, lang: str) -> str:
    """A number of months: `1 month`, `3 months`."""
    return phrase("months.one" if months == 1 else "months.several", lang, months=months)
