"""Puts every resource where it belongs: to its person, to a contact, or among those that belong nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

from ncdsurv.catalog.resources import LinkedMapping, ResourceMapping
from ncdsurv.ingest.resource_index import DAY_CHARS, DAY_ENTITY, Index, Thing, person_key

UNRESOLVED, CONFLICT = "reference_unresolved", "reference_conflict"
NO_TIME, WITHDRAWN, NO_CONTACT = "visited_on_missing", "resource_withdrawn", "fact_without_contact"

_DONE = "done"
Names = list[list[str]]


class Orphan(NamedTuple):
    """A resource that belongs to no contact, and the rule that says why."""

    kind: str
    no: int
    rule: str


def kinds(linked: LinkedMapping, *joins: str) -> list[str]:
    """Types that are joined in one of some ways."""
    return [kind for kind, resource in linked.resources.items() if resource.joins in joins]


def target(index: Index, thing: Thing, refers: Names, wanted: Iterable[str]) -> Thing | None:
    """The first resource of some types that a thing refers to."""
    for names in refers:
        for kind in wanted:
            found = index.resolve(thing.scope, kind, tuple(names))
            if found is not None:
                return found
    return None


class Join:
    """Joins the resources of a file.

    Args:
        index: All resources of the file.
        linked: How the source joins them.
    """

    def __init__(self, index: Index, linked: LinkedMapping) -> None:
        self._index, self._linked = index, linked
        self._people, self._contacts = kinds(linked, "person"), kinds(linked, "contact")
        self._facts = kinds(linked, "contact_or_day", "every_contact", "next_contact")
        self.orphans: list[Orphan] = []

    def run(self) -> list[Orphan]:
        """Join everything.

        Returns:
            What belongs to no contact.
        """
        for kind in self._contacts:
            for thing in self._index.each(kind):
                if not thing.withdrawn:
                    self._add_contact(thing)
        self._index.index_contacts()
        ways = {
            "contact_or_day": self._to_day,
            "every_contact": self._to_every_contact,
            "next_contact": self._to_contact_before,
        }
        for way, put in ways.items():
            for kind in kinds(self._linked, way):
                for thing in self._index.each(kind):
                    if not thing.withdrawn:
                        rule = put(thing, self._linked.resources[kind])
                        if rule != _DONE:
                            self.orphans.append(Orphan(thing.kind, thing.no, rule))
        return self.orphans

    def person(self, thing: Thing) -> Thing | None:
        """Whom a resource is about."""
        return target(self._index, thing, thing.body.get("person", []), self._people)

    def _add_contact(self, thing: Thing) -> None:
        person = self.person(thing)
        self._index.add_contact(thing.entity, person, thing.time)
        for names in thing.body.get("holds", []):
            fact = target(self._index, thing, [names], self._facts)
            if fact is not None and not fact.withdrawn:
                self._index.link(thing.entity, fact.no)

    def _to_named(self, thing: Thing) -> str | None:
        """To the contact that the resource names; None when it names none."""
        refers = thing.body.get("contact", [])
        if not refers:
            return None
        contact = target(self._index, thing, refers, self._contacts)
        if contact is None:
            return UNRESOLVED
        one, other = self.person(thing), self.person(contact)
        if one and other and person_key(one) != person_key(other):
            return CONFLICT
        self._index.link(contact.entity, thing.no)
        return _DONE

    def _to_day(self, thing: Thing, how: ResourceMapping) -> str:
        named = self._to_named(thing)
        if named is not None:
            return named
        person = self.person(thing)
        if person is None:
            return UNRESOLVED
        if thing.time is None:
            return NO_TIME
        contact = self._index.contact_of_day(person, thing.time)
        if contact is None:
            day = thing.time[:DAY_CHARS]
            contact = f"{DAY_ENTITY}{person_key(person)}|{day}"
            self._index.add_contact(contact, person, day)
        self._index.link(contact, thing.no)
        return _DONE

    def _to_every_contact(self, thing: Thing, how: ResourceMapping) -> str:
        named = self._to_named(thing)
        if named in (UNRESOLVED, CONFLICT) or (named and not thing.body.get("lasting")):
            return str(named)
        person = self.person(thing)
        if person is None:
            return UNRESOLVED if named is None else _DONE
        rule = NO_CONTACT if named is None else _DONE
        for contact in self._index.contacts_since(person, *_while_true(thing, how)):
            self._index.link(contact, thing.no)
            rule = _DONE
        if rule == NO_CONTACT and self._index.is_linked(thing.no):
            return _DONE
        return rule

    def _to_contact_before(self, thing: Thing, how: ResourceMapping) -> str:
        if self._to_named(thing) == _DONE:
            return _DONE
        person = self.person(thing)
        if person is None:
            return UNRESOLVED
        contact = self._index.contact_of_day(person, thing.time) if thing.time else None
        before: Any = thing.body.get("before")
        if contact is None and before:
            contact = self._index.contact_before(person, before)
        if contact is None:
            return NO_CONTACT
        self._index.link(contact, thing.no)
        return _DONE


def _while_true(thing: Thing, how: ResourceMapping) -> tuple[str, ...]:
    """From which day on, and before which, a fact of a person is true."""
    since = (thing.time or "")[:DAY_CHARS]
    if not thing.body.get("lapses"):
        return (since,)
    try:
        return since, (dt.date.fromisoformat(since) + dt.timedelta(days=how.lapses_after_days)).isoformat()
    except (ValueError, OverflowError):
        return since, ""  # of what is true for a while only, the day must be known
