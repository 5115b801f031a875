"""Where a file needs more memory than reading may take, it is refused for that, whatever gave out first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from ncdsurv.registry import worker, workers
from tests.conftest import ROOT

FILES = sorted((ROOT / "data_samples" / "viettel").glob("*.csv"))[:2]
ME = "tests.unit.test_registry_memory"


@pytest.fixture(autouse=True)
def children_of_these_tests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    workers._close_spares()
    yield
    workers._close_spares()


def ends_in_a_library() -> None:
    """A child of these tests: polars ends the process where it gets no memory."""

    def starve(self: Any, paths: Any, source: Any) -> Iterator[worker.Cleaned]:
        pl.repeat(0, 1 << 29, dtype=pl.Int64, eager=True)
        yield worker.Cleaned([None], None)

    worker.Cleaner.clean = starve  # type: ignore[method-assign]
    worker.main()


def ends_in_its_answer() -> None:
    """A child whose cleaning goes well, but the message of it finds no room, of a second part at that."""
    send, clean = worker.send, worker.Cleaner.clean

    def twice(self: Any, paths: Any, source: Any) -> Iterator[Any]:
        (whole,) = clean(self, paths, source)
        yield worker.replace(whole, more=True)
        yield whole

    def starve(pipe: Any, message: Any) -> None:
        if isinstance(message, worker.Cleaned) and message.batch is not None and not message.more:
            raise MemoryError
        send(pipe, message)

    worker.Cleaner.clean, worker.send = twice, starve  # type: ignore[method-assign]
    worker.main()


@pytest.mark.parametrize("main", ["ends_in_a_library", "ends_in_its_answer"])
def test_the_refusal_names_memory_and_every_file_by_itself(
    main: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_MAIN", f"{ME}:{main}")
    found = list(workers.clean_files(FILES[:1], "viettel", b"k" * 32, []))
    assert [[str(error) for error in cleaned.refused] for _, cleaned in found] == [
        [
            f"{FILES[0].name} needs more memory than reading may take: got a file of 1 MB; "
            "allowed: 940 MB of memory; do: split it by month"
        ]
    ]
    assert found[0][1].batch is None


def test_several_files_that_need_too_much_together_are_each_tried_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "_MAIN", f"{ME}:ends_in_a_library")
    found = list(workers.clean_files(FILES, "viettel", b"k" * 32, []))
    assert [paths for paths, _ in found] == [[FILES[0]], [FILES[1]]]
    assert all("needs more memory" in str(cleaned.refused[0]) for _, cleaned in found)
