"""Values that a caller brings: checked into the values schema, the way back, and the check that they are no mixture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import polars as pl

from ncdsurv.catalog.tables import VALUES
from ncdsurv.errors import UsageError

# What must be single for a series or a map to mean anything, and how the caller narrows it.
IDENTITY = ("indicator", "preset", "disease", "sex", "age_band", "standardisation", "release")
_CODES = ("area_code", "area_vintage")


def open_values(values: Any, needed: Sequence[str]) -> tuple[pl.DataFrame, Callable[[pl.DataFrame], Any]]:
    """Values of a polars or pandas user as a polars frame of the values schema, and the way back.

    Args:
        values: A frame with columns of `ncdsurv.catalog.tables.VALUES` (polars, lazy or pandas).
        needed: Columns that must be there.

    Returns:
        The frame with exactly the columns of the schema (absent ones null, NaN null), and a function that turns a
        polars frame into the kind that was given.

    Raises:
        UsageError: Not a frame, a needed column is missing, codes are not text, or there is no row.
    """
    import narwhals as nw

    try:
        frame = nw.from_native(values)
    except TypeError as error:
        raise UsageError(
            "values are not a frame",
            got=type(values).__name__,
            allowed="a polars or pandas frame",
            do="pass what release.values(...) returns",
        ) from error
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect(backend="polars")
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise UsageError(
            "columns are missing from values",
            got=", ".join(frame.columns) or "no column",
            allowed=f"at least {', '.join(needed)}",
            do=f"add {', '.join(missing)}: pass what release.values(...) returns",
        )
    is_pandas = frame.implementation.is_pandas()
    table = frame.to_polars()
    for name in _CODES:
        if name in needed and not _is_text(table.schema[name]):
            raise UsageError(
                f"{name} is not text, so leading zeros are lost",
                got=str(table.schema[name]),
                allowed='text such as "01"',
                do=f'read the file with dtype={{"{name}": str}}',
            )
    if table.is_empty():
        raise UsageError("values hold no row", got="0 rows", do="widen the selection of release.values(...)")
    table = table.select(
        (pl.col(name) if name in table.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in VALUES.items()
    ).with_columns(pl.col(pl.Float64).fill_nan(None))
    return table, (lambda out: out.to_pandas()) if is_pandas else (lambda out: out)


def _is_text(dtype: pl.DataType) -> bool:
    return dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)


def require_single(frame: pl.DataFrame, columns: Iterable[str], what: str) -> dict[str, Any]:
    """The one row of `columns` that a figure is about.

    Raises:
        UsageError: Two or more values in a column; says which, and how to choose.
    """
    chosen: dict[str, Any] = {}
    for column in columns:
        found = frame[column].unique(maintain_order=True).to_list()
        if len(found) > 1:
            seen = sorted(str(item) for item in found)
            raise UsageError(
                f"{what} shows one {column.replace('_', ' ')}, not a mixture",
                got=", ".join(seen[:12]) + (f", ... ({len(seen)} in all)" if len(seen) > 12 else ""),
                allowed=f"one {column}",
                do=f'narrow the values first, for instance {column}="{seen[0]}"',
            )
        chosen[column] = found[0] if found else None
    return chosen
