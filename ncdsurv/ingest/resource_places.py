"""Takes from a resource what a mapping names: texts at places, and measurements by their codes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ncdsurv.catalog.resources import FOLLOW, bare, plain_system
from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.catalog.vocabulary import TIME_ZONE
from ncdsurv.ingest.headers import fold

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)")
_PLAIN = re.compile(r"-?\d{1,9}(\.\d{1,9})?")
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_UCUM = plain_system("http://unitsofmeasure.org")
_ZONE = ZoneInfo(TIME_ZONE)

Step = tuple[str, frozenset[str] | None]


class Place(NamedTuple):
    """A place, ready to use: its type, the steps below, whether only presence counts, and what to follow."""

    kind: str
    steps: tuple[Step, ...]
    asks: bool = False
    then: str = ""  # the place in the type referred to


def compiled(place: str, systems: Mapping[str, frozenset[str]]) -> Place:
    """A place of a mapping, ready to use."""
    here, _, then = bare(place).partition(FOLLOW)
    kind, _, rest = here.partition(".")
    steps = []
    for step in rest.removesuffix("?").split("."):
        name, _, system = step.partition("[")
        steps.append((name, systems[system.removesuffix("]")] if system else None))
    return Place(kind, tuple(steps), rest.endswith("?"), then)


def elements(resource: Any, steps: tuple[Step, ...]) -> list[Any]:
    """What stands at the end of some steps; `value` also finds `valueQuantity`; what is marked old is left out."""
    found = [resource]
    for name, wanted in steps:
        found = [
            value
            for item in found
            if isinstance(item, dict)
            for value in flat(_child(item, name))
            if not (isinstance(value, dict) and value.get("use") == "old")
            and (wanted is None or not wanted.isdisjoint(_carried(value)))
        ]
    return found


def _child(item: dict[str, Any], name: str) -> Any:
    found = item.get(name)
    if found is not None:
        return found
    choices = (key for key in item if key.startswith(name) and key[len(name) :][:1].isupper())
    return item.get(min(choices, default=""))


def flat(value: Any) -> Iterator[Any]:
    """The elements of a list, or the one thing that stands in its place."""
    if isinstance(value, list):
        yield from (item for item in value if item is not None and not isinstance(item, list))
    elif value is not None:
        yield value


def _carried(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    codings = flat(kind.get("coding")) if isinstance(kind, dict) else ()
    for item in (value, *codings):
        if isinstance(item, dict):
            for key in ("system", "url", "code"):
                if isinstance(item.get(key), str):
                    yield plain(item[key])


@lru_cache(maxsize=4096)
def plain(system: str) -> str:
    """A system as it is compared, remembered."""
    return plain_system(system)


def text(value: Any, factors: Mapping[str, float] | None = None) -> str | None:
    """One element as text: a coding gives its code, a quantity its number, a name its parts, an instant local time."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return clean_text(local_time(value))
    if not isinstance(value, dict):
        return None
    if "coding" in value or "text" in value:
        codes = [text(item) for item in flat(value.get("coding"))]
        return next(filter(None, codes), None) or text(value.get("text"))
    if "value" in value:
        return amount(value, factors)[0]
    if "family" in value or "given" in value:
        parts = [value.get("family"), *flat(value.get("given"))]
        return clean_text(" ".join(part for part in parts if isinstance(part, str)))
    code = value.get("code")
    return clean_text(code) if isinstance(code, str) else None


def clean_text(value: str) -> str | None:
    """Text that any table can hold: half a surrogate pair is no character."""
    return (value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")) or None


def local_time(value: str) -> str:
    """An instant with an offset as the clock on the wall showed it; anything else as it is.

    >>> local_time("2025-08-13T23:30:00Z")
    '2025-08-14T06:30:00'
    """
    if not _INSTANT.fullmatch(value):
        return value
    try:
        return dt.datetime.fromisoformat(value).astimezone(_ZONE).replace(tzinfo=None).isoformat()
    except (ValueError, OverflowError):
        return value


def amount(quantity: dict[str, Any], factors: Mapping[str, float] | None) -> tuple[str | None, str | None]:
    """A quantity's number and unit. With factors the number is converted; in a unit without one it is unreadable."""
    number = quantity.get("value")
    if not isinstance(number, str):
        return None, None
    unit = _unit(quantity)
    if factors and unit:
        if unit not in factors:
            return clean_text(f"{number} [{unit}]"), unit  # no number to any reader: it is emptied and logged
        if factors[unit] != 1 and _PLAIN.fullmatch(number):
            number = f"{(Decimal(number) * Decimal(str(factors[unit]))).normalize():f}"
    sign = quantity.get("comparator")
    return clean_text(f"{sign}{number}" if sign in ("<", ">", "<=", ">=") else number), unit


def _unit(quantity: dict[str, Any]) -> str | None:
    """The UCUM code without its {remark}, else the unit as printed."""
    system, code, printed = (quantity.get(key) for key in ("system", "code", "unit"))
    if isinstance(code, str) and (not isinstance(system, str) or plain(system) == _UCUM):
        printed = code
    return clean_text(_ANNOTATION.sub("", printed).strip()) if isinstance(printed, str) else None


class Measures:
    """Finds the analyses of a mapping in a resource that carries codes and values, alone or in components."""

    def __init__(self, mapping: SourceMapping, units: Mapping[str, Mapping[str, float]]) -> None:
        self._labs, self._units = mapping.labs, units
        self._by_code = {
            code: lab
            for lab, how in mapping.labs.items()
            for code in (*how.service_codes, *how.indicator_codes)
        }
        self._named = lru_cache(maxsize=4096)(self._by_name)

    def of(self, resource: dict[str, Any]) -> dict[str, list[str | None]]:
        """By name of the analysis: its value, unit, code and name as written."""
        found: dict[str, list[str | None]] = {}
        for part in (resource, *flat(resource.get("component"))):
            value = _child(part, "value") if isinstance(part, dict) else None
            if value is None:
                continue
            codings = elements(part, (("code", None), ("coding", None)))
            codes = [code for item in codings if isinstance(code := item_code(item), str)]
            names = [name for item in codings if (name := _text_of(item, "display"))]
            names = [*filter(None, [_text_of(part.get("code"), "text")]), *names]
            code = next((code for code in codes if code in self._by_code), None)
            lab = self._by_code[code] if code else next(filter(None, map(self._named, names)), None)
            if lab is None or (code is None and lab in found):
                continue
            factors = self._units.get(code or "", self._units.get(lab))
            number, unit = amount(value, factors) if isinstance(value, dict) else (text(value), None)
            if number is not None:
                found[lab] = [number, unit, code, next(iter(names), None)]
        return found

    def _by_name(self, name: str) -> str | None:
        folded = fold(name)
        for lab, how in self._labs.items():
            if any(fold(word) in folded for word in how.names) and not any(
                fold(word) in folded for word in how.not_names
            ):
                return lab
        return None


def item_code(item: Any) -> Any:
    """The code of a coding."""
    return item.get("code") if isinstance(item, dict) else None


def _text_of(item: Any, key: str) -> str | None:
    value = item.get(key) if isinstance(item, dict) else None
    return clean_text(value) if isinstance(value, str) else None
