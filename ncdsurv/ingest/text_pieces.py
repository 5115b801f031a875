"""The text of a file in UTF-8, piece by piece: what is held is one piece, or one line where a line is longer."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import polars as pl

from ncdsurv.ingest.guard import refuse
from ncdsurv.ingest.legacy import VOTING_LINES, best_codec

PIECE_BYTES = 8 << 20
"""A file up to here is read once and held; a longer one is read anew for every pass over it."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TextPieces:
    """Pieces of a text that end with a line, in UTF-8 without byte order mark, as often as they are asked for.

    Args:
        path: A file that passed the guard.

    Attributes:
        skip: So many bytes at the beginning are left out.
        one: Whether all of it is one piece.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.skip = path, 0
        self._state = _state(path)
        self.one = self._state[0] <= PIECE_BYTES
        self._held = path.read_bytes() if self.one else None
        self._codec = self._find_codec()
        if self._held is not None:
            self._held = b"".join(self._in_utf8())

    def __iter__(self) -> Iterator[bytes]:
        """The pieces.

        Raises:
            InputError: It is cut off, or was changed meanwhile.
        """
        skip = self.skip
        for piece in self._in_utf8() if self._held is None else [self._held]:
            if rest := piece[skip:] if skip else piece:
                yield rest
            skip = 0
        if not self.one and _state(self.path) != self._state:
            raise refuse(self.path, "was changed while it was read", "send it again when it is finished")

    def beginning(self, size: int) -> bytes:
        """Its first bytes, at least so many where there are."""
        found = b""
        for piece in self:
            found += piece[:size]
            if len(found) >= size:
                break
        return found

    def _raw(self) -> Iterator[bytes]:
        """As it is on disk; a piece ends with a line where one ends in it."""
        if self._held is not None:
            yield self._held
            return
        with self.path.open("rb") as file:
            rest = b""
            while block := file.read(PIECE_BYTES):
                cut = block.rfind(b"\n") + 1
                if cut:
                    yield rest + block[:cut]
                    rest = block[cut:]
                else:
                    rest += block
        if rest:
            yield rest

    def _find_codec(self) -> str:
        first = self._held[:2] if self._held is not None else _first_bytes(self.path)
        if first in _UTF_16:
            return "utf-16"
        if all(map(is_utf8, self._raw())):
            return "utf-8"
        top = b""
        for piece in self._raw():
            top += piece
            if top.count(b"\n") >= VOTING_LINES:
                break
        return best_codec(top)

    def _in_utf8(self) -> Iterator[bytes]:
        if self._codec == "utf-16":
            yield from self._from_utf_16()
        elif self._codec == "utf-8":
            mark = codecs.BOM_UTF8
            for piece in self._raw():
                yield piece.removeprefix(mark)
                mark = b""
        else:
            # One byte is one letter in these: a piece is what it is in the whole.
            yield from (piece.decode(self._codec, errors="replace").encode() for piece in self._raw())

    def _from_utf_16(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-16")()
        rest = ""
        try:
            # A line break may be any byte of a letter here: cut after decoding.
            for block in chain(self._raw(), [b""]):
                text = rest + decoder.decode(block, final=not block)
                cut = text.rfind("\n") + 1
                if cut:
                    yield text[:cut].encode()
                rest = text[cut:]
        except UnicodeDecodeError:
            raise refuse(self.path, "is cut off", "export it again as CSV UTF-8") from None
        if rest:
            yield rest.encode()


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8: judged without making a text of them, in a tenth of the time."""
    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(2)


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
