"""An index of a file's resources in a private database that spills to disk: what each holds, and its names.

The database has no name in the file system and vanishes with the connection; memory does not grow with the file.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

DAY_CHARS = len("2026-06-01")
DAY_ENTITY = "day|"
_LINKS = 2_000_000
_FACTS = 20_000  # of one contact
_SAME = 50  # resources of one name that are compared
_CACHE_KB = 48_000
_BATCH = 2_000
_TABLES = """
CREATE TABLE thing (no INTEGER PRIMARY KEY, scope INT, kind TEXT, entity TEXT, version TEXT, time TEXT,
                    withdrawn INT, body TEXT);
CREATE TABLE alias (name TEXT, scope INT, kind TEXT, entity TEXT, PRIMARY KEY (name, scope, kind, entity))
    WITHOUT ROWID;
CREATE TABLE contact (entity TEXT PRIMARY KEY, person TEXT, who TEXT, time TEXT) WITHOUT ROWID;
CREATE TABLE link (contact TEXT, fact INT, PRIMARY KEY (contact, fact)) WITHOUT ROWID;
"""
_INDEXES = """
CREATE INDEX thing_entity ON thing (entity, version DESC, body DESC);
CREATE INDEX thing_kind ON thing (kind);
"""


class Thing(NamedTuple):
    """One resource as indexed."""

    no: int
    scope: int
    kind: str
    entity: str
    version: str
    time: str | None
    withdrawn: int
    body: dict[str, Any]


def _packed(body: dict[str, Any]) -> str:
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()


def _thing(row: tuple[Any, ...]) -> Thing:
    no, scope, kind, entity, version, time, withdrawn, body = row
    return Thing(no, scope, kind, entity, version, time, withdrawn, orjson.loads(body))


def person_key(person: Thing) -> str:
    """What tells a person from others: the same identifiers and particulars are one person in several bundles."""
    if not person.body.get("ids"):
        return person.entity
    return hashlib.sha256(_packed(person.body).encode()).hexdigest()


class Index:
    """The resources of one file."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-{_CACHE_KB};"
        )
        self._db.executescript(_TABLES + "BEGIN;")
        self._links, self._inner = 0, 0
        self._things: list[tuple[Any, ...]] = []
        self._aliases: list[tuple[Any, ...]] = []
        self.resolve = lru_cache(maxsize=20_000)(self._resolve)
        self.best = lru_cache(maxsize=2_000)(self._best)

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def add(self, thing: Thing, names: Iterable[str]) -> None:
        """Take in one resource with the names it may be called by."""
        self._things.append((*thing[:-1], _packed(thing.body)))
        self._aliases += [(name, thing.scope, thing.kind, thing.entity) for name in names]
        if len(self._things) >= _BATCH:
            self._flush()

    def next(self) -> int:
        """A number for what has no place of its own in the file."""
        self._inner += 1
        return self._inner

    def _flush(self) -> None:
        self._db.executemany("INSERT INTO thing VALUES (?,?,?,?,?,?,?,?)", self._things)
        self._db.executemany("INSERT OR IGNORE INTO alias VALUES (?,?,?,?)", self._aliases)
        self._things, self._aliases = [], []

    def finish(self) -> None:
        """All resources are in."""
        self._flush()
        self._db.executescript(_INDEXES + "BEGIN;")

    def count(self, kind: str, withdrawn: int = 0) -> int:
        """Resources of a type, versions of the same one counted once."""
        sql = "SELECT count(DISTINCT entity) FROM thing WHERE kind = ? AND withdrawn = ?"
        return int(self._db.execute(sql, (kind, withdrawn)).fetchone()[0])

    def each(self, kind: str) -> Iterator[Thing]:
        """Every resource of a type, in the order of the file; of several versions only the newest."""
        sql = "SELECT entity FROM thing WHERE kind = ? GROUP BY entity ORDER BY min(no)"
        for (entity,) in self._db.execute(sql, (kind,)):
            thing = self.best(entity)
            if thing is not None:
                yield thing

    def versions(self, kind: str) -> Iterator[tuple[int, str]]:
        """Place in the file and entity of every version of a type."""
        yield from self._db.execute("SELECT no, entity FROM thing WHERE kind = ? ORDER BY no", (kind,))

    def _best(self, entity: str) -> Thing | None:
        row = self._db.execute(
            "SELECT * FROM thing WHERE entity = ? ORDER BY version DESC, body DESC, no LIMIT 1", (entity,)
        ).fetchone()
        return _thing(row) if row else None

    def _resolve(self, scope: int, kind: str, names: tuple[str, ...]) -> Thing | None:
        """The resource of a type that a reference means; None when there is none, or several that differ."""
        for name in names:
            sql = "SELECT entity FROM alias WHERE name = ? AND kind = ?"
            own = self._db.execute(f"{sql} AND scope = ? LIMIT {_SAME}", (name, kind, scope)).fetchall()
            entities = sorted(set(own or self._db.execute(f"{sql} LIMIT {_SAME}", (name, kind)).fetchall()))
            if entities:
                found = [thing for (entity,) in entities if (thing := self.best(entity)) is not None]
                same = all(thing.body == found[0].body for thing in found)
                return found[0] if same else None
        return None

    def add_contact(self, entity: str, person: Thing | None, time: str | None) -> None:
        """Note a contact: an encounter, or a day on which something was measured or handed out."""
        row = (entity, person_key(person), person.entity, time) if person else (entity, None, None, time)
        self._db.execute("INSERT OR IGNORE INTO contact VALUES (?,?,?,?)", row)

    def index_contacts(self) -> None:
        """Make contacts findable by person."""
        self._db.execute("CREATE INDEX contact_person ON contact (person, time, entity)")
        self._db.execute("CREATE INDEX link_fact ON link (fact)")

    def contacts_since(self, person: Thing, day: str, until: str = "~") -> Iterator[str]:
        """A person's contacts from a day on (an empty day: all) and before another, the earliest first."""
        sql = "SELECT entity FROM contact WHERE person = ? AND ifnull(time, '') >= ? AND ifnull(time, '') < ?"
        found = self._db.execute(f"{sql} ORDER BY time, entity", (person_key(person), day, until)).fetchall()
        yield from (entity for (entity,) in found)

    def contact_of_day(self, person: Thing, time: str) -> str | None:
        """A person's contact on a day: the last that had begun by a time, else the first."""
        sql = "SELECT entity FROM contact WHERE person = ? AND time >= ? AND time <= ?"
        for order, until in (("DESC", time), ("ASC", f"{time[:DAY_CHARS]}~")):
            row = self._db.execute(
                f"{sql} ORDER BY time {order}, entity LIMIT 1", (person_key(person), time[:DAY_CHARS], until)
            ).fetchone()
            if row:
                return str(row[0])
        return None

    def contact_before(self, person: Thing, time: str) -> str | None:
        """A person's last contact before the day of a time."""
        sql = (
            "SELECT entity FROM contact WHERE person = ? AND time < ? ORDER BY time DESC, entity DESC LIMIT 1"
        )
        row = self._db.execute(sql, (person_key(person), time[:DAY_CHARS])).fetchone()
        return str(row[0]) if row else None

    def days(self) -> Iterator[tuple[str, str, str]]:
        """Contacts that are days without an encounter: entity, entity of the person, day."""
        sql = "SELECT entity, who, time FROM contact WHERE entity LIKE ? ORDER BY entity"
        yield from self._db.execute(sql, (f"{DAY_ENTITY}%",)).fetchall()

    def has_contacts(self, person: Thing) -> bool:
        """Whether a contact mentions a person."""
        sql = "SELECT 1 FROM contact WHERE person = ?"
        return self._db.execute(sql, (person_key(person),)).fetchone() is not None

    def last_contact(self, person: Thing) -> str | None:
        """The last contact of a person."""
        sql = "SELECT entity FROM contact WHERE person = ? ORDER BY time DESC, entity DESC LIMIT 1"
        row = self._db.execute(sql, (person_key(person),)).fetchone()
        return row[0] if row else None

    def link(self, contact: str, fact: int) -> None:
        """Put a fact to a contact."""
        self._links += 1
        if self._links > _LINKS:
            raise OverflowError("more facts are joined to contacts than an export can hold")
        self._db.execute("INSERT OR IGNORE INTO link VALUES (?,?)", (contact, fact))

    def is_linked(self, fact: int) -> bool:
        """Whether a fact stands at some contact."""
        return self._db.execute("SELECT 1 FROM link WHERE fact = ?", (fact,)).fetchone() is not None

    def facts_of(self, contact: str) -> list[Thing]:
        """The facts of a contact: the earliest first, and in an order that the file's order does not change."""
        sql = "SELECT thing.* FROM link JOIN thing ON no = fact WHERE contact = ? ORDER BY ifnull(time, ''), body"
        found = [_thing(row) for row in self._db.execute(f"{sql} LIMIT {_FACTS + 1}", (contact,))]
        if len(found) > _FACTS:
            raise OverflowError(f"a contact has more than {_FACTS} facts")
        return found
