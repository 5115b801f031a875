"""A file cut off at any byte is read as what is left of it, to the row, or refused in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ncdsurv.registry.apart import Reader
from tests.faults.cuts import every_cut
from tests.faults.samples import samples, small

SAMPLES = samples()
NAMES = [f"{source} {path.suffix}" for source, path in SAMPLES]
ROW_BY_ROW = (".csv", ".ndjson")
"""Formats of which what is left of a file can be read."""


@pytest.fixture(scope="module")
def walker() -> Iterator[Reader]:
    """The process that reads the pieces; a file that ends it ends the tests of those after it."""
    process = Reader("tests.faults.cuts:main", quiet=True)
    yield process
    process.close()


@pytest.mark.parametrize(("source", "path"), SAMPLES, ids=NAMES)
def test_cut_off_at_every_byte(source: str, path: Path, tmp_path: Path, walker: Reader) -> None:
    piece = tmp_path / path.name
    piece.write_bytes(small(path))
    size = piece.stat().st_size
    read, wrong = walker.ask((piece, source), [piece])
    assert wrong == []
    assert piece.stat().st_size == 0, "every byte was cut"
    if path.suffix in ROW_BY_ROW:
        assert read > size // 10


def test_the_walk_over_the_cuts_sees_what_goes_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that fails on one piece, told apart from those it refuses."""
    from tests.faults.samples import cleaner

    read = cleaner()._read

    def failing(path: Path, mapping: object) -> object:
        if path.stat().st_size == 99:
            raise IndexError
        return read(path, mapping)

    monkeypatch.setattr(cleaner(), "_read", failing)
    source, path = next(item for item in SAMPLES if item[1].suffix == ".csv")
    piece = tmp_path / path.name
    piece.write_bytes(small(path)[:120])
    assert every_cut(piece, source)[1] == ["cut at 99: IndexError"]
