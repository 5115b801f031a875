"""A reading process of its own: what it answers, and what becomes of it when it breaks, hangs or asks too much."""

from __future__ import annotations

import os
import time
from pathlib import Path

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


def refusal(main: str) -> str:
    with pytest.raises(InputError) as caught:
        ask_once(f"{ME}:{main}", (), [FILE])
    return str(caught.value)


def test_it_answers_what_was_asked() -> None:
    assert ask_once(f"{ME}:doubling", (21,), [FILE]) == 42


def test_what_a_library_prints_does_not_enter_the_pipe() -> None:
    assert ask_once(f"{ME}:printing", (), [FILE]) == "well"


def test_what_needs_too_much_is_refused_by_the_name_of_the_file() -> None:
    assert refusal("greedy").startswith("02001_kham.csv needs more memory than reading may take")


def test_an_error_comes_back_with_its_words() -> None:
    assert refusal("refusing") == str(DefinitionError(["one", "two"]))


def test_one_that_dies_and_one_that_sleeps_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal("dying") == (
        "02001_kham.csv broke the reader: do: open it and save it anew, or split it by month"
    )
    monkeypatch.setattr(apart, "PATIENCE", 0.05)
    assert refusal("sleeping") == (
        "02001_kham.csv takes too long to read: do: open it and save it anew, or split it by month"
    )


def test_a_reader_is_gone_after_it_was_closed() -> None:
    reader = Reader(f"{ME}:doubling", quiet=True)
    reader.close()
    assert reader.process.returncode == 0
    with pytest.raises((EOFError, OSError, ValueError)):
        reader.ask((1,))
