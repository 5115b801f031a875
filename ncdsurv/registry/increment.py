"""Counting on: what an earlier build counted of a bucket, corrected and continued to the months wanted now.

Counts add up over people. So people whose past is as it was keep their share of the counts, those whose past
changed (late entries, corrections, moves, deaths, other links) have the old share taken out and the new one put
in, and only the months after are counted for everybody: from the carry where it serves, else from the records.
The result is the same as that of counting everything, to the count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.registry.cells import add, between, subtract
from ncdsurv.registry.counting import Count, count
from ncdsurv.spells import NEVER, Bucket
from ncdsurv.spells.layout import LAYOUT

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.registry.counting import Question

_DATED = ("segments", "assignments")
"""Tables that say what holds from a month on; the first row of a person holds before it too."""


@dataclass(frozen=True)
class Past:
    """A bucket as an earlier build counted it.

    Attributes:
        months: First and last month counted then.
        counts: Name of the answer -> the counts.
        digests: [person, digest]: what each person's records said up to the last month (`past_digests`).
        table: Gives a table of the layout as it was then.
    """

    months: tuple[int, int]
    counts: dict[str, Count]
    digests: pl.DataFrame
    table: Callable[[str], pl.DataFrame]


def past_digests(bucket: Bucket, last: int) -> pl.DataFrame:
    """A digest of everything that decides a person's states up to a month; later events do not change it.

    Returns:
        [person Int32, digest UInt64], one row per person with a case or a contact up to then.
    """
    held = [_dated(bucket.cases, last, "disease"), _contacts_until(bucket.contacts, last)]
    begun = pl.concat([frame.select("person") for frame in held]).unique()
    people = bucket.people.select(
        _until(pl.col(name), last) for name in LAYOUT["people"] if name != "person_id"
    )
    places = [_first_or_until(getattr(bucket, name), last) for name in _DATED if name in LAYOUT]
    told = [*held, people.join(begun, on="person", how="semi")]
    told += [frame.join(begun, on="person", how="semi") for frame in places]
    hashed = [
        frame.select("person", digest=pl.struct(pl.exclude("person")).hash(seed))
        for seed, frame in enumerate(told)
    ]
    return pl.concat(hashed).group_by("person").agg(pl.col("digest").sum()).sort("person")


def _until(column: pl.Expr, last: int) -> pl.Expr:
    """A month after the last one is as good as never; a birth month is a fact of any time."""
    name = column.meta.output_name()
    if not name.endswith("_month") or name == "birth_month":
        return column
    return pl.when(column <= last).then(column).otherwise(pl.lit(NEVER, pl.Int32)).alias(name)


def _dated(cases: pl.DataFrame, last: int, *kept: str) -> pl.DataFrame:
    clamped = cases.select(_until(pl.col(name), last) for name in cases.columns)
    months = [name for name in cases.columns if name not in ("person", *kept)]
    return clamped.filter(pl.any_horizontal(pl.col(months) != NEVER))


def _contacts_until(contacts: pl.DataFrame, last: int) -> pl.DataFrame:
    """Contacts up to a month, each with its place among the person's: order within a day counts."""
    person = contacts["person"]
    row = pl.int_range(pl.len(), dtype=pl.Int32)
    numbered = contacts.with_columns(
        _nth=row - pl.lit(person.search_sorted(person, side="left").cast(pl.Int32))
    )
    return numbered.filter(pl.col("month") <= last)


def _first_or_until(dated: pl.DataFrame, last: int) -> pl.DataFrame:
    return dated.filter((pl.col("from_month") <= last) | pl.col("person").is_first_distinct())


def grown(past: Past, bucket: Bucket, question: Question) -> dict[str, Count]:
    """Count a bucket on from an earlier build; equal to counting it from the beginning.

    Args:
        past: The earlier count: of months that begin no later than those asked for, and end no later.
        bucket: The bucket as it is now.
        question: What to count now.
    """
    then = past.months[1]
    old_people = past.table("people").select("person", "person_id")
    old = past.digests.join(old_people, on="person", how="left")
    new = past_digests(bucket, then).join(bucket.people.select("person", "person_id"), on="person")
    compared = old.join(new, on="person_id", how="full", coalesce=True, suffix="_new")
    changed = compared.filter(~pl.col("digest").eq_missing(pl.col("digest_new")))
    was = _only(Bucket(**{n: past.table(n) for n in LAYOUT}), changed["person"]) if changed.height else None
    now = _only(bucket, changed["person_new"])
    known = compared.filter(pl.col("digest").eq_missing(pl.col("digest_new")))
    numbers = known.select(pl.col("person").alias("_was"), pl.col("person_new").alias("person"))
    found = {}
    for name, catalog in question.catalogs.items():
        by_unit = name in question.by_unit
        held = between(past.counts[name].cells, question.first, then)
        carry = _renumbered(past.counts[name].carry, numbers)
        if was is not None:
            taken = count(was, catalog, question.first, then, by_unit=by_unit).cells
            given = count(now, catalog, question.first, then, by_unit=by_unit)
            held, carry = add([subtract(held, taken), given.cells]), pl.concat([carry, given.carry])
        found[name] = _continued(Count(held, carry), bucket, catalog, then, question.last, by_unit)
    return found


def _continued(
    count_then: Count, bucket: Bucket, catalog: Catalog, then: int, last: int, by_unit: bool
) -> Count:
    """Counts up to a month -> counts up to a later one, month by month, each from the carry of the one before."""
    parts, carry = [count_then.cells], count_then.carry
    for month in range(then + 1, last + 1):
        later = count(month_of(bucket, carry, month), catalog, month, month, carry, by_unit)
        parts.append(later.cells)
        carry = later.carry
    return Count(add(parts), carry.sort("person", "disease"))


def month_of(bucket: Bucket, carry: pl.DataFrame, month: int) -> Bucket:
    """The bucket with the contacts that counting a month from a carry needs: of that month, and all of new cases."""
    new = bucket.cases.join(carry, on=["person", "disease"], how="anti")["person"].unique()
    wanted = (pl.col("month") == month) | pl.col("person").is_in(new.implode())
    return replace(bucket, contacts=bucket.contacts.filter(wanted))


def _only(bucket: Bucket, persons: pl.Series) -> Bucket:
    """The bucket with the cases and contacts of some people only; nobody's number changes."""
    wanted = persons.drop_nulls().to_frame("person")
    kept = {name: getattr(bucket, name).join(wanted, on="person", how="semi", maintain_order="left")
            for name in ("cases", "contacts")}  # fmt: skip
    return replace(bucket, **kept)


def _renumbered(carry: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """A carry under the people's numbers of today; people whose past changed are left out."""
    return carry.rename({"person": "_was"}).join(numbers, on="_was").select(carry.columns)
