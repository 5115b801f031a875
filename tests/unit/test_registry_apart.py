"""A reading process of its own: what it answers, and what becomes of it when it breaks, hangs or asks too much."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.errors import DefinitionError, InputError
from ncdsurv.registry import apart
from ncdsurv.registry.apart import Reader, Request, answer_once, ask_once
from tests.conftest import ROOT

FILE = Path("02001_kham.csv")
ME = "tests.unit.test_registry_apart"


@pytest.fixture(autouse=True)
def found_by_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def doubling() -> None:
    """A child of these tests."""
    answer_once(lambda number: ([FILE], lambda: 2 * number))


def printing() -> None:
    def prepare() -> Request:
        print("must not enter the pipe")
        return [FILE], lambda: "well"

    answer_once(prepare)


def greedy() -> None:
    answer_once(lambda: ([FILE], lambda: len(bytes(2 << 30))))


def refusing() -> None:
    def work() -> None:
        raise DefinitionError(["one", "two"])

    answer_once(lambda: ([FILE], work))


def sleeping() -> None:
    answer_once(lambda: ([FILE], lambda: time.sleep(60)))


def dying() -> None:
    answer_once(lambda: ([FILE], lambda: os._exit(9)))


def greedy_in_a_library() -> None:
    """It does not raise an error where memory ends: it ends the process."""
    answer_once(lambda: ([FILE], lambda: pl.repeat(0, 1 << 29, dtype=pl.Int64, eager=True).sum()))


def greedy_in_its_answer() -> None:
    class Large:
        def __reduce__(self) -> tuple[type, tuple[bytes]]:
            return bytes, (bytes(2 << 30),)

    answer_once(lambda: ([FILE], Large))


def killed() -> None:
    answer_once(lambda: ([FILE], lambda: os.kill(os.getpid(), signal.SIGKILL)))


def aborting() -> None:
    answer_once(lambda: ([FILE], os.abort))


def refusal(main: str) -> str:
    with pytest.raises(InputError) as caught:
        ask_once(f"{ME}:{main}", (), [FILE])
    return str(caught.value)


def test_it_answers_what_was_asked() -> None:
    assert ask_once(f"{ME}:doubling", (21,), [FILE]) == 42


def test_what_a_library_prints_does_not_enter_the_pipe() -> None:
    assert ask_once(f"{ME}:printing", (), [FILE]) == "well"


def test_what_needs_too_much_is_refused_by_the_name_of_the_file() -> None:
    for main in ("greedy", "greedy_in_a_library", "greedy_in_its_answer"):
        assert refusal(main).startswith("02001_kham.csv needs more memory than reading may take"), main


def test_one_that_is_killed_or_ends_for_another_reason_says_so() -> None:
    assert refusal("killed") == (
        "the reader of a file was killed from outside: got 02001_kham.csv; "
        "do: see whether the machine has 940 MB of memory free, then send it again"
    )
    assert refusal("aborting").startswith("a file broke the reader: got 02001_kham.csv")


def test_what_was_told_of_one_file_is_not_told_of_the_next() -> None:
    reader = Reader(f"{ME}:dying")
    try:
        reader._words.write(b"memory allocation of 8 bytes failed")
        with pytest.raises(EOFError):
            reader.ask(())
    finally:
        reader.close()


def test_an_error_comes_back_with_its_words() -> None:
    assert refusal("refusing") == str(DefinitionError(["one", "two"]))


def test_one_that_dies_and_one_that_sleeps_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal("dying") == (
        "a file broke the reader: got 02001_kham.csv; do: open it and save it anew, or split it by month"
    )
    monkeypatch.setattr(apart, "PATIENCE", 0.05)
    assert refusal("sleeping") == (
        "a file takes too long to read: got 02001_kham.csv; do: open it and save it anew, or split it by month"
    )


def test_a_reader_is_gone_after_it_was_closed() -> None:
    reader = Reader(f"{ME}:doubling", quiet=True)
    reader.close()
    assert reader.process.returncode == 0
    with pytest.raises((EOFError, OSError, ValueError)):
        reader.ask((1,))
