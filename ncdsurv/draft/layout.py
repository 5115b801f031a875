"""Where the table of a sheet begins: its header among the first rows, of one to three rows, or none.

A row passes for a header only where its cells are labels (no dates, numbers or codes) that are known words, or
stand over columns whose cells are of another kind. So no patient's row is ever taken for one: what is not surely
a header is not used, and the columns go by their letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ncdsurv.draft.words import Words
from ncdsurv.ingest.headers import SEARCH_ROWS, fold, join_labels
from ncdsurv.ingest.tables import cell_text

Rows = Sequence[Sequence[Any]]

BODY_ROWS = 2_000
"""Rows looked at for the shape of values."""
_NEAR = 40
_MOST_ROWS = 3
_LONGEST = 120
_ENOUGH = 3
_VALUE = re.compile(
    r"\d{5,}"  # numbers of persons, cards, telephones, communes
    r"|\d{1,4}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,4}"  # dates
    r"|^\W*\d{2,3}\s*/\s*\d{2,3}\b"  # pressure
    r"|^[<>=~\s]*-?\d+(?:[.,]\d+)?\s*(?:%|[a-zA-Zµ/]{1,8})?$"  # a number, with a unit or without
    r"|^[A-Z]\d\d(?:\.?\d{1,2})?\b"  # ICD-10
)
_NUMBERING = re.compile(r"^\W*(\d{1,3})\W*$|^\W*[A-Z]\W*$")


@dataclass(frozen=True)
class Layout:
    """How a sheet is laid out.

    Attributes:
        header_row: Row of the (first) header row, counted from 0; -1 without a header.
        header_rows: Rows of the header; 0 without one.
        skipped: Rows between the header and the first row of data (numbering, instructions).
        labels: One label per column; empty where there is none.
        body: Rows of data, as text.
    """

    header_row: int
    header_rows: int
    skipped: int
    labels: tuple[str, ...]
    body: list[list[str | None]]

    @property
    def width(self) -> int:
        """Number of columns."""
        return max([len(self.labels), *(len(row) for row in self.body)], default=0)


@lru_cache(maxsize=65_536)
def is_value(text: str) -> bool:
    """Whether a cell is rather a value than a label.

    >>> [is_value(text) for text in ("HbA1c (%)", "128 mmHg", "14/08/2025", "I10", "BP 1")]
    [False, True, True, True, False]
    """
    return len(text) > _LONGEST or _VALUE.search(text) is not None


def find_layout(rows: Rows, words: Words) -> Layout | None:
    """The table of a sheet, or None when it holds none.

    Args:
        rows: All cells of the sheet.
        words: Known names of columns.
    """
    texts = [[cell_text(cell) for cell in row] for row in rows[: SEARCH_ROWS + _MOST_ROWS + BODY_ROWS]]
    strings = [
        [cell if isinstance(cell, str) else None for cell in row] for row in rows[: SEARCH_ROWS + _MOST_ROWS]
    ]
    known = known_labels(words)
    best: tuple[float, int, int] | None = None
    for first in range(min(SEARCH_ROWS, len(texts))):
        if not any(texts[first]):
            continue
        for count in range(1, _MOST_ROWS + 1):
            if first + count > len(texts) or not _labels_only(texts[first + count - 1]):
                break
            if count > 1 and not any(texts[first + count - 1]):
                break
            score = _score(join_labels(strings[first : first + count]), texts[first + count :], known)
            if score is not None and (best is None or score > best[0] + (0.5 if count > best[2] else 0)):
                best = (score, first, count)
    if best is None:
        return _without_header(texts)
    _, first, count = best
    after = texts[first + count :]
    skipped = _skipped(after)
    labels = tuple(join_labels(strings[first : first + count]))
    return Layout(first, count, skipped, labels, after[skipped:])


@lru_cache(maxsize=4)
def _known(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(fold(name) for name in names)


def known_labels(words: Words) -> frozenset[str]:
    """Folded names of all columns that are known, fields or not."""
    return _known((*words.other, *(alias for aliases in words.aliases.values() for alias in aliases)))


def _labels_only(row: Sequence[str | None]) -> bool:
    filled = [text for text in row if text]
    return sum(map(is_value, filled)) * 10 <= len(filled)


def _score(labels: list[str], after: list[list[str | None]], known: frozenset[str]) -> float | None:
    """How much some labels look like the header of the rows below; None when they do not."""
    places = [place for place, label in enumerate(labels) if label]
    if len(places) < _ENOUGH:
        return None
    body = [row for row in after[:_NEAR] if any(row)]
    changes = again = over = 0
    for place in places:
        cells = [text for row in body if place < len(row) and (text := row[place])]
        over += bool(cells)
        changes += len(cells) > 1 and sum(map(is_value, cells)) * 10 >= len(cells) * 6
        again += sum(text.strip() == labels[place] for text in cells) > 0
    folded = [fold(labels[place]) for place in places]
    named = len({text for text in folded if text in known})
    used = sum(any(place < len(row) and row[place] for row in body) for place in range(len(labels)))
    covers = len(places) * 10 >= used * 6
    if again * 5 > len(places) or not over or len(set(folded)) * 10 < len(places) * 7:
        return None
    if named < _ENOUGH and not (changes >= _ENOUGH and covers):
        return None
    return 2 * named + changes + 0.5 * over - again


def _skipped(after: list[list[str | None]]) -> int:
    """Rows under the header that hold no data: `(1) (2) (3)`, instructions, a second row of names."""
    count = last = 0
    for row in after[:_MOST_ROWS]:
        filled = [text for text in row if text]
        if not filled:
            count += 1
            continue
        numbers = [int(found[1]) for text in filled if (found := _NUMBERING.match(text)) and found[1]]
        numbering = len(numbers) > _ENOUGH and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        if not numbering and any(map(is_value, filled)):
            break
        count += 1
        last = count
    return last if last < min(_MOST_ROWS, len(after)) else 0


def _without_header(texts: list[list[str | None]]) -> Layout | None:
    """A table without header: most rows alike, each with several values."""
    telling = [row for row in texts if sum(map(is_value, filter(None, row))) > 1]
    if len(telling) < _ENOUGH or len(telling) * 2 < sum(any(row) for row in texts):
        return None
    return Layout(-1, 0, 0, (), [row for row in texts if any(row)])
