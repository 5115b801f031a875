"""Counting on equals counting anew, to the count, whatever came in between."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.engine_data import make_bucket
from ncdsurv.catalog import load_catalog
from ncdsurv.indicators.units import unit_catalog
from ncdsurv.registry.counting import Question, answer
from ncdsurv.registry.increment import Digests, Past, grown
from ncdsurv.spells import NEVER, Bucket
from tests.engine_units import with_stations

FIRST, THEN, LAST = 2025 * 12 + 1, 2026 * 12 + 2, 2026 * 12 + 4
PEOPLE = 40


@cache
def catalog():
    return load_catalog()


def question(first: int, last: int) -> Question:
    asked = {"measures": catalog(), "units": unit_catalog(catalog())}
    return Question(asked, first, last, by_unit=frozenset({"units"}))


def remembered(bucket: Bucket, first: int, last: int) -> Past:
    """What a build keeps of a bucket."""
    digests = Digests(bucket).until(last)
    return Past((first, last), answer(bucket, question(first, last)), digests, lambda t: getattr(bucket, t))


def known_by(bucket: Bucket, month: int) -> Bucket:
    """What was known at the end of a month: later contacts, cases, moves and deaths were not told yet."""
    months = [name for name in bucket.cases.columns if name.endswith("_month")]
    until = [
        pl.when(pl.col(n) <= month).then(pl.col(n)).otherwise(NEVER).cast(pl.Int32).alias(n) for n in months
    ]
    first = pl.col("person").is_first_distinct()
    death = pl.when(pl.col("death_month") <= month).then("death_month").otherwise(NEVER).cast(pl.Int32)
    return replace(
        bucket,
        people=bucket.people.with_columns(death.alias("death_month")),
        cases=bucket.cases.with_columns(until).filter(pl.any_horizontal(pl.col(months) != NEVER)),
        contacts=bucket.contacts.filter(pl.col("month") <= month),
        segments=bucket.segments.filter((pl.col("from_month") <= month) | first),
        assignments=bucket.assignments.filter((pl.col("from_month") <= month) | first),
    )


def without(bucket: Bucket, persons: list[int]) -> Bucket:
    """The bucket without some people; the others are numbered anew, as a new layout does."""
    kept = bucket.people.filter(~pl.col("person").is_in(persons)).with_row_index("new")
    numbers = kept.select("person", pl.col("new").cast(pl.Int32))

    def renumbered(frame: pl.DataFrame) -> pl.DataFrame:
        found = frame.join(numbers, on="person", maintain_order="left")
        return found.with_columns(person="new").select(frame.columns)

    return Bucket(**{name: renumbered(frame) for name, frame in bucket.tables().items()})


def disturbed(bucket: Bucket, dice: np.random.Generator, kinds: list[str]) -> Bucket:
    """The bucket after late entries, corrections, deaths, moves, new links and withdrawn diagnoses."""
    contacts, people, cases, segments = bucket.contacts, bucket.people, bucket.cases, bucket.segments

    def some(frame: pl.DataFrame, share: float = 0.05) -> pl.Series:
        chosen = dice.random(frame.height) < share
        chosen[dice.integers(frame.height)] = True
        return pl.Series(chosen)

    if "late" in kinds:
        late = contacts.filter(some(contacts)).with_columns(pl.lit(171, pl.Int16).alias("sbp"))
        contacts = pl.concat([contacts, late]).sort("person", "day", maintain_order=True)
    if "correction" in kinds:
        contacts = contacts.with_columns(
            pl.when(some(contacts)).then(pl.lit(118, pl.Int16)).otherwise("sbp").alias("sbp")
        )
    if "deletion" in kinds:
        contacts = contacts.filter(~some(contacts))
    if "death" in kinds:
        month = pl.Series(dice.integers(FIRST, LAST + 1, people.height), dtype=pl.Int32)
        people = people.with_columns(
            pl.when(some(people)).then(month).otherwise("death_month").alias("death_month")
        )
    if "birth" in kinds:
        people = people.with_columns(
            pl.when(some(people))
            .then(pl.col("birth_month") - 130)
            .otherwise("birth_month")
            .alias("birth_month")
        )
    if "move" in kinds:
        segments = segments.with_columns(
            pl.when(some(segments)).then(pl.col("atom") + 1).otherwise("atom").alias("atom")
        )
    if "withdrawal" in kinds:
        month = pl.Series(dice.integers(FIRST, LAST + 1, cases.height), dtype=pl.Int32)
        cases = cases.with_columns(
            pl.when(some(cases)).then(month).otherwise("withdrawn_month").alias("withdrawn_month")
        )
    if "diagnosis" in kinds:
        known = set(cases.select("person", "disease").rows())
        new = [(person, 4) for person in range(people.height) if (person, 4) not in known][:3]
        rows = pl.DataFrame(new, schema=["person", "disease"], orient="row").with_columns(
            [pl.lit(NEVER).alias(name) for name in cases.columns if name.endswith("_month")]
        )
        rows = rows.with_columns(detected_month=pl.lit(THEN + 1), enrolled_month=pl.lit(THEN + 1))
        rows = rows.select(pl.col(name).cast(dtype) for name, dtype in cases.schema.items())
        cases = pl.concat([cases, rows]).sort("person", "disease")
    seen_at = bucket.assignments
    if "station" in kinds:
        seen_at = seen_at.with_columns(
            pl.when(some(seen_at)).then(pl.col("facility") + "b").otherwise("facility").alias("facility")
        )
    return replace(
        bucket, people=people, segments=segments, assignments=seen_at, cases=cases, contacts=contacts
    )


KINDS = ["late", "correction", "deletion", "death", "birth", "move", "withdrawal", "diagnosis", "station"]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """With the kernel at hand small buckets are counted by it too: many times quicker."""
    pytest.importorskip("numba")
    import ncdsurv.spells.kernel  # noqa: F401


def same(counted_on: dict, anew: dict, bucket: Bucket) -> None:
    """Equal counts, and an equal carry of all cases that have begun."""
    months = [name for name in bucket.cases.columns if name.endswith("_month")]
    begun = bucket.cases.filter(pl.any_horizontal(pl.col(months) <= LAST)).select("person", "disease")
    for name, found in counted_on.items():
        assert found.cells.equals(anew[name].cells)
        ours, theirs = (
            count.carry.join(begun, on=["person", "disease"], how="semi").sort("person", "disease")
            for count in (found, anew[name])
        )
        assert ours.equals(theirs)


@settings(max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    kinds=st.lists(st.sampled_from(KINDS), unique=True),
    joined=st.lists(st.integers(0, PEOPLE - 1), max_size=3),
    left=st.lists(st.integers(0, PEOPLE - 4), max_size=2),
    shift=st.integers(0, 2),
    then=st.integers(THEN, LAST),
)
def test_counting_on_is_counting_anew(seed, kinds, joined, left, shift, then) -> None:
    whole = with_stations(make_bucket(seed, PEOPLE, catalog(), FIRST, LAST))
    old = without(known_by(whole, then), joined)  # people who are not known yet
    new = without(disturbed(whole, np.random.default_rng(seed), kinds), left)  # and some who are no more
    asked = question(FIRST + shift, LAST)
    same(grown(remembered(old, FIRST, then), new, asked), answer(new, asked), new)


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_the_past_changes_the_digest_of_those_it_concerns_and_no_other(kind: str) -> None:
    whole = with_stations(make_bucket(7, PEOPLE, catalog(), FIRST, LAST))
    before, after = (
        Digests(whole).until(LAST),
        Digests(disturbed(whole, np.random.default_rng(1), [kind])).until(LAST),
    )
    compared = before.join(after, on="person", how="full", coalesce=True, suffix="_after")
    changed = compared.filter(~pl.col("digest").eq_missing(pl.col("digest_after"))).height
    assert 0 < changed < before.height // 2


def test_what_happens_later_changes_no_digest() -> None:
    whole = with_stations(make_bucket(7, PEOPLE, catalog(), FIRST, LAST))
    assert Digests(known_by(whole, THEN)).until(THEN).equals(Digests(whole).until(THEN))
    assert not Digests(whole).until(THEN).equals(Digests(whole).until(LAST))
