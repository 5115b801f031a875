"""One row for each group and age band: the numbers of a frame, or of arrays that are one group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.errors import StatisticsError
from ncdsurv.indicators.rates.border import column, column_numbers, group_columns, open_frame
from ncdsurv.indicators.rates.given import Floats, numbers, same_shape

if TYPE_CHECKING:
    import narwhals as nw


def grouped(
    frame: Any, by: Sequence[str], figures: Mapping[str, Any], age: Any
) -> tuple[nw.DataFrame[Any], dict[str, Any]]:
    """The frame (made of the arrays where there is none), its numbers, and the name of its column of ages."""
    if frame is not None:
        table = open_frame(frame)
        group_columns(table, by)
        column(table, age)
        if age in by:
            raise StatisticsError("ages among the groups", got=age, do="leave the column of ages out of `by`")
        found: dict[str, Any] = {role: column_numbers(table, name, role) for role, name in figures.items()}
        return table, {**found, "age": age}
    import polars as pl

    if by:
        raise StatisticsError("groups of arrays", got="`by` without a frame", do="give a frame")
    arrays = dict(zip(figures, same_shape(**{role: numbers(role, each) for role, each in figures.items()})))
    ages = [None if band is None or band != band else str(band) for band in age]
    if any(array.shape != (len(ages),) for array in arrays.values()):
        sizes = ", ".join(f"{role} {array.shape}" for role, array in arrays.items())
        raise StatisticsError(
            "arrays of different lengths",
            got=f"{sizes}, age ({len(ages)},)",
            do="give one entry a row in each",
        )
    return open_frame(pl.DataFrame({"age": ages}, schema={"age": pl.String})), {**arrays, "age": "age"}


def by_group(table: nw.DataFrame[Any], by: Sequence[str], sums: Sequence[Any]) -> nw.DataFrame[Any]:
    """One row a group, sorted by it, numbered anew; rows whose name is null are a group of their own, the first."""
    import narwhals as nw

    found = table.group_by(*by).agg(*sums).sort(*by)
    return nw.maybe_reset_index(found)


def filled(given: Floats) -> Floats:
    """Numbers of age bands, none missing: a missing one is not 0.

    Raises:
        StatisticsError: A null number.
    """
    if np.isnan(given).any():
        raise StatisticsError(
            "an age band without its number",
            got=f"{int(np.isnan(given).sum())} of {given.size} rows null",
            do="write 0 where nothing happened",
        )
    return given
