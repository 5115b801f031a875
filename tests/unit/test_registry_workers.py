"""Processes that read files are started while the files are still being kept."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from ncdsurv.errors import StoreError
from ncdsurv.registry import workers

FIRST = sorted((Path(__file__).parents[2] / "data_samples" / "viettel").glob("*.csv"))[0]


def test_processes_started_ahead_serve_the_session_that_follows() -> None:
    workers._close_spares()
    workers.make_ready(workers.FEW_FILES, [])
    for thread in list(workers._STARTING):
        thread.join()
    ready = {child.process.pid for child in workers._SPARES}
    assert len(ready) == workers._processes(workers.FEW_FILES)
    ((_, cleaned),) = workers.clean_files([FIRST], "viettel", b"k" * 32, [])
    assert cleaned.batch is not None
    assert {child.process.pid for child in workers._SPARES} == ready


def test_few_files_start_nothing_ahead() -> None:
    workers._close_spares()
    workers.make_ready(workers.FEW_FILES - 1, [])
    assert not any(thread.is_alive() for thread in workers._STARTING)
    assert workers._SPARES == []


def test_a_spare_that_finds_no_memory_to_begin_with_is_closed_and_another_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[str] = []

    def starve(session: object) -> None:
        raise MemoryError

    spare = SimpleNamespace(owner=os.getpid(), begin=starve, close=lambda: closed.append("spare"))
    monkeypatch.setattr(workers, "_SPARES", [spare])
    monkeypatch.setattr(workers, "_Child", lambda session: f"new for {session}")
    assert workers._begin("a session") == "new for a session"
    assert closed == ["spare"]


def test_too_many_open_files_are_no_fault_of_a_file() -> None:
    def full(paths: object, source: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with pytest.raises(StoreError, match=r"^too many open files: got .*csv; allowed: \d+ at once; do: raise"):
        workers._or_one_by_one([FIRST], "viettel", full)
