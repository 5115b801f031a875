"""A column of an analyst's frame in the type wanted, or an error that counts the rows that do not fit. Pure.

Nothing is guessed: a number is no date (Excel's serials and 20240110 would both become some day), a text that is no
number is not emptied, a fraction is not cut off.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from ncdsurv.catalog.vocabulary import TIME_ZONE
from ncdsurv.errors import UsageError

_UNREADABLE = (ValueError, TypeError, NotImplementedError, OverflowError, pl.exceptions.PolarsError)


def polars_column(name: str, table: Any, column: str) -> pl.Series:
    """One column of a narwhals frame as a polars series.

    Raises:
        UsageError: Its values are of several kinds, or of one that no table holds.
    """
    try:
        frame = pl.from_arrow(table.select(column).to_arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame[column]
    except _UNREADABLE:  # what the library says shows a value: it is not passed on
        raise UsageError(
            f"{name}: {column} holds values of several kinds, or of one that cannot be read",
            got=type_name(table.schema.get(column, "no type")),
            allowed="one kind of value in a column",
            do="convert the column first",
        ) from None


def cast_column(name: str, column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """A column in the type wanted.

    Raises:
        UsageError: A value cannot be read as it.
    """
    if column.dtype.is_float():
        column = column.fill_nan(None)  # what pandas calls missing
    if column.null_count() == column.len():
        return pl.Series(column.name, [None] * column.len(), dtype)
    try:
        found = _cast(column, dtype)
    except _UNREADABLE:
        found = pl.Series(column.name, [None] * column.len(), dtype)
    if lost := found.null_count() - column.null_count():
        raise UsageError(
            f"{name}: {column.name} cannot be read as {said(dtype)}",
            got=f"{lost} rows of type {type_name(column.dtype)}",
            allowed=said(dtype),
            do="convert the column first",
        )
    return found.alias(column.name)


def _cast(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Null where a value is not of the type, or would change by becoming it."""
    if column.dtype.is_nested() and not dtype.is_nested():
        return pl.Series(column.name, [None] * column.len(), dtype)
    if isinstance(dtype, pl.Date):
        return _dates(column)
    if isinstance(dtype, pl.String) and column.dtype == pl.Binary:  # an UUID: its bytes are no text
        return pl.Series(column.name, [None] * column.len(), pl.String)
    if isinstance(dtype, pl.String) and column.dtype.is_float():
        return _whole(column, pl.Int64()).cast(pl.String)
    if dtype.is_integer() and (column.dtype.is_float() or column.dtype.is_decimal()):
        return _whole(column.cast(pl.Float64), dtype)
    return column.cast(dtype, strict=False)


def _dates(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String or isinstance(column.dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String).str.to_date("%Y-%m-%d", strict=False)
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
        return column.dt.convert_time_zone(TIME_ZONE).dt.date()  # a cast would take the day in Greenwich
    if isinstance(column.dtype, pl.Datetime | pl.Date):
        return column.cast(pl.Date)
    return pl.Series(column.name, [None] * column.len(), pl.Date)


def _whole(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Whole numbers that stand as floats: pandas makes them so where there are gaps."""
    found = column.cast(dtype, strict=False)
    return pl.select(pl.when(found.cast(pl.Float64) == column).then(found)).to_series()


def type_name(dtype: Any) -> str:
    """A type as a message may show it: the categories of an enum, and what a list or struct holds, may be values.

    >>> type_name(pl.Enum(["Nguyễn Văn A"])), type_name(pl.Decimal(10, 2))
    ('Enum', 'Decimal')
    """
    return str(dtype).partition("(")[0]


def said(dtype: pl.DataType) -> str:
    """A type in words."""
    if isinstance(dtype, pl.Date):
        return "a date (or text YYYY-MM-DD)"
    if isinstance(dtype, pl.Boolean):
        return "yes or no (boolean)"
    if dtype.is_integer():
        return "whole numbers"
    return "numbers" if dtype.is_float() else "text"
