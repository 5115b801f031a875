"""The counts preset by preset, as a view of the wide frame; and the counts of several buckets added up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.spells.engine import CELL_COLUMNS, Form, check_presets, count_wide, wide_schema
from ncdsurv.spells.layout import Bucket
from ncdsurv.spells.places import PLACES
from ncdsurv.spells.plan import measure_plan

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

_SORTED = ("preset", "disease", *PLACES, "sex", "age_band", "month")


def measures_schema(catalog: Catalog) -> dict[str, pl.DataType]:
    """Columns and dtypes of a measures frame: the cell, then one Int32 count per measure.

    >>> from ncdsurv.catalog import load_catalog
    >>> list(measures_schema(load_catalog()))[:6]
    ['atom', 'month', 'disease', 'sex', 'age_band', 'preset']
    """
    wide = wide_schema(catalog, presets=())
    cell = {**wide, "preset": pl.Enum(list(catalog.presets))}
    return {name: cell[name] for name in CELL_COLUMNS} | {
        name: pl.Int32() for name in measure_plan(catalog).names
    }


def count_bucket(
    bucket: Bucket,
    catalog: Catalog,
    presets: Sequence[str] | None = None,
    *,
    first_month: int,
    last_month: int,
    form: Form = "auto",
) -> pl.DataFrame:
    """Count every measure in every cell of one bucket, month by month, with one row for each preset.

    Args:
        bucket: The bucket's layout (see `layout`).
        catalog: Diseases, presets, indicators and age bands.
        presets: Preset ids; None is all of the catalog, in its order.
        first_month: First month index to count.
        last_month: Last month index to count, included. Later events are not looked at.
        form: As in `count_wide`.

    Returns:
        Columns of `measures_schema`; rows with at least one count, sorted by preset (in the order asked
        for), disease, atom, sex, age band and month.

    Raises:
        UsageError: Unknown preset, months in the wrong order, or the compiled form without numba.
    """
    wide = count_wide(bucket, catalog, presets, first_month=first_month, last_month=last_month, form=form)
    return long_view(wide, catalog, presets)


def long_view(wide: pl.DataFrame, catalog: Catalog, presets: Sequence[str] | None = None) -> pl.DataFrame:
    """A wide frame by atom as `count_bucket` gives it.

    Args:
        wide: Columns of `wide_schema` for the presets.
        catalog: The definitions it was counted by.
        presets: Preset ids; None is all of the catalog, in its order.
    """
    plan, schema = measure_plan(catalog), measures_schema(catalog)
    parts = []
    for preset in check_presets(catalog, presets):
        held = {measure: plan.held_in.get((measure, preset)) for measure in plan.names}
        counts = [
            (pl.lit(0, pl.Int32) if column is None else pl.col(column)).alias(measure)
            for measure, column in held.items()
        ]
        mine = list(dict.fromkeys(column for column in held.values() if column is not None))
        some = wide.filter(pl.any_horizontal(pl.col(mine) != 0)) if mine else wide.clear()
        cell = [name for name in CELL_COLUMNS if name in wide.columns]
        named = some.select(*cell, *counts, preset=pl.lit(preset, schema["preset"]))
        parts.append(named.select(pl.col(name).cast(dtype) for name, dtype in schema.items()))
    return pl.concat(parts, rechunk=True)


def add_buckets(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Add the counts of several buckets: people move, so one cell may have people of two buckets.

    Args:
        parts: Frames of `count_wide` or of `count_bucket`, of the same catalog and presets.

    Returns:
        One row per cell, sorted as each part is.
    """
    together = pl.concat(list(parts), rechunk=True)
    cell = [name for name in _SORTED if name in together.columns]
    # One integer stands for a cell, in sorting order: sorting and comparing it is several times faster.
    key = pl.lit(0, pl.Int64)
    for name in cell:
        column = together[name]
        if column.dtype == pl.String:
            number, size = pl.col(name).rank("dense").cast(pl.Int64), column.n_unique()
        else:
            number, size = pl.col(name).to_physical().cast(pl.Int64), _largest(column)
        key = key * (size + 1) + number
    keys = together.select(_key=key)["_key"]
    order = keys.arg_sort()
    ordered = together[order] if not keys.is_sorted() else together
    keys = keys.gather(order)
    same = keys == keys.shift(1)
    if not same.any():
        return ordered
    twin = (same | same.shift(-1)).fill_null(False)
    shared = ordered.filter(twin).group_by(cell, maintain_order=True).agg(pl.exclude(cell).sum())
    together = pl.concat([ordered.filter(~twin), shared.select(ordered.columns)])
    place = pl.concat([keys.filter(~twin), keys.filter(twin).unique(maintain_order=True)])
    return together[place.arg_sort()]


def _largest(column: pl.Series) -> int:
    found = column.to_physical().max()
    return 0 if found is None else int(found)  # type: ignore[arg-type]
