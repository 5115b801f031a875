"""A version of a table is opened once: it never changes, so who reads it again may have what was opened before."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from typing import Any

_ENTRY = "json"
_NAME = re.compile(r"(\d{20})\.(json|checkpoint\..*parquet)")


def newest_version(names: Iterable[str]) -> int | None:
    """The newest version that the names in a table's log tell of; None where they tell of none.

    An entry gets its name when it is whole, so a name is a version; what a writer that died left behind has
    another kind of name. Whether a disk lost its content since is asked of the entry. A checkpoint stands for all
    versions up to its own, whose entries may be gone.

    >>> newest_version(["00000000000000000009.json", "00000000000000000010.checkpoint.parquet"])
    10
    >>> newest_version(["_last_checkpoint", "_commit_5f0c.json.tmp"])
    """
    found = (_NAME.fullmatch(name) for name in names)
    return max((int(match[1]) for match in found if match), default=None)


def entries_of(names: Iterable[str], version: int) -> list[int]:
    """The numbers of the entries that a version is read from, those that are there: all after the last checkpoint.

    One of them without content is damage: the tables' library takes it for a version that changed nothing, so what
    it added would be missing without a word.

    >>> entries_of(["00000000000000000002.checkpoint.parquet"] + [f"{n:020d}.json" for n in range(5)], 3)
    [3]
    """
    found = [(int(match[1]), match[2]) for match in map(_NAME.fullmatch, names) if match]
    known = [(number, kind) for number, kind in found if number <= version]
    checkpoint = max((number for number, kind in known if kind != _ENTRY), default=-1)
    return sorted(number for number, kind in known if kind == _ENTRY and number > checkpoint)


class Held:
    """The version of one table that was opened last, to be read only; safe to use from several threads.

    No more than one, since the list of a large table's files takes room. A table that no commit names is removed
    and its numbers are given again, so a number alone does not tell a version: its entry's stamp does.
    """

    def __init__(self) -> None:
        self._held: tuple[int, Hashable, Any] | None = None

    def keep(self, version: int, stamp: Hashable, table: Any) -> None:
        """Hold an opened `DeltaTable` that nobody writes with from now on."""
        self._held = (version, stamp, table)

    def opened(self, version: int, stamp: Hashable, open_it: Callable[[], Any]) -> Any:
        """The version, opened unless it is held.

        Args:
            version: Its number.
            stamp: What tells its log entry from another of that number; None where nothing does.
            open_it: Opens it.
        """
        held = self._held
        if held is not None and stamp is not None and held[:2] == (version, stamp):
            return held[2]
        table = open_it()
        self.keep(version, stamp, table)
        return table
