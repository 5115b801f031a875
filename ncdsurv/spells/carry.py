"""What is carried from one month to the next: the state of every case, so that old contacts need no reading.

One row per person and disease, as of the end of a month, named by person_id since a bucket numbers its people
anew when somebody joins it. The columns belong to the presets they were made with (see `passes`). By number, a
state is a row of 16-bit numbers, days counted from an anchor: half of what a new month reads and writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ncdsurv.catalog.vocabulary import month_label
from ncdsurv.errors import UsageError
from ncdsurv.spells.layout import NEVER, Bucket
from ncdsurv.spells.passes import Pass, is_day

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

STATE = "state"
ANCHOR_DAY = 18_262  # 1 January 2020 in days from the epoch: 16 bits reach 89 years to either side of it
FARTHEST = 2**15 - 1  # stands for NEVER
NO_DAY = ANCHOR_DAY - FARTHEST - 1  # and its place for -NEVER


def carry_schema(catalog: Catalog, work: Pass) -> dict[str, pl.DataType]:
    """Columns and dtypes of a carry."""
    key: dict[str, pl.DataType] = {
        "person_id": pl.String(),
        "disease": pl.Enum(list(catalog.diseases)),
        "month": pl.Int32(),
    }
    return {**key, **{name: pl.Int32() for name in work.carried}}


def pack(states: pl.DataFrame, work: Pass, month: int) -> pl.DataFrame:
    """States of cases -> a carry by number: person, disease (numbers within the bucket), month and `state`.

    `state` holds the columns of `Pass.carried` side by side, in 16 bits: written, read and counted from whole.
    It serves only while the bucket numbers its people as it did; a carry by name serves longer.
    """
    if STATE not in states.columns:
        block = states.select(pl.col(name).cast(pl.Int32) for name in work.carried).to_numpy(order="c")
        near = np.clip(block - zeros_of(work), -FARTHEST - 1, FARTHEST)
        states = states.select("person", "disease", as_state(near))
    of = pl.Series("month", np.full(states.height, month, np.int32))
    return pl.DataFrame([states["person"], states["disease"], of, states[STATE]])


def zeros_of(work: Pass) -> np.ndarray:
    """What 0 stands for in each column of a state: the anchor where it holds a day (Int32)."""
    return np.array([ANCHOR_DAY if is_day(name) else 0 for name in work.carried], dtype=np.int32)


def as_state(block: np.ndarray) -> pl.Series:
    """Numbers (cases, columns) that fit 16 bits -> the column `state`."""
    return pl.Series(STATE, block.astype(np.int16, copy=False), pl.Array(pl.Int16, block.shape[1]))


def unpack(states: pl.DataFrame, work: Pass) -> pl.DataFrame:
    """The opposite of `pack`: a column for each part of the state."""
    if STATE not in states.columns:
        return states
    kept = states[STATE].to_numpy()
    whole = np.where(kept == FARTHEST, NEVER, kept + zeros_of(work))
    block = np.ascontiguousarray(np.where(kept < -FARTHEST, -NEVER, whole).T, dtype=np.int32)
    return states.drop(STATE).with_columns(
        pl.Series(name, part, pl.Int32) for name, part in zip(work.carried, block, strict=True)
    )


def conform_packed(carry: pl.DataFrame, work: Pass, month: int) -> pl.DataFrame:
    """A carry by number, checked.

    Raises:
        UsageError: It is of another month, or of other presets.
    """
    width = len(work.carried)
    if carry.schema[STATE] != pl.Array(pl.Int16, width):
        raise UsageError(
            "the carry is of other presets",
            got=str(carry.schema[STATE]),
            allowed=f"{width} numbers per case",
            do="count with the presets it was made with",
        )
    _check_month(carry, month)
    return carry


def name_carry(
    states: pl.DataFrame, bucket: Bucket, catalog: Catalog, work: Pass, month: int
) -> pl.DataFrame:
    """States by number of person and disease -> a carry, by their names."""
    schema = carry_schema(catalog, work)
    names = pl.Series(list(catalog.diseases), dtype=schema["disease"])
    return (
        unpack(states, work)
        .join(bucket.people.select("person", "person_id"), on="person", maintain_order="left")
        .with_columns(disease=pl.lit(names).gather(pl.col("disease").cast(pl.UInt32)), month=pl.lit(month))
        .select(pl.col(name).cast(dtype) for name, dtype in schema.items())
    )


def conform_carry(
    carry: pl.DataFrame, bucket: Bucket, catalog: Catalog, work: Pass, month: int
) -> pl.DataFrame:
    """A carry -> states by number of person and disease, of the bucket's cases; checked.

    Returns:
        person, disease (numbers), month and `Pass.carried`.

    Raises:
        UsageError: It is of another month, or of other presets, or names a case twice.
    """
    lacking = set(carry_schema(catalog, work)) - set(carry.columns)
    surplus = set(carry.columns) - set(carry_schema(catalog, work))
    if lacking or surplus:
        raise UsageError(
            "the carry is of other presets",
            got=f"{len(surplus)} columns too many and {len(lacking)} too few",
            do="count with the presets it was made with",
        )
    _check_month(once(carry), month)
    number = pl.col("disease").cast(pl.Enum(list(catalog.diseases))).to_physical().cast(pl.Int8)
    people = bucket.people.select("person", "person_id")
    return carry.join(people, on="person_id").select("person", number, "month", *work.carried)


def _check_month(carry: pl.DataFrame, month: int) -> None:
    if carry.height and not carry["month"].min() == carry["month"].max() == month:
        months = carry["month"].unique().to_list()
        raise UsageError(
            "the carry is of another month",
            got=", ".join(month_label(found) for found in sorted(months)),
            allowed=month_label(month),
            do="count the months in between first",
        )


def once(carry: pl.DataFrame) -> pl.DataFrame:
    """A carry, by name or by number, if no case has two rows in it.

    Raises:
        UsageError: A case is named twice: it would be counted from one of the rows, or from both.
    """
    who = "person_id" if "person_id" in carry.columns else "person"
    surplus = carry.height - carry.select(who, "disease").n_unique()
    if surplus:
        raise UsageError(
            "the carry names a case twice",
            got=f"{surplus} rows too many",
            allowed="one row per person and disease",
            do="count from one carry of the month before",
        )
    return carry


def not_carried(bucket: Bucket, carry: pl.DataFrame, catalog: Catalog) -> pl.Series:
    """person_id of those with a case that the carry does not know: they need all their contacts."""
    names = pl.Series(list(catalog.diseases))
    cases = bucket.cases.join(bucket.people.select("person", "person_id"), on="person").with_columns(
        disease=pl.lit(names).gather(pl.col("disease").cast(pl.UInt32))
    )
    known = carry.select("person_id", pl.col("disease").cast(pl.String))
    return cases.join(known, on=["person_id", "disease"], how="anti")["person_id"].unique().sort()
