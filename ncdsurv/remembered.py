"""What was worked out of definitions or a reference, kept as long as these are in use."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

Owner = TypeVar("Owner")
T = TypeVar("T")


class Remembered(Generic[Owner, T]):
    """What was worked out of each catalog or reference still in use; that of others is forgotten, as a service must.

    What is remembered must not hold its owner, which would never be out of use. Threads that ask at once wait for
    the one that works it out.

    Args:
        make: Works it out.

    >>> class Word(str): ...
    >>> lengths = Remembered(len)
    >>> lengths.of(Word("xã"))
    2
    """

    def __init__(self, make: Callable[[Owner], T]) -> None:
        self.make = make
        self.known: dict[int, tuple[weakref.ref[Owner], T]] = {}
        self._lock = threading.RLock()

    def of(self, owner: Owner) -> T:
        """What belongs to a catalog or reference; made when first asked for."""
        # By the object, not by its hash: a catalog altered in memory keeps the hash of its files.
        with self._lock:
            found = self.known.get(id(owner))
            if found is None or found[0]() is not owner:
                self.known = {number: pair for number, pair in self.known.items() if pair[0]() is not None}
                found = self.known[id(owner)] = (weakref.ref(owner), self.make(owner))
            return found[1]
