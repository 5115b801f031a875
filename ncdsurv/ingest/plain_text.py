"""Text tables in which every line is one row, read in columns; anything else is left to the careful reader.

A file is plain when no cell spans lines: each line that holds a quote is a row of well-formed quoted cells by
itself. Then both readers give the same cells, and this one is ten times as fast.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt
import polars as pl

from ncdsurv.ingest.guard import Limits

_LONG_LINE = 100_000
_BREAK, _QUOTE = ord("\n"), ord('"')
_Places: TypeAlias = npt.NDArray[np.int64]


class PlainTable(Sequence[list[str]]):
    """Rows of a plain text table: cells of a few rows as lists, or whole columns at once.

    Args:
        data: The file in UTF-8.
        starts: Where each line begins.
        ends: Where each line ends, before its line break.
        separator: Of its cells.
    """

    def __init__(self, data: bytes, starts: _Places, ends: _Places, separator: str) -> None:
        self._data, self._starts, self._ends, self._separator = data, starts, ends, separator

    @classmethod
    def of(cls, data: bytes, separator: str) -> PlainTable:
        """The table of a text that is known to be plain."""
        data = _with_short_breaks(data)
        starts, ends = _lines_of(_letters_of(data))
        return cls(data, starts, ends, separator)

    def part(self, first: int, last: int) -> PlainTable:
        """Some of its rows, with nothing copied."""
        return PlainTable(self._data, self._starts[first:last], self._ends[first:last], self._separator)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, at: int) -> list[str]: ...
    @overload
    def __getitem__(self, at: slice) -> list[list[str]]: ...
    def __getitem__(self, at: Any) -> Any:
        lines = self._lines(at if isinstance(at, slice) else slice(at, at + 1 or None))
        rows = list(csv.reader([line.decode() for line in lines], delimiter=self._separator))
        return rows if isinstance(at, slice) else rows[0]

    def _lines(self, at: slice) -> list[bytes]:
        places = zip(self._starts[at].tolist(), self._ends[at].tolist(), strict=True)
        return [self._data[start:end] for start, end in places]

    def columns(self, part: slice, places: Mapping[str, tuple[int, ...]]) -> pl.LazyFrame:
        """A part of the rows: per name the first of its places that is not blank, as text."""
        width = max(place for some in places.values() for place in some) + 2
        names = self._separator.join(str(place) for place in range(width)).encode()
        table = pl.read_csv(
            names + b"\n" + self._body(part, width),
            separator=self._separator,
            infer_schema=False,
            columns=sorted({str(place) for some in places.values() for place in some}, key=int),
            truncate_ragged_lines=True,
        )
        return table.lazy().select(
            pl.coalesce(_filled(str(place)) for place in some).alias(name) for name, some in places.items()
        )

    def _body(self, part: slice, width: int) -> bytes:
        """Some lines; an empty one would not count as a row, so it gets its separators."""
        starts, ends = self._starts[part], self._ends[part]
        if (starts < ends).all():
            return self._data[starts[0] : ends[-1]] if len(starts) else b""
        empty = (self._separator * (width - 1)).encode()
        return b"\n".join(line or empty for line in self._lines(part))


def _filled(name: str) -> pl.Expr:
    return pl.when(pl.col(name).str.strip_chars() != "").then(name)


def plain_table(data: bytes, separator: str, limits: Limits) -> PlainTable | None:
    """The table of a text file, or None where the careful reader must look at it.

    Args:
        data: The file in UTF-8.
        separator: Of its cells.
        limits: Files beyond them are left to the careful reader, which refuses them.
    """
    table = plain_piece(data, separator, limits)
    return table if table is not None and len(table) > 1 else None


def plain_piece(data: bytes, separator: str, limits: Limits) -> PlainTable | None:
    """As `plain_table`, of some lines of a file: it is plain when all its pieces are."""
    data = _with_short_breaks(data)
    if b"\r" in data:
        return None
    letters = _letters_of(data)
    starts, ends = _lines_of(letters)
    longest = int((ends - starts).max())
    if len(starts) > limits.rows or longest > _LONG_LINE:
        return None
    mark = separator.encode()
    if len(mark) > 1 or mark == b'"':
        return None
    if longest >= limits.columns and _most(mark, data, starts, ends) >= limits.columns:
        return None
    if not _quotes_hold(letters, mark[0], ends):
        return None
    return PlainTable(data, starts, ends, separator)


def by_lines(pieces: Iterable[bytes], step: int) -> Iterator[bytes]:
    """The same text in pieces of so many lines; the last may have fewer.

    >>> list(by_lines([b"a\\nb\\n", b"c\\nd"], 3))
    [b'a\\nb\\nc\\n', b'd']
    """
    held: list[bytes] = []
    lines = 0
    for piece in pieces:
        breaks = np.flatnonzero(np.frombuffer(piece, np.uint8) == _BREAK)
        begin, seen = 0, 0
        while lines + len(breaks) - seen >= step:
            seen += step - lines
            end = int(breaks[seen - 1]) + 1
            yield b"".join([*held, piece[begin:end]])
            held, lines, begin = [], 0, end
        if begin < len(piece):
            held.append(piece[begin:])
            lines += len(breaks) - seen
    if held:
        yield b"".join(held)


def _with_short_breaks(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n") if b"\r" in data else data


def _letters_of(data: bytes) -> npt.NDArray[np.uint8]:
    """Its bytes, without the line break at the end: after it there is no line."""
    return np.frombuffer(data, np.uint8, len(data) - data.endswith(b"\n"))


def _lines_of(letters: npt.NDArray[np.uint8]) -> tuple[_Places, _Places]:
    breaks = np.flatnonzero(letters == _BREAK)
    return np.append(0, breaks + 1), np.append(breaks, len(letters))


def _most(mark: bytes, data: bytes, starts: _Places, ends: _Places) -> int:
    """The most separators that stand in one line."""
    return max(data.count(mark, *place) for place in zip(starts.tolist(), ends.tolist(), strict=True))


def _quotes_hold(letters: npt.NDArray[np.uint8], mark: int, ends: _Places) -> bool:
    """Whether quotes open at the beginning of a cell, close at its end, and do both in the same line.

    A doubled quote inside a cell closes and opens again at once.
    """
    quotes = np.flatnonzero(letters == _QUOTE)
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before, after = letters[opening - 1], letters[(closing + 1) % len(letters)]
    begins = (before == mark) | (before == _BREAK) | (opening == 0)
    closes = (after == mark) | (after == _BREAK) | (closing == len(letters) - 1)
    doubled = opening[1:] == closing[:-1] + 1
    begins[1:] |= doubled
    closes[:-1] |= doubled
    long = closing > opening + 1  # most quoted cells are empty
    one_line = np.searchsorted(ends, opening[long]) == np.searchsorted(ends, closing[long])
    return bool(begins.all() and closes.all() and one_line.all())
