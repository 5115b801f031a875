"""Counting on: what an earlier build counted of a bucket, corrected and continued to the months wanted now.

Counts add up over people. So people whose past is as it was keep their share of the counts, those whose past
changed (late entries, corrections, moves, deaths, other links) have the old share taken out and the new one put
in, and only the months after are counted for everybody: from the carry where it serves, else from the records.
The result is the same as that of counting everything, to the count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ncdsurv.registry.cells import add, between, in_order, subtract
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
        digests: [person, digest]: what each person's records said up to the last month (`Digests.until`).
        table: Gives a table of the layout as it was then.
    """

    months: tuple[int, int]
    counts: dict[str, Count]
    digests: pl.DataFrame
    table: Callable[[str], pl.DataFrame]


class Digests:
    """Digests of a bucket's people, up to any month; contacts, by far the most rows, are hashed once.

    Args:
        bucket: The bucket's layout.
    """

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    @cached_property
    def _contacts(self) -> pl.DataFrame:
        """[person, month, digest] of every contact; its place among the person's counts too."""
        contacts = self.bucket.contacts
        person = contacts["person"].to_numpy()
        opens = np.flatnonzero(np.diff(person, prepend=-1))
        nth = np.arange(person.size) - np.repeat(opens, np.diff(opens, append=person.size))
        told = contacts.drop("person").with_columns(pl.Series("_nth", nth, pl.Int32))
        return contacts.select("person", "month", digest=told.hash_rows(0))

    def until(self, last: int) -> pl.DataFrame:
        """A digest of everything that decides a person's states up to a month; later events do not change it.

        Returns:
            [person Int32, digest UInt64], one row per person with a case or a contact up to then.
        """
        contacts = (
            self._contacts.filter(pl.col("month") <= last).group_by("person").agg(pl.col("digest").sum())
        )
        cases = _dated(self.bucket.cases, last, "disease")
        begun = pl.concat([cases.select("person"), contacts.select("person")]).unique()
        people = self.bucket.people.select(
            _until(pl.col(name), last) for name in LAYOUT["people"] if name != "person_id"
        )
        places = [_first_or_until(getattr(self.bucket, name), last) for name in _DATED if name in LAYOUT]
        told = [cases, *(frame.join(begun, on="person", how="semi") for frame in (people, *places))]
        hashed = [
            frame.select("person", digest=frame.drop("person").hash_rows(seed))
            for seed, frame in enumerate(told, start=1)
        ]
        together = pl.concat([contacts, *hashed])
        return together.group_by("person").agg(pl.col("digest").sum()).sort("person")


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


def _first_or_until(dated: pl.DataFrame, last: int) -> pl.DataFrame:
    return dated.filter((pl.col("from_month") <= last) | pl.col("person").is_first_distinct())


def grown(past: Past, bucket: Bucket, question: Question, digests: Digests | None = None) -> dict[str, Count]:
    """Count a bucket on from an earlier build; equal to counting it from the beginning.

    Args:
        past: The earlier count: of months that begin no later than those asked for, and end no later.
        bucket: The bucket as it is now.
        question: What to count now.
        digests: Of the bucket, where its contacts are hashed already.
    """
    then = past.months[1]
    old_people = past.table("people").select("person", "person_id")
    old = past.digests.join(old_people, on="person", how="left")
    new = (
        (digests or Digests(bucket))
        .until(then)
        .join(bucket.people.select("person", "person_id"), on="person")
    )
    compared = old.join(new, on="person_id", how="full", coalesce=True, suffix="_new")
    changed = compared.filter(~pl.col("digest").eq_missing(pl.col("digest_new")))
    was = _only(Bucket(**{n: past.table(n) for n in LAYOUT}), changed["person"]) if changed.height else None
    now = _only(bucket, changed["person_new"])
    known = compared.filter(pl.col("digest").eq_missing(pl.col("digest_new")))
    numbers = known.select(pl.col("person").alias("_was"), pl.col("person_new").alias("person"))
    held = {}
    for name, catalog in question.catalogs.items():
        by_unit = name in question.by_unit
        cells = between(past.counts[name].cells, question.first, then)
        carry = _renumbered(past.counts[name].carry, numbers)
        if was is not None:
            taken = count(was, catalog, question.first, then, by_unit=by_unit).cells
            given = count(now, catalog, question.first, then, by_unit=by_unit)
            cells, carry = add([subtract(cells, taken), given.cells]), pl.concat([carry, given.carry])
        held[name] = Count(cells, carry)
    later = _with_contacts(bucket, [one.carry for one in held.values()], pl.col("month") > then)
    return {
        name: _continued(held[name], later, catalog, then, question.last, name in question.by_unit)
        for name, catalog in question.catalogs.items()
    }


def _continued(
    count_then: Count, bucket: Bucket, catalog: Catalog, then: int, last: int, by_unit: bool
) -> Count:
    """Counts up to a month -> counts up to a later one, month by month, each from the carry of the one before."""
    parts, carry = [count_then.cells], count_then.carry
    for month in range(then + 1, last + 1):
        later = count(month_of(bucket, carry, month), catalog, month, month, carry, by_unit)
        parts.append(later.cells)
        carry = later.carry
    return Count(in_order(parts), carry.sort("person", "disease"))


def month_of(bucket: Bucket, carry: pl.DataFrame, month: int) -> Bucket:
    """The bucket with the contacts that counting a month from a carry needs: of that month, and all of new cases."""
    return _with_contacts(bucket, [carry], pl.col("month") == month)


def _with_contacts(bucket: Bucket, carries: Sequence[pl.DataFrame], wanted: pl.Expr) -> Bucket:
    """The bucket with some of its contacts, and all of those with a case that one of the carries does not know."""
    keys = ["person", "disease"]
    new = pl.concat([bucket.cases.join(carry, on=keys, how="anti")["person"] for carry in carries]).unique()
    if new.len():
        wanted = wanted | pl.col("person").is_in(new.implode())
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
