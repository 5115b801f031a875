"""Rows from joined resources: each field is the first of its places that says something."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ncdsurv.catalog.resources import DAY, ENDED, FOLLOW, LAB, LAST, LinkedMapping, bare
from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.ingest.raw import REJECTED
from ncdsurv.ingest.resource_index import DAY_CHARS, Index, Thing
from ncdsurv.ingest.resource_join import UNRESOLVED, WITHDRAWN, Join, kinds, target

Row = tuple[str, int, str | None, dict[str, str | None]]
Measured = dict[str, list[str | None]]
_PARTS = ("value", "unit", "code", "name")
_ABOUT = "about"  # code and name together, for what is found by words
_PAIR = ("sbp", "dbp")  # one reading: never the upper value of one and the lower of another


class _Contact(NamedTuple):
    thing: Thing | None
    person: Thing
    facts: list[Thing]
    measured: Measured
    day: str | None
    content: str | None
    is_last: bool


def _all(mark: str) -> Callable[[list[str]], str]:
    return lambda texts: mark.join(dict.fromkeys(texts))


def _longest(texts: list[str]) -> str:
    return max(texts, key=lambda text: (len(text.partition(".")[0]), text))


# What several facts of one contact say together; of any other field the latest counts.
_TOGETHER: dict[str, Callable[[list[str]], str]] = {
    "diagnosis": _all(";"),
    "diagnosis_secondary": _all(";"),
    "diagnosis_text": _all(";"),
    "diagnosis_ended": _all(";"),
    "drugs": _all("\n"),
    "supply_days": _longest,
}


class Rows:
    """The rows of a file.

    Args:
        index: All resources of the file.
        mapping: The source.
        linked: Its linked part.
        join: Puts resources to contacts.
    """

    def __init__(self, index: Index, mapping: SourceMapping, linked: LinkedMapping, join: Join) -> None:
        self._index, self._linked, self._join = index, linked, join
        self._choices = {name: field.columns for name, field in mapping.fields.items() if field.columns}
        for lab in mapping.labs:
            self._choices.setdefault(lab, (f"{LAB}.{lab}.value",))
        self.fields = tuple(self._choices)
        self._people = kinds(linked, "person")
        self._days = kinds(linked, "contact_or_day")
        self._facts = kinds(linked, "contact_or_day", "every_contact", "next_contact")

    def __iter__(self) -> Iterator[Row]:
        """Type, place in the file, damage and fields of each row."""
        orphans = self._join.run()
        for kind in kinds(self._linked, "contact"):
            for no, entity in self._index.versions(kind):
                thing = self._index.best(entity)
                if thing is not None:
                    yield (kind, no, *self._of_contact(thing))
        for entity, who, day in self._index.days():
            person = self._index.best(who)
            if person is not None:
                yield self._of_day(entity, person, day)
        for kind, no, rule in orphans:
            yield kind, no, REJECTED + rule, {}

    def left_aside(self) -> dict[str, str]:
        """Resources that say themselves that they do not count, and people whom no contact mentions."""
        left = {}
        for kind in self._facts:
            if count := self._index.count(kind, withdrawn=1):
                left[kind] = f"{count} withdrawn by their status"
        for kind in self._people:
            if count := sum(not self._index.has_contacts(person) for person in self._index.each(kind)):
                left[kind] = f"{count} without a contact in this file"
        return left

    def _of_contact(self, thing: Thing) -> tuple[str | None, dict[str, str | None]]:
        if thing.withdrawn:
            return REJECTED + WITHDRAWN, {}
        person = self._join.person(thing)
        if person is None:
            return REJECTED + UNRESOLVED, {}
        facts = self._index.facts_of(thing.entity)
        last = self._index.last_contact(person) == thing.entity
        contact = _Contact(thing, person, facts, measured(facts), None, None, last)
        lost = any(
            target(self._index, thing, [names], self._facts) is None for names in thing.body.get("holds", [])
        )
        return (f"{thing.kind} refers to nothing" if lost else None), self._values(contact)

    def _of_day(self, entity: str, person: Thing, day: str) -> Row:
        facts = self._index.facts_of(entity)
        own = [fact for fact in facts if fact.kind in self._days]
        content = min((fact.kind for fact in own), key=self._days.index)
        last = self._index.last_contact(person) == entity
        contact = _Contact(None, person, facts, measured(facts), day, content, last)
        return content, min(fact.no for fact in own), None, self._values(contact)

    def _values(self, contact: _Contact) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for field, places in self._choices.items():
            texts = next((texts for place in places if (texts := self._at(contact, place))), None)
            together = _TOGETHER.get(field, lambda texts: texts[0])
            found[field] = together(texts) if texts else None
        return found

    def _at(self, contact: _Contact, place: str) -> Sequence[str]:
        """All that stands at a place, the latest fact first."""
        kind, _, rest = place.partition(".")
        if kind == DAY:
            said = contact.day if rest == "date" else contact.content
            return [said] if said else []
        if kind == LAB:
            lab, _, part = rest.partition(".")
            found = contact.measured.get(lab, [None] * len(_PARTS))
            said = " ".join(filter(None, found[2:])) if part == _ABOUT else found[_PARTS.index(part)]
            return [said] if said else []
        if place.endswith(LAST) and not contact.is_last:
            return []
        ended = place.endswith(ENDED)
        place = bare(place)
        if kind in self._people:
            things = [contact.person]
        elif contact.thing is not None and kind == contact.thing.kind:
            things = [contact.thing]
        else:
            things = [fact for fact in reversed(contact.facts) if fact.kind == kind]
        if ended:
            return [
                f"{text}@{end}"
                for thing in things
                if (end := thing.body.get("ended"))
                for text in self._texts(thing, place)
            ]
        things = [thing for thing in things if holds_at(thing, contact)]
        return [text for thing in things for text in self._texts(thing, place)]

    def _texts(self, thing: Thing, place: str) -> list[str]:
        if FOLLOW not in place:
            return list(thing.body.get("texts", {}).get(place, ()))
        then = place.partition(FOLLOW)[2]
        kind = then.partition(".")[0]
        found = []
        for names in thing.body.get("follows", {}).get(place, ()):
            other = target(self._index, thing, [names], [kind])
            found += self._texts(other, then) if other is not None else []
        return found


def holds_at(thing: Thing, contact: _Contact) -> bool:
    """Whether a fact still held at a contact: one that ended holds before its last day, one in error never."""
    end = thing.body.get("ended")
    if not end:
        return True
    day = (contact.thing.time if contact.thing is not None else contact.day) or ""
    return not thing.body.get("never") and day[:DAY_CHARS] < end


def measured(facts: Sequence[Thing]) -> Measured:
    """The last of each measurement; the two pressures always of the same time.

    Args:
        facts: The earliest first.
    """
    found: Measured = {}
    taken: dict[str, str | None] = {}
    for fact in facts:
        values: Measured = fact.body.get("measures", {})
        for one, other in (_PAIR, _PAIR[::-1]):
            if one in values and other not in values and other in found and taken[other] != fact.time:
                del found[other]
        found |= values
        taken |= dict.fromkeys(values, fact.time)
    return found
