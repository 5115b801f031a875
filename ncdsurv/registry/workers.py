"""Cleans files in child processes with limits, several at a time where it pays, and gives them back in order."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from errno import EMFILE
from pathlib import Path
from queue import SimpleQueue

from ncdsurv.errors import StoreError
from ncdsurv.registry.apart import Reader, died
from ncdsurv.registry.worker import Begin, Cleaned, Source
from ncdsurv.store.faults import too_many_files

Outcome = tuple[Sequence[Path], Cleaned]
FEW_FILES = 8
"""Below this a second process costs more than it brings."""
_MAIN = "ncdsurv.registry.worker:main"
GROUP_FILES = 16
_GROUP_BYTES = 32 << 20
_AHEAD = 2
"""Groups cleaned ahead of the writer, per worker: bounds memory."""
_BYTES_AHEAD = 8 * _GROUP_BYTES
"""And so many bytes of files in all, where files are large."""


def clean_files(files: Sequence[Path], source: Source, key: bytes, packs: list[Path]) -> Iterator[Outcome]:
    """Clean files of one source.

    Args:
        files: Paths; the name of each may tell the facility and month.
        source: Source id, or a mapping of its own.
        key: The store's key.
        packs: Folders of added reference packs.

    Yields:
        Some of the files, in the order given, and what they became; a long file several times, part by part.
    """
    groups, size = _groups(files), _processes(len(files))
    with _Pool(size, key, packs) as pool:
        waiting: deque[tuple[int, Future[list[Outcome]]]] = deque()
        for group in groups:
            waiting.append((sum(path.stat().st_size for path in group), pool.submit(group, source)))
            while len(waiting) > size * _AHEAD or sum(weight for weight, _ in waiting) > _BYTES_AHEAD:
                yield from waiting.popleft()[1].result()
        for _, future in waiting:
            yield from future.result()


def make_ready(files: int, packs: list[Path]) -> None:
    """Start in the background the processes that many files will need; `clean_files` finds them and gives the key."""
    if files < FEW_FILES:
        return
    session = Begin(b"", [pack.absolute() for pack in packs])
    with _SPARES_LOCK:
        _STARTING[:] = [thread for thread in _STARTING if thread.is_alive()]
        for _ in range(_processes(files) - len(_SPARES) - len(_STARTING)):
            _STARTING.append(threading.Thread(target=_start_spare, args=(session,)))
            _STARTING[-1].start()


def _start_spare(session: Begin) -> None:
    with contextlib.suppress(StoreError):  # who needs it will try again, and tell
        _spare(_Child(session))


def _processes(files: int) -> int:
    if files < FEW_FILES:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _groups(files: Sequence[Path]) -> list[Sequence[Path]]:
    """Neighbouring files that are cleaned together: cleaning costs as much per call as per thousand rows."""
    groups: list[list[Path]] = []
    weight = 0
    for path in files:
        size = path.stat().st_size
        if not groups or len(groups[-1]) >= GROUP_FILES or weight + size > _GROUP_BYTES:
            groups.append([])
            weight = 0
        groups[-1].append(path)
        weight += size
    return list(groups)


def _or_one_by_one(
    paths: Sequence[Path], source: Source, clean: Callable[[Sequence[Path], Source], list[Cleaned] | None]
) -> list[Outcome]:
    """Clean some files together, or each alone where that breaks: one bad file must not cost the others."""
    try:
        answer, error = clean(paths, source), None
    except (TimeoutError, MemoryError, OSError, EOFError) as died_over_it:
        answer, error = None, died_over_it
    if answer is not None:
        return [(paths, part) for part in answer]
    if isinstance(error, OSError) and error.errno == EMFILE:
        raise too_many_files(paths[0].name) from error  # no fault of any file
    if len(paths) == 1:
        return [(paths, Cleaned([died(paths[0], error or EOFError())], None))]
    return [outcome for path in paths for outcome in _or_one_by_one([path], source, clean)]


class _Pool:
    """Child processes, each served by one thread."""

    def __init__(self, size: int, key: bytes, packs: list[Path]) -> None:
        self._session = Begin(key, [pack.absolute() for pack in packs])
        self._idle: SimpleQueue[_Child | None] = SimpleQueue()
        self._threads = ThreadPoolExecutor(size)
        self._size, self._stopped = size, False
        for _ in range(size):
            self._idle.put(None)

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._threads.shutdown(wait=True, cancel_futures=True)
        for _place in range(self._size):
            child = self._idle.get()
            if child is not None:
                _spare(child)

    def submit(self, paths: Sequence[Path], source: Source) -> Future[list[Outcome]]:
        return self._threads.submit(_or_one_by_one, paths, source, self._clean)

    def _clean(self, paths: Sequence[Path], source: Source) -> list[Cleaned] | None:
        child, alive = self._idle.get(), None
        try:
            if self._stopped:
                raise StoreError("reading was stopped", do="start it again; nothing was taken in")
            child = child or _begin(self._session)
            answer = child.clean(paths, source)
            alive = child
        finally:
            if child is not None and alive is None:
                child.close()
            self._idle.put(alive)
        return answer


_SPARES: list[_Child] = []
"""Processes that finished their session: the next one need not wait for a start."""
_STARTING: list[threading.Thread] = []
"""Each is about to add a spare."""
_SPARES_LOCK = threading.Lock()


def _begin(session: Begin) -> _Child:
    """A process ready for a session: one that has finished another, or a new one."""
    with _SPARES_LOCK:
        starting = _STARTING.pop() if _STARTING else None
    if starting is not None:
        starting.join()
    while True:
        with _SPARES_LOCK:
            child = _SPARES.pop() if _SPARES else None
        if child is None or child.owner != os.getpid():
            return _Child(session)
        try:
            child.begin(session)
        except (EOFError, OSError, MemoryError):  # it died meanwhile
            child.close()
        else:
            return child


def _spare(child: _Child) -> None:
    with _SPARES_LOCK:
        _SPARES.append(child)


@atexit.register
def _close_spares() -> None:
    with _SPARES_LOCK:
        children, _SPARES[:] = list(_SPARES), []
    for child in children:
        if child.owner == os.getpid():
            child.close()


class _Child(Reader):
    """One worker process."""

    def __init__(self, session: Begin) -> None:
        super().__init__(_MAIN)
        self.owner = os.getpid()
        try:
            self.begin(session)
        except (EOFError, OSError, MemoryError) as error:
            self.close()
            raise StoreError(
                "the process that reads files does not start", do="see the lines above"
            ) from error

    def begin(self, session: Begin) -> None:
        """Give it the key and the packs to work with."""
        self.ask(session)

    def clean(self, paths: Sequence[Path], source: Source) -> list[Cleaned] | None:
        """Have some files cleaned.

        Returns:
            What they became, in one part or more; None where each must be tried alone.

        Raises:
            TimeoutError: It took longer than `seconds_for` grants; the process is gone.
            MemoryError: The process died for want of memory.
            EOFError: The process died over them.
        """
        # It may have begun in another folder: whole paths.
        message = ([path.absolute() for path in paths], source)
        parts: list[Cleaned | None] = self.ask_all(
            message, paths, lambda part: part is not None and part.more
        )
        last = parts[-1]
        if last is None:
            return None
        return [last] if any(last.refused) else [part for part in parts if part is not None]
