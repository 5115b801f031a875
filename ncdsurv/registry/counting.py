"""The loop "bucket -> counts": a pure function of a bucket, and the driver that runs it over all buckets.

What is counted of a bucket is kept in a cache on disk (see `counted`) before the next bucket is looked at, so
memory grows with a bucket, not with the nation, and a build that breaks off goes on where it stopped. A bucket
whose records did not change is not counted again; one that grew is counted on (see `increment`). The order of
the work never matters: the file of measures is written afterwards, bucket by bucket (see `assemble`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Protocol, TypeVar

import polars as pl

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.sensitivity import load_variants, variant_catalog
from ncdsurv.catalog.whole_periods import with_whole_periods
from ncdsurv.errors import StoreError
from ncdsurv.indicators.units import unit_catalog
from ncdsurv.registry.buckets import Buckets
from ncdsurv.registry.cells import add, in_order
from ncdsurv.registry.units import as_units, split_units
from ncdsurv.spells import Bucket, count_packed

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.registry.counted import CountCache
    from ncdsurv.store.lake import Snapshot

MEASURES, SENSITIVITY, UNITS = "measures", "sensitivity", "units"
"""Names of the answers of a release."""
Progress = Callable[[int, int], None]
Done = TypeVar("Done")
THREADS = 3
"""Buckets counted at a time on one machine: on two cores a third fills the gaps in which one waits for another."""


@dataclass(frozen=True)
class Question:
    """What is asked of every bucket.

    Attributes:
        catalogs: Name of the answer -> the definitions it is counted by.
        first: First month index counted.
        last: Last month index, included.
        by_unit: Names of the answers that are counted by facility and source (`units`), not by atom.
        published: Name of the answer -> the definitions it is published by.
    """

    catalogs: Mapping[str, Catalog]
    first: int
    last: int
    by_unit: frozenset[str] = field(default=frozenset())
    published: Mapping[str, Catalog] = field(default_factory=dict)


@dataclass(frozen=True)
class Count:
    """Counts of some people under one catalog.

    Attributes:
        cells: Columns of `spells.wide_schema`, or of `units.split_units`; each cell once, in the order of
            `cells.ORDER`.
        carry: The state of each case after the last month, to count later months from: as
            `spells.count_packed` gives it, with people under their number within the bucket.
    """

    cells: pl.DataFrame
    carry: pl.DataFrame


def count(
    bucket: Bucket,
    catalog: Catalog,
    first: int,
    last: int,
    carry: pl.DataFrame | None = None,
    by_unit: bool = False,
) -> Count:
    """Count a bucket. Pure: the same bucket, definitions and months give the same counts, on any machine.

    Args:
        bucket: The bucket's layout.
        catalog: The definitions; all its presets are counted.
        first: First month index.
        last: Last month index, included.
        carry: Of the month before `first` (`Count.carry`); then the contacts before `first` are needed only of
            people who have a case that the carry does not know.
        by_unit: Count by facility and source instead of by atom.
    """
    if by_unit:
        cells, states = count_packed(
            as_units(bucket), catalog, first_month=first, last_month=last, carry=carry, by="facility"
        )
        return Count(add([split_units(cells)]), states)
    cells, states = count_packed(bucket, catalog, first_month=first, last_month=last, carry=carry)
    return Count(in_order([cells]), states)


def nameless(bucket: Bucket) -> Bucket:
    """The bucket with the running numbers of its people in the place of their ids: counting needs no more."""
    people = bucket.people.with_columns(person_id=pl.col("person").cast(pl.String))
    return replace(bucket, people=people)


def question_of(first: int, last: int) -> Question:
    """What a release asks of every bucket: all measures, those of variants of its presets, some by facility.

    The first two also over whole periods, where a preset asks for it; facilities are counted month by month only.
    """
    asked, published = definitions()
    return Question(asked, first, last, frozenset({UNITS}), published)


@cache
def definitions() -> tuple[dict[str, Catalog], dict[str, Catalog]]:
    """By name of the answer, the definitions it is counted by and those it is published by, whatever the months.

    The same objects for every question: what is worked out of a catalog is worked out once in a process.
    """
    catalog = load_catalog()
    variants = variant_catalog(catalog, load_variants())
    published = {MEASURES: catalog, SENSITIVITY: variants, UNITS: unit_catalog(catalog)}
    asked = published | {name: with_whole_periods(published[name]) for name in (MEASURES, SENSITIVITY)}
    return asked, published


def answer(bucket: Bucket, question: Question) -> dict[str, Count]:
    """Count a bucket under every catalog of a question."""
    return {
        name: count(bucket, catalog, question.first, question.last, by_unit=name in question.by_unit)
        for name, catalog in question.catalogs.items()
    }


class Runner(Protocol):
    """Where buckets are counted from the beginning."""

    def run(
        self, buckets: Buckets, numbers: Sequence[int], question: Question
    ) -> Iterator[tuple[int, dict[str, Count]]]:
        """Count some buckets; gives each one's number and counts, in any order."""
        ...


def count_buckets(
    snapshot: Snapshot,
    question: Question,
    counted: CountCache,
    runner: Runner | None = None,
    progress: Progress | None = None,
) -> list[int]:
    """Count all buckets of a state of the store into the cache; what is there already is not counted again.

    Args:
        snapshot: The state, laid out.
        question: What to count.
        counted: Where counts are kept.
        runner: Counts buckets elsewhere; None counts them here.
        progress: Called with (buckets done, buckets in all).

    Returns:
        The numbers of the buckets, sorted.

    Raises:
        StoreError: No person has a known place, or the persons are not laid out.
    """
    from ncdsurv.registry.increment import Digests, grown

    buckets = Buckets(snapshot)
    numbers = buckets.numbers
    if not numbers:
        raise StoreError("no person has a known place", do="check commune and station codes of the exports")
    missing = [number for number in numbers if not counted.has(number)]
    known = [number for number in missing if runner is None or counted.has_past(number)]
    done = len(numbers) - len(missing)

    def tell() -> None:
        if progress:
            progress(done, len(numbers))

    def here(number: int) -> None:
        bucket = buckets.read(number)
        past = counted.past(number, question)
        digests = Digests(bucket)
        found = grown(past, bucket, question, digests) if past else answer(bucket, question)
        counted.keep(number, digests, found, question)

    tell()
    for _ in in_threads(here, known):
        done += 1
        tell()
    left = [number for number in missing if number not in set(known)]
    if runner is not None and left:
        for number, found in runner.run(buckets, left, question):
            counted.keep(number, Digests(buckets.read(number)), found, question)
            done += 1
            tell()
    return numbers


def in_threads(work: Callable[[int], Done], numbers: Sequence[int]) -> Generator[Done]:
    """Do the work in a few threads, results in order; a single piece is done in this one.

    Once it is closed nothing is under way any more.
    """
    if len(numbers) <= 1:
        yield from map(work, numbers)
        return
    pool = ThreadPoolExecutor(THREADS)
    try:
        yield from pool.map(work, numbers)
    finally:
        pool.shutdown(cancel_futures=True)
