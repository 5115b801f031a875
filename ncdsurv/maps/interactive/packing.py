"""Whole numbers as text: small ones take one byte, and a page of the map stays a few megabytes.

A number is written in groups of seven bits, lowest first, the eighth bit saying that another group follows (LEB128);
signed numbers are folded so that small ones of either sign stay small; the bytes are written in base 64.
"""

from __future__ import annotations

import base64

import numpy as np

_GROUP = 7  # bits of a number in each byte
_MORE = 0x80


def fold(numbers: np.ndarray) -> np.ndarray:
    """Signed whole numbers to 0 and above: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.

    >>> fold(np.array([0, -1, 1, -2, 2])).tolist()
    [0, 1, 2, 3, 4]
    """
    numbers = np.asarray(numbers, dtype=np.int64)
    return np.where(numbers < 0, -2 * numbers - 1, 2 * numbers)


def pack(numbers: np.ndarray) -> str:
    """Whole numbers of 0 and above as text.

    Raises:
        ValueError: A number below 0.

    >>> pack(np.array([1, 200])), unpack("AcgB").tolist()
    ('AcgB', [1, 200])
    """
    numbers = np.asarray(numbers, dtype=np.int64)
    if not len(numbers):
        return ""
    if numbers.min() < 0:
        raise ValueError("only numbers of 0 and above can be packed: fold them first")
    sizes = np.ones(len(numbers), dtype=np.int64)
    rest = numbers >> _GROUP
    while rest.any():
        sizes += rest > 0
        rest >>= _GROUP
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    out = np.zeros(int(sizes.sum()), dtype=np.uint8)
    for place in range(int(sizes.max())):
        held = sizes > place
        group = (numbers[held] >> (_GROUP * place)) & (_MORE - 1)
        out[starts[held] + place] = group | np.where(sizes[held] > place + 1, _MORE, 0)
    return base64.b64encode(out.tobytes()).decode("ascii")


def unpack(text: str) -> np.ndarray:
    """The numbers that `pack` wrote, as the page reads them."""
    data = np.frombuffer(base64.b64decode(text), dtype=np.uint8).astype(np.int64)
    ends = np.flatnonzero(data < _MORE)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    which = np.repeat(np.arange(len(ends)), ends - starts + 1)
    shift = np.arange(len(data)) - starts[which] if len(ends) else data
    return np.bincount(which, (data & (_MORE - 1)) * 2.0 ** (_GROUP * shift), len(ends)).astype(np.int64)


def pack_steps(rows: np.ndarray, held: np.ndarray) -> str:
    """Cells of several rows, each told as its step from the known cell before it in its row; NaN is kept as such.

    Args:
        rows: 2-D, whole numbers as floats; NaN where there is none.
        held: Which cells are written at all; the reader must know it.
    """
    known = ~np.isnan(rows)
    filled = np.where(known, rows, 0.0)
    # The last known cell before each cell of its row; 0 where there is none.
    places = np.where(known, np.arange(rows.shape[1]), -1)
    last = np.maximum.accumulate(places, axis=1)
    before = np.hstack([np.full((len(rows), 1), -1), last[:, :-1]])
    from_cell = np.take_along_axis(filled, np.maximum(before, 0), axis=1) * (before >= 0)
    steps = fold((filled - from_cell).astype(np.int64)) + 1
    return pack(np.where(known, steps, 0)[held])
