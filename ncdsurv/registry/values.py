"""Writes the published values one indicator at a time: memory does not grow with what is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ncdsurv.catalog.tables import VALUES
from ncdsurv.errors import IdentityError
from ncdsurv.store.release import VALUES_ORDER

ROW_GROUP = 100_000
"""Rows that a reader must look at together; few enough that one indicator is found without reading the rest."""
ROW_GROUPS_AT_A_TIME = 10
_LISTED = [name for name in VALUES_ORDER if name != "area_code"]


@dataclass
class Published:
    """What was written: rows, rows by flag, and the distinct values of each key column."""

    rows: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    contents: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in _LISTED})

    def add(self, part: pl.DataFrame) -> None:
        """Count a part that was written."""
        self.rows += part.height
        self.flags.update(dict(part.group_by("flag").len().iter_rows()))
        for name in _LISTED:
            self.contents[name].update(part[name].unique().to_list())


def write_values(
    path: Path, parts: Iterable[pl.DataFrame], check: Callable[[pl.DataFrame], object]
) -> Published:
    """Check and write values, indicator by indicator, in the order of `VALUES_ORDER`.

    Args:
        path: The file to make.
        parts: The values of one indicator, or of one of its presets, after another (`iter_values`,
            `iter_unit_values`).
        check: Called with each part before it is written; raises if it breaks an identity.

    Raises:
        IdentityError: An identity does not hold; the file must not be published.
    """
    import pyarrow.parquet as pq

    published = Published()
    oldest = pl.CompatLevel.oldest()  # plain strings: every Parquet reader knows them
    schema = pl.DataFrame(schema=dict(VALUES)).to_arrow(compat_level=oldest).schema
    last = ("", "")
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=True) as writer:
        for part in parts:
            ids, presets = part["indicator"], part["preset"]
            if ids.n_unique() != 1 or (ids[0], presets[0]) <= last:
                raise IdentityError(
                    "values are not in order", got=f"{ids[0]} after {last[0]}", do="report this"
                )
            last = (ids[0], presets[-1])
            check(part)
            for some in part.iter_slices(ROW_GROUPS_AT_A_TIME * ROW_GROUP):  # plain strings take much room
                writer.write_table(some.to_arrow(compat_level=oldest), row_group_size=ROW_GROUP)
            published.add(part)
    return published
