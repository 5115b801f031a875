"""What passes between processes arrives as it was sent."""

from __future__ import annotations

import datetime as dt
import io

import polars as pl
import pytest

from ncdsurv.catalog import tables
from ncdsurv.registry.messages import receive, send
from ncdsurv.registry.worker import Cleaned

FRAMES = {
    "empty": tables.empty(tables.VISITS),
    "without columns": pl.DataFrame(),
    "of every kind": pl.DataFrame(
        {
            "text": ["Lò Thị Mẫu, a text too long to lie in a view", None],
            "day": [dt.date(2025, 8, 14), None],
            "yes": [True, None],
            "number": pl.Series([1, None], dtype=pl.Int16),
            "list": [[{"disease": "hypertension", "icd10": "I10"}], []],
            "choice": pl.Series(["a", None], dtype=pl.Enum(["a", "b"])),
        }
    ),
    "in pieces": pl.concat([pl.DataFrame({"n": [1]}), pl.DataFrame({"n": [2]})], rechunk=False),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_arrives_as_it_was_sent(name: str) -> None:
    pipe = io.BytesIO()
    send(pipe, Cleaned([None], FRAMES[name]))  # type: ignore[arg-type]
    pipe.seek(0)
    arrived = receive(pipe).batch
    assert arrived.schema == FRAMES[name].schema
    assert arrived.equals(FRAMES[name])


def test_a_message_that_breaks_off_is_no_message() -> None:
    pipe = io.BytesIO()
    send(pipe, "abc")
    for cut in (0, 4, len(pipe.getvalue()) - 1):
        with pytest.raises(EOFError, match="the other side"):
            receive(io.BytesIO(pipe.getvalue()[:cut]))
