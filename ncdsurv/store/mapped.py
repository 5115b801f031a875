"""Frames on this machine's disk that are read as they stand: nothing is unpacked, and only what is used is read."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.ipc


def write_mapped(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame so that `read_mapped` can use the file as it stands: Arrow, not compressed."""
    frame.write_ipc(path, compression="uncompressed")


def read_mapped(path: Path) -> pl.DataFrame:
    """A frame of `write_mapped`, mapped into memory; the file may be removed meanwhile, not altered.

    Its content is not looked at: whoever may not trust the disk keeps a checksum beside it.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no Arrow file.
    """
    with pa.memory_map(str(path)) as mapped:
        return pl.DataFrame(pa.ipc.open_file(mapped).read_all())
