"""Reads CSV: at once where the file is short, in parts where it is long, with the same cells either way."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ncdsurv.errors import InputError
from ncdsurv.ingest.guard import LIMITS, refuse
from ncdsurv.ingest.headers import SEARCH_ROWS
from ncdsurv.ingest.plain_text import PlainTable, by_lines, plain_piece, plain_table
from ncdsurv.ingest.text_pieces import TextPieces

_SEPARATORS = (",", ";", "\t", "|")
_FIELD_BYTES = 1_000_000
_SAMPLE = 20_000  # of a text, to guess its separator
_UTF8_BYTES = 4  # of one character, at most
_TOP_ROWS = 2 * SEARCH_ROWS
CHUNK_ROWS = 10_000
"""Rows that the careful reader gives at a time: cells as Python's texts take much room."""

Cells = Sequence[Sequence[Any]]


class LongText:
    """Rows of a text that is not held as a whole: each walk over them reads the file anew.

    Args:
        text: The file.
        separator: Of its cells.

    Attributes:
        top: The first rows, enough to find a header in.
        plain: Whether every line is one row.

    Raises:
        InputError: It is cut off, holds binary data or an open quote, or is too long or too wide.
    """

    def __init__(self, text: TextPieces, separator: str) -> None:
        self._text, self._separator = text, separator
        lines = self._plain_lines()
        self.plain = lines is not None
        self._rows = sum(1 for _ in self._carefully()) if lines is None else lines
        self.top: Cells = (
            PlainTable.of(next(by_lines(text, _TOP_ROWS)), separator)
            if self.plain
            else list(islice(self._carefully(), _TOP_ROWS))
        )

    def __len__(self) -> int:
        return self._rows

    def chunks(self, step: int) -> Iterator[tuple[int, Cells]]:
        """Its rows, so many at a time or fewer, and how many rows were before."""
        if self.plain:
            for number, lines in enumerate(by_lines(self._text, step)):
                yield number * step, PlainTable.of(lines, self._separator)
            return
        rows, first = self._carefully(), 0
        while some := list(islice(rows, min(step, CHUNK_ROWS))):
            yield first, some
            first += len(some)

    def whole(self) -> Cells:
        """All rows at once, for those who need them together."""
        return PlainTable.of(b"".join(self._text), self._separator) if self.plain else list(self._carefully())

    def _plain_lines(self) -> int | None:
        """How many lines there are, or None where the careful reader must look at them."""
        lines, plain = 0, True
        for piece in self._text:
            if b"\0" in piece:
                raise _binary(self._text.path)
            table = plain_piece(piece, self._separator, LIMITS) if plain else None
            plain = plain and table is not None
            lines += len(table) if table is not None else 0
        return lines if plain and 1 < lines <= LIMITS.rows else None

    def _carefully(self) -> Iterator[list[str]]:
        return _careful_rows(self._text, self._text, self._separator)


def read_text(path: Path) -> Cells | LongText:
    """The rows of a text file.

    Raises:
        InputError: It is cut off, holds binary data or an open quote, or is too long or too wide.
    """
    text = TextPieces(path)
    sample = text.beginning(_UTF8_BYTES * _SAMPLE).decode(errors="ignore")[:_SAMPLE]
    head = re.match(r"sep=(.)\r?\n", sample, re.IGNORECASE)
    if head:
        separator, text.skip = head[1], len(head[0].encode())
    else:
        separator = max(_SEPARATORS, key=sample.count)
    if not text.one:
        return LongText(text, separator)
    data = b"".join(text)
    if b"\0" in data:
        raise _binary(path)
    return plain_table(data, separator, LIMITS) or list(_careful_rows(text, [data], separator))


def _careful_rows(text: TextPieces, pieces: Iterable[bytes], separator: str) -> Iterator[list[str]]:
    path = text.path
    beginning = text.beginning(_UTF8_BYTES * _SAMPLE).decode(errors="ignore")[:_SAMPLE]
    width = max((line.count(separator) for line in beginning.splitlines()), default=0)
    csv.field_size_limit(_FIELD_BYTES)
    # A piece ends with a line, so its lines are those of the whole.
    lines = chain.from_iterable(io.StringIO(piece.decode(), newline="") for piece in pieces)
    number = 0
    try:
        for row in csv.reader(lines, delimiter=separator):
            if len(row) > LIMITS.columns or number > LIMITS.rows:
                raise refuse(
                    path,
                    "has more rows or columns than a file may have",
                    "split it by month",
                    allowed=f"{LIMITS.rows:,} rows and {LIMITS.columns:,} columns",
                )
            if any("\n" in cell and _swallows_rows(cell, separator, width) for cell in row):
                raise refuse(path, f"has an open quote near line {number + 1}", "export it again as CSV")
            yield row
            number += 1
    except csv.Error:
        raise refuse(path, f"breaks off in line {number + 1}", "export it again as CSV") from None
    except UnicodeDecodeError:  # it was good text when its encoding was found
        raise refuse(path, "was changed while it was read", "send it again when it is finished") from None


def _swallows_rows(cell: str, separator: str, width: int) -> bool:
    """Whether an open quote made one cell of whole rows: a line inside it has about as many columns."""
    return any(line.count(separator) >= max(2, width // 2) for line in cell.splitlines()[1:])


def _binary(path: Path) -> InputError:
    return refuse(path, "holds binary data", "export it again as CSV")
