"""What is carried from one month to the next: the state of every case, so that old contacts need no reading.

One row per person and disease, as of the end of a month, named by person_id since a bucket numbers its people
anew when somebody joins it. The columns belong to the presets they were made with (see `passes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import month_label
from ncdsurv.errors import UsageError
from ncdsurv.spells.layout import Bucket
from ncdsurv.spells.passes import Pass

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog


def carry_schema(catalog: Catalog, work: Pass) -> dict[str, pl.DataType]:
    """Columns and dtypes of a carry."""
    key: dict[str, pl.DataType] = {
        "person_id": pl.String(),
        "disease": pl.Enum(list(catalog.diseases)),
        "month": pl.Int32(),
    }
    return {**key, **{name: pl.Int32() for name in work.carried}}


def name_carry(
    states: pl.DataFrame, bucket: Bucket, catalog: Catalog, work: Pass, month: int
) -> pl.DataFrame:
    """States by number of person and disease -> a carry, by their names."""
    schema = carry_schema(catalog, work)
    names = pl.Series(list(catalog.diseases), dtype=schema["disease"])
    return (
        states.join(bucket.people.select("person", "person_id"), on="person", maintain_order="left")
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
        UsageError: It is of another month, or of other presets.
    """
    lacking = set(carry_schema(catalog, work)) - set(carry.columns)
    surplus = set(carry.columns) - set(carry_schema(catalog, work))
    if lacking or surplus:
        raise UsageError(
            "the carry is of other presets",
            got=f"{len(surplus)} columns too many and {len(lacking)} too few",
            do="count with the presets it was made with",
        )
    months = carry["month"].unique().to_list()
    if months not in ([month], []):
        raise UsageError(
            "the carry is of another month",
            got=", ".join(month_label(found) for found in sorted(months)),
            allowed=month_label(month),
            do="count the months in between first",
        )
    number = pl.col("disease").cast(pl.Enum(list(catalog.diseases))).to_physical().cast(pl.Int8)
    people = bucket.people.select("person", "person_id")
    return carry.join(people, on="person_id").select("person", number, "month", *work.carried)


def not_carried(bucket: Bucket, carry: pl.DataFrame, catalog: Catalog) -> pl.Series:
    """person_id of those with a case that the carry does not know: they need all their contacts."""
    names = pl.Series(list(catalog.diseases))
    cases = bucket.cases.join(bucket.people.select("person", "person_id"), on="person").with_columns(
        disease=pl.lit(names).gather(pl.col("disease").cast(pl.UInt32))
    )
    known = carry.select("person_id", pl.col("disease").cast(pl.String))
    return cases.join(known, on=["person_id", "disease"], how="anti")["person_id"].unique().sort()
