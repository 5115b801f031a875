"""Rows divided into parts on disk: what does not fit into memory at once is read back a part at a time.

A part is a file of streams, one behind the other: it is opened to add to it and closed again, so no more than one
file is open however many parts there are, and however many such divisions stand at the same time.
"""

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
        self._on_disk: set[int] = set()
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
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        for number, frames in self._held.items():
            table = pl.concat(frames).to_arrow(compat_level=pl.CompatLevel.oldest())
            with (
                self._path(number).open("ab") as file,
                pa.ipc.new_stream(file, table.schema, options=options) as out,
            ):
                out.write_table(table)
        self._on_disk |= self._held.keys()
        self._held.clear()
        self._held_rows = 0

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.arrows"

    def read(self, number: int) -> pl.DataFrame:
        """The rows of a part in the order in which they were put in; none where it has none.

        Raises:
            ValueError: Nothing was put in, so that not even the columns are known.
        """
        if self._none is None:
            raise ValueError("no frame was put into the parts")
        frames = list(self._held.get(number, ()))
        if number in self._on_disk:
            frames.insert(0, pl.DataFrame(_streams(self._path(number))))
        return pl.concat(frames) if frames else self._none

    def all(self) -> Iterator[pl.DataFrame]:
        """Every part that has rows, one at a time, by number; one without rows where no part has any."""
        for number in sorted(self._held.keys() | self._on_disk) or [0]:
            yield self.read(number)


def _streams(path: Path) -> Any:
    """The rows of all streams of a file, as one piece of Arrow; each stream ends where the next begins."""
    import pyarrow as pa

    # The pieces are small: handing them to several threads, or on to polars one by one, takes longer than reading.
    options = pa.ipc.IpcReadOptions(use_threads=False)
    with pa.OSFile(str(path)) as file:
        size, tables = file.size(), []
        while file.tell() < size:
            tables.append(pa.ipc.open_stream(file, options=options).read_all())
    return pa.concat_tables(tables).combine_chunks()


@contextmanager
def parts_in(folder: Path, rows: int) -> Iterator[Parts]:
    """Parts under `folder` while the block lasts; what a killed process leaves is swept by the next writer."""
    place = folder / f"{TEMPORARY}parts-{uuid.uuid4().hex[:8]}"
    try:
        yield Parts(place, rows)
    finally:
        shutil.rmtree(place, ignore_errors=True)
