"""Rows divided into parts on disk: what does not fit into memory at once is read back a part at a time."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from ncdsurv.store.atomic import TEMPORARY


class Parts:
    """Rows under the number of their part: in memory while they are few, then on disk.

    Args:
        folder: Where the parts lie once they are many; made when it is needed.
        rows: Most rows held in memory.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        self._folder, self._rows = folder, rows
        self._held: dict[int, list[pl.DataFrame]] = {}
        self._held_rows = 0
        self._writers: dict[int, Any] = {}
        self._none: pl.DataFrame | None = None

    def put(self, frame: pl.DataFrame, column: str) -> None:
        """Add rows of the schema of those before; `column` (an integer, never null) is their part, not kept."""
        divided = frame.partition_by(column, as_dict=True, include_key=False, maintain_order=True)
        for (number, *_), rows in divided.items():
            self._held.setdefault(int(number), []).append(rows)
        self._held_rows += frame.height
        self._none = frame.drop(column).clear()
        if self._held_rows > self._rows:
            self._spill()

    def _spill(self) -> None:
        import pyarrow as pa

        self._folder.mkdir(mode=0o700, exist_ok=True)
        for number, frames in self._held.items():
            table = pl.concat(frames).to_arrow(compat_level=pl.CompatLevel.oldest())
            if number not in self._writers:
                options = pa.ipc.IpcWriteOptions(compression="lz4")
                self._writers[number] = pa.ipc.new_stream(self._path(number), table.schema, options=options)
            self._writers[number].write_table(table)
        self._held.clear()
        self._held_rows = 0

    def _path(self, number: int) -> str:
        return str(self._folder / f"{number}.arrows")

    def read(self, number: int) -> pl.DataFrame:
        """The rows of a part, none where it has none. After the first reading nothing can be put in.

        Raises:
            ValueError: Nothing was put in, so that not even the columns are known.
        """
        if self._none is None:
            raise ValueError("no frame was put into the parts")
        frames = list(self._held.get(number, ()))
        if number in self._writers:
            self._writers[number].close()
            frames.insert(0, pl.read_ipc_stream(self._path(number)))
        return pl.concat(frames) if frames else self._none

    def all(self) -> Iterator[pl.DataFrame]:
        """Every part that has rows, one at a time, by number; one without rows where no part has any."""
        for number in sorted(self._held.keys() | self._writers.keys()) or [0]:
            yield self.read(number)


@contextmanager
def parts_in(folder: Path, rows: int) -> Iterator[Parts]:
    """Parts under `folder` while the block lasts; what a killed process leaves is swept by the next writer."""
    place = folder / f"{TEMPORARY}parts-{uuid.uuid4().hex[:8]}"
    try:
        yield Parts(place, rows)
    finally:
        shutil.rmtree(place, ignore_errors=True)
