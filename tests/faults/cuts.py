"""Small files cut off at every byte, each piece read and cleaned: run by a process held to the limits of reading.

A piece that cannot be read is refused at once; those that can be read are cleaned together, many at a time, as an
ingest would, since cleaning costs as much per call as per thousand rows.
"""

from __future__ import annotations

import os
from pathlib import Path

from ncdsurv.errors import InputError
from ncdsurv.registry.apart import pipes
from ncdsurv.registry.limits import limit_memory, limit_time, seconds_for
from ncdsurv.registry.messages import receive, send
from tests.faults.samples import cleaner

TOGETHER = 150
"""Pieces cleaned at a time."""


def main() -> None:
    """Answer the parent's requests, a file each: (how many pieces were read, what went wrong with which)."""
    with pipes() as (inbox, outbox):
        cleaner()
        limit_memory()
        while True:
            path, source = receive(inbox)
            limit_time(seconds_for([path]))
            send(outbox, every_cut(path, source))


def every_cut(path: Path, source: str) -> tuple[int, list[str]]:
    """Read and clean what is left of a file cut off at every byte; the file is used up.

    Returns:
        How many pieces were read, and one line for each that ended otherwise than it may.
    """
    mapping = cleaner().catalog.need("sources", source)
    readable: list[int] = []
    wrong: list[str] = []
    whole = path.read_bytes()
    for size in range(len(whole) - 1, -1, -1):
        os.truncate(path, size)
        try:
            cleaner()._read(path, mapping)
            readable.append(size)
        except InputError as error:
            if "\n" in str(error):
                wrong.append(f"cut at {size}: more than one line")
        except Exception as error:
            wrong.append(f"cut at {size}: {type(error).__name__}")
    for start in range(0, len(readable), TOGETHER):
        wrong += _clean(path, source, whole, readable[start : start + TOGETHER])
    return len(readable), wrong


def _clean(path: Path, source: str, whole: bytes, sizes: list[int]) -> list[str]:
    pieces = []
    for size in sizes:
        piece = path.parent / str(size) / path.name
        piece.parent.mkdir(exist_ok=True)
        piece.write_bytes(whole[:size])
        pieces.append(piece)
    (answer,) = cleaner().clean(pieces, source)
    if answer is None:  # one of them breaks the cleaning of all: find it
        half = len(sizes) // 2
        return [said for some in (sizes[:half], sizes[half:]) for said in _clean(path, source, whole, some)]
    wrong = [
        f"cut at {size}: {error}"
        for size, error in zip(sizes, answer.refused, strict=True)
        if error is not None
    ]
    if answer.batch is not None:
        counts = answer.batch.counts
        left = counts["rows_in"] - counts["kept"] - counts["rejected"] - counts["duplicates"]
        wrong += [f"{amount} rows of a file do not balance" for amount in left if amount]
    return wrong
