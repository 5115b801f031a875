"""Value maps of coded columns: code words that are known, and of the others only those that cannot name a person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ncdsurv.catalog.code_lists import CodeList
from ncdsurv.draft.shapes import Column
from ncdsurv.draft.words import Words
from ncdsurv.ingest.headers import fold

_MANY = 12  # a coded column has no more different words than this
_OFTEN = 5  # and a word that stands for a code comes back at least so often
_SHARE = 0.02
_LONGEST = 24
_NAME_LIKE = 2  # so many words with a capital may be a name
_CODE_WORD = re.compile(r"^(?:\d{1,2}|[^\W\d_]+(?:[ -][^\W\d_]+){0,2})$")
_OWN_HEADER = 0.95


@dataclass(frozen=True)
class Codes:
    """Proposed translation of one coded column.

    Attributes:
        values: Code -> spellings of the file.
        untold: Spellings that are safe to show and have no code yet.
        hidden: How many different cells are neither known nor safe to show.
    """

    values: dict[str, tuple[str, ...]]
    untold: tuple[str, ...] = ()
    hidden: int = 0


def propose_codes(
    field: str,
    column: Column,
    header: float,
    words: Words,
    private: frozenset[str],
    listed: CodeList | None = None,
) -> Codes:
    """Translate the words of a coded column.

    A word is written only if it is known to be a code, or comes back often in a column of few words, is short,
    has no more than two digits, is not capitalised like a name, and stands in no column that names people.

    Args:
        field: The coded field.
        column: Its column.
        header: How sure the header is of the field; numbers mean something only under a sure one.
        words: Known codes.
        listed: The dated code list that reads the column; its codes need no translation.
        private: Folded cells, and words of cells, of columns that hold names, addresses or numbers of people.
        listed: The dated code list that reads the column; its codes need no translation.
    """
    own = words.by_header.get(field, {}).get(fold(column.label), {})
    known = words.codes.get(field, {}) | {text: code for text, (code, _) in own.items()}
    counted = Counter(" ".join(text.split()) for text in column.cells if text and text.strip())
    read = {fold(code).lstrip("0") for one in listed.lists for code in one.meanings} if listed else set()
    values: dict[str, dict[str, str]] = {}
    untold, hidden = [], 0
    for text, count in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        if fold(text).lstrip("0") in read:
            continue
        code = known.get(fold(text))
        number = text.isdigit()
        if code is not None and (not number or header >= _OWN_HEADER or _clear(field, counted, known)):
            values.setdefault(code, {}).setdefault(fold(text), text)
        elif is_safe(text, count, counted, private):
            untold.append(text)
        else:
            hidden += 1
    if values:  # the header of known sources: their other codes may come next month
        for folded, (code, text) in own.items():
            values.setdefault(code, {}).setdefault(folded, text)
    return Codes({code: tuple(found.values()) for code, found in values.items()}, tuple(untold), hidden)


def _clear(field: str, counted: Mapping[str, int], known: Mapping[str, str]) -> bool:
    """Numbers without a telling header: only where all of them are known and none is 0."""
    return all(fold(text) in known for text in counted) and not any(
        fold(text).strip("0") == "" for text in counted
    )


def is_safe(text: str, count: int, counted: Mapping[str, int], private: frozenset[str]) -> bool:
    """Whether a word that nobody knows may be shown."""
    total = sum(counted.values())
    return (
        len(counted) <= _MANY
        and count >= _OFTEN
        and count >= _SHARE * total
        and len(text) <= _LONGEST
        and _CODE_WORD.match(text) is not None
        and sum(part[:1].isupper() for part in text.split()) < _NAME_LIKE
        and fold(text) not in private
        and not {fold(part) for part in text.split()} & private
    )


def private_words(columns: Iterable[Column]) -> frozenset[str]:
    """Folded cells, and their words, of columns that name people."""
    found: set[str] = set()
    for column in columns:
        for text in column.cells:
            if text:
                found.add(fold(text))
                found.update(fold(part) for part in text.split())
    return frozenset(found - {""})
