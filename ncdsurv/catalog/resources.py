"""How a source of linked resources (FHIR R4) is described: identifier systems, places in resources, what joins what.

A place is written `Type.element.element`. `element[name]` takes only elements that carry one of the systems of that
name, `>` follows a reference to another type, `?` at the end asks whether something stands there, `@last` uses
the answer only for a person's last contact in the file, and `@ended` takes what is said by resources that have ended,
as `TEXT@DAY`: `Encounter.serviceProvider>Organization.name`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from ncdsurv.catalog.models import Definition

LAST, ENDED = "@last", "@ended"
FOLLOW = ">"
LAB, DAY = "LAB", "DAY"
_STEP = r"[a-z]\w*(?:\[\w+\])?"
_RESOURCE = rf"[A-Z]\w+(?:\.{_STEP})+"
PLACE = re.compile(rf"({_RESOURCE}>)*{_RESOURCE}\??({LAST}|{ENDED})?")
_SCHEME = re.compile(r"^https?://")


def bare(place: str) -> str:
    """A place without the mark at its end.

    >>> bare("Patient.deceased?@last"), bare("Condition.code@ended")
    ('Patient.deceased?', 'Condition.code')
    """
    return place.removesuffix(LAST).removesuffix(ENDED)


def plain_system(url: str) -> str:
    """An identifier system as it is compared: the scheme, a slash at the end and case do not tell two apart.

    >>> plain_system("https://Example.org/sid/cccd/")
    'example.org/sid/cccd'
    """
    return _SCHEME.sub("", url.strip().casefold()).rstrip("/")


class ResourceMapping(Definition):
    """One type of resource.

    `joins` says what it becomes: the `person`; a `contact` (one row); a fact of a `contact_or_day` (of the day it
    was taken when no contact is named); a fact of `every_contact` from its time on; the `next_contact` of the
    contact it was given at. `person`, `contact` and `holds` are the elements that refer to its person, to its
    contact, and (of a contact) to its facts; `time` when it was true, `before` what its contact came before.
    `measures`: it carries analyses by code. By element, `withdrawn` are codes of resources that do not count,
    `lasting` of those that stay true after the contact they name. One whose status is among `withdrawn` but that
    names a day in one of the elements `ended` held until that day, or, with a status among `never`, was wrong from
    the beginning and known to be so from that day on. One whose text begins with a word of `lapsing` is true for
    `lapses_after_days` only, whether or not it says that it ended.
    """

    joins: Literal["person", "contact", "contact_or_day", "every_contact", "next_contact"]
    person: tuple[str, ...] = ()
    contact: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    measures: bool = False
    lasting: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    withdrawn: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    ended: tuple[str, ...] = ()
    never: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    lapsing: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    lapses_after_days: int = Field(default=0, ge=0)


class LinkedMapping(Definition):
    """The part of a source that reads linked resources.

    `bases` are the canonical bases of the guides; a system `name:rest` stands for `<base of name>/rest`.
    `units` turn units into that of the registry, by field or by the code of an analysis; a value in another unit
    is not used.
    """

    bases: dict[str, str]
    systems: dict[str, tuple[str, ...]]
    resources: dict[str, ResourceMapping]
    units: dict[str, dict[str, float]] = Field(default_factory=dict)

    def system_names(self) -> dict[str, frozenset[str]]:
        """Every system as it is compared, by its name in the mapping."""
        return {
            name: frozenset(plain_system(self.written(system)) for system in systems)
            for name, systems in self.systems.items()
        }

    def written(self, system: str) -> str:
        """A system in full."""
        base, colon, rest = system.partition(":")
        return f"{self.bases[base].rstrip('/')}/{rest}" if colon and base in self.bases else system


def linked_problems(
    mapping: LinkedMapping | None, columns: Mapping[str, Iterable[str]], labs: Iterable[str]
) -> list[str]:
    """What is wrong with the places of a source of linked resources.

    Args:
        mapping: The `[linked]` part.
        columns: Places by field.
        labs: Names of the laboratory values and measurements.
    """
    if mapping is None:
        return ["[linked] is missing. Do: add [linked.bases], [linked.systems] and [linked.resources.*]"]
    lab = re.compile(rf"{LAB}\.({'|'.join(map(re.escape, labs)) or '(?!)'})\.(value|unit|code|name|about)")
    day = re.compile(rf"{DAY}\.(date|content)")
    problems = []
    for field, places in columns.items():
        for place in places:
            if lab.fullmatch(place) or day.fullmatch(place):
                continue
            if not PLACE.fullmatch(place) or place.startswith((f"{LAB}.", f"{DAY}.")):
                problems.append(
                    f"[fields.{field}] column {place!r} is no place of a resource; allowed: Type.element, "
                    f"Type.element[system].value, Type.element>Type.element, "
                    "LAB.<one of [labs]>.value|unit|code|name|about, "
                    "DAY.date|content"
                )
                continue
            if place.split(".", 1)[0] not in mapping.resources:
                problems.append(
                    f"[fields.{field}] column {place!r} begins with a type that is not in [linked.resources]; "
                    f"allowed: {', '.join(mapping.resources)}"
                )
            problems += [
                f"[fields.{field}] column {place!r} names the system {name!r}; allowed: {', '.join(mapping.systems)}"
                for name in re.findall(r"\[(\w+)\]", place)
                if name not in mapping.systems
            ]
    for wanted in ("person", "contact"):
        if not any(resource.joins == wanted for resource in mapping.resources.values()):
            problems.append(f'[linked.resources] no type joins = "{wanted}". Do: name one')
    return problems
