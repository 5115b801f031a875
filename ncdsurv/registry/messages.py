"""Messages between a process and those it started: what Python can pickle, frames in Arrow's own form.

A frame pickled by its own method takes eight times as long as one written as an Arrow file.
"""

from __future__ import annotations

import io
import pickle
import struct
from typing import IO, Any

import polars as pl

_SIZE = struct.Struct(">Q")


class _Pickler(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        if not isinstance(thing, pl.DataFrame):
            return NotImplemented
        file = io.BytesIO()
        thing.write_ipc(file, compat_level=pl.CompatLevel.newest())
        return _frame, (pickle.PickleBuffer(file.getbuffer()),)


def _frame(file: bytes) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(file))


def send(pipe: IO[bytes], message: Any) -> None:
    """Write one message: how many pieces, then each with its size; first the pickle, then its frames."""
    frames: list[pickle.PickleBuffer] = []
    body = io.BytesIO()
    _Pickler(body, protocol=pickle.HIGHEST_PROTOCOL, buffer_callback=frames.append).dump(message)
    pipe.write(_SIZE.pack(1 + len(frames)))
    for piece in (body.getbuffer(), *(frame.raw() for frame in frames)):
        pipe.write(_SIZE.pack(piece.nbytes))
        pipe.write(piece)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read one message.

    Raises:
        EOFError: The other side is gone.
    """
    (count,) = _SIZE.unpack(_read(pipe, _SIZE.size))
    body, *frames = (_read(pipe, _SIZE.unpack(_read(pipe, _SIZE.size))[0]) for _ in range(count))
    return pickle.loads(body, buffers=frames)  # our own child or parent


def _read(pipe: IO[bytes], size: int) -> bytes:
    found = pipe.read(size)
    if len(found) < size:
        raise EOFError("the other side closed the pipe, or died in mid-message")
    return found
