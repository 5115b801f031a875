"""Drafting never breaks on a table, whatever stands in it, and writes only what it may."""

from __future__ import annotations

import random
import tomllib
from datetime import date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.draft.draft import _put_together
from ncdsurv.draft.result import Draft
from ncdsurv.draft.sheet import draft_sheet
from ncdsurv.draft.words import load_words
from tests.clean_support import CATALOG

WORDS = load_words(CATALOG.sources)
COMMUNES = {"2024": frozenset({"00691", "00688"}), "2025": frozenset({"00691", "00700"})}
LABELS = sorted(alias for aliases in WORDS.aliases.values() for alias in aliases)
CELLS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(LABELS),
    st.sampled_from(
        ["120/80", "128 mmHg", "7,2 mmol/L", "I10", "00691", "Nam", "Nữ", "F", "1", "2", "05", "05/03/1961"]
    ),
    st.integers(-5, 10**12),
    st.floats(allow_nan=True, allow_infinity=True),
    st.booleans(),
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
)
TABLES = st.lists(st.lists(CELLS, max_size=9), max_size=14)


def drafted(rows: list[list[Any]]) -> Draft | None:
    sheet = draft_sheet("S", rows, WORDS, CATALOG, COMMUNES)
    if sheet is None:
        return None
    from pathlib import Path

    return _put_together(Path("x.csv"), "trial", [sheet], {"S": ""}, [], WORDS, CATALOG, None)


@settings(max_examples=120, deadline=None)
@given(TABLES)
def test_any_table_gives_a_readable_draft_or_none(rows: list[list[Any]]) -> None:
    draft = drafted(rows)
    if draft is not None:
        table = tomllib.loads(draft.text)
        SourceMapping.model_validate(
            {
                "id": "trial",
                **table,
                "sheets": {n: {"id": n, **s} for n, s in table.get("sheets", {}).items()},
            }
        )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.permutations(LABELS[:40]), st.integers(3, 9), st.booleans())
def test_no_cell_below_the_header_is_written(
    seed: int, labels: list[str], width: int, with_header: bool
) -> None:
    chance = random.Random(seed)

    def cell(place: int) -> str:
        word = f"Zq{chance.randrange(10**6):06}x"
        return (
            word,
            f"{word} {word}",
            f"00216{chance.randrange(10**7):07}",
            f"Zq{'abcdefgh'[place % 8]}way Zqoa",
        )[place % 4]

    body = [[cell(place) for place in range(width)] for _ in range(chance.randrange(3, 20))]
    draft = drafted([labels[:width], *body] if with_header else body)  # type: ignore[list-item]
    if draft is not None:
        written = draft.text + repr(draft.to_dict())
        assert [text for row in body for text in row if text in written] == []
