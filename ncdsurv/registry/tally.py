"""What the records tell beside the engine's counts, of quality and of stations: sums that add up over records.

A tally is a frame for each metric of quality (`quality.gather_records`), one of rows kept (`quality.counts`) and
one of the stations' activity. Each line is a cell and how often it was met, so that what some records told can be
taken out again and what they tell now put in: the result is that of asking all of them anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.catalog.vocabulary import TIME_ZONE, month_label
from ncdsurv.quality.counts import kept_rows, readings_of
from ncdsurv.quality.definitions import load_metrics
from ncdsurv.quality.kinds import ADDS_UP, LOOKS_BACK
from ncdsurv.quality.table import ROWS, gather_records, records_of, sources_of
from ncdsurv.spells.cases import month_expr

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

KEPT, ACTIVITY = "kept", "activity"
"""Frames of a tally beside the metrics: input rows kept, by file, and contacts of people with a disease."""
_COUNTS = (*ADDS_UP, "kept", "rows")
_ALIVE = ("denominator", "n", "rows")
"""A cell that nothing is counted in any more is none."""
_BETWEEN = "\x1f"
Tally = dict[str, pl.DataFrame]


def add_up(tallies: Iterable[Tally]) -> Tally:
    """Tallies of different records, or of different months, as one; at least one."""
    every = list(tallies)
    return {name: _sum([tally[name] for tally in every]) for name in every[0]}


def _sum(frames: list[pl.DataFrame]) -> pl.DataFrame:
    together = pl.concat(frames)
    counts = [name for name in together.columns if name in _COUNTS]
    summed = together.group_by(pl.exclude(counts)).agg(pl.col(counts).sum())
    return summed.filter(pl.any_horizontal(pl.col("^(" + "|".join(_ALIVE) + ")$") != 0)).select(
        together.columns
    )


def less(tally: Tally, taken: Tally) -> Tally:
    """A tally without what some of its records told."""
    away = {
        name: frame.with_columns(-pl.col(column) for column in frame.columns if column in _COUNTS)
        for name, frame in taken.items()
    }
    return add_up([tally, away])


def until(tally: Tally, month: int) -> Tally:
    """The cells of the months up to one, and all that stand under no month."""
    return {name: _where(frame, month, later=False) for name, frame in tally.items()}


def after(tally: Tally, month: int) -> Tally:
    """The cells of the months after one, and all that stand under no month."""
    return {name: _where(frame, month, later=True) for name, frame in tally.items()}


def _where(frame: pl.DataFrame, month: int, *, later: bool) -> pl.DataFrame:
    if "month" not in frame.columns:
        return frame
    limit = pl.lit(month_label(month) if frame.schema["month"] == pl.String else month)
    return frame.filter(pl.col("month") > limit if later else pl.col("month") <= limit)


@dataclass(frozen=True)
class Facts:
    """What a state of the store says of records beside their visits.

    Attributes:
        patients: The table `patients`.
        diagnoses: Diagnoses, each said once (`linking.current_diagnoses`).
        flags: [record_id, has_citizen_id, has_insurance_number].
        ill: [record_id, diseases]: those of the record's person, sorted, as one text; of records with any.
        days: [first_received, received_on]: the day on which each file was received.
    """

    patients: pl.DataFrame
    diagnoses: pl.DataFrame
    flags: pl.DataFrame
    ill: pl.DataFrame
    days: pl.DataFrame


def flags_of(snapshot: Any) -> pl.DataFrame:
    """Marks from the vault: whether a record has a number, never the number."""
    names = ("citizen_id", "insurance_number")
    known = (pl.col(name).is_not_null().any().alias(f"has_{name}") for name in names)
    return snapshot.scan("identifiers").group_by("record_id").agg(known).collect().sort("record_id")


def days_of(snapshot: Any) -> pl.DataFrame:
    """The day on which each file was received, in Vietnamese time."""
    day = pl.col("received_at").dt.convert_time_zone(TIME_ZONE).dt.date()
    return snapshot.scan("ingest_log").select(first_received="received", received_on=day).collect()


def ill_of(snapshot: Any) -> pl.DataFrame:
    """[record_id, diseases] of the records of every person with a disease."""
    persons = snapshot.read("crosswalk").select("record_id", "person_id")
    has = snapshot.scan("diagnoses").select("record_id", "disease").unique().collect()
    people = (
        has.join(persons, on="record_id")
        .select("person_id", "disease")
        .unique()
        .group_by("person_id")
        .agg(pl.col("disease").sort())
        .select("person_id", diseases=pl.col("disease").list.join(_BETWEEN))
    )
    return persons.join(people, on="person_id").select("record_id", "diseases")


def digests_of(facts: Facts) -> pl.DataFrame:
    """[record_id, digest, diseases]: a digest of all that a record's own contribution hangs on, visits apart."""
    place = ["record_id", "disease", *ROWS]
    tables = (
        sources_of(facts.patients),
        facts.flags,
        facts.diagnoses.select(list(dict.fromkeys(place))),
        facts.ill,
    )
    each = pl.concat(
        frame.select("record_id", digest=frame.drop("record_id").hash_rows(seed))
        for seed, frame in enumerate(tables)
    )
    summed = each.group_by("record_id").agg(pl.col("digest").sum())
    return summed.join(facts.ill.unique("record_id", keep="any"), on="record_id", how="left")


@dataclass(frozen=True)
class Telling:
    """One walk over the visits of some records.

    Attributes:
        facts: Of these records at least.
        catalog: Diseases, measurements, targets.
        since: Only rows of files received after this one count as rows kept; 0 is all.
        months_after: Only months after this one are told; None is all.
    """

    facts: Facts
    catalog: Catalog
    since: int = 0
    months_after: int | None = None

    def part(self, visits: pl.DataFrame, before: pl.DataFrame) -> Tally:
        """What a part of the records tells, no record in two parts.

        Args:
            visits: Their visits, each as last reported, with `received` and `first_received`.
            before: Earlier visits of theirs, to look back to; the same columns.
        """
        facts = self.facts
        dated = pl.concat([visits, before]).join(facts.days, on="first_received", how="left")
        source = sources_of(facts.patients)
        tally = gather_records(dated, source, facts.diagnoses, facts.flags, self.catalog)
        tally[ACTIVITY] = self._activity(visits)
        if self.months_after is not None:
            tally = after(tally, self.months_after)
        new = self.new(visits).select(ROWS)
        theirs = self._others.join(new.select("record_id").unique(), on="record_id", how="semi")
        tally[KEPT] = kept_rows(pl.concat([new, theirs]), source)
        return tally

    def new(self, visits: pl.DataFrame) -> pl.DataFrame:
        """The visits that were last reported by a file received after `since`."""
        return visits.filter(pl.col("received") > self.since)

    def silent(self, seen: pl.DataFrame) -> pl.DataFrame:
        """Rows kept of the records that no part told of, for `KEPT`.

        Args:
            seen: [record_id] of those that had a row received after `since`.
        """
        left = self._others.join(seen.select("record_id").unique(), on="record_id", how="anti")
        return kept_rows(left, sources_of(self.facts.patients))

    @cached_property
    def _others(self) -> pl.DataFrame:
        tables = (self.facts.patients, self.facts.diagnoses)
        return pl.concat(table.filter(pl.col("received") > self.since).select(ROWS) for table in tables)

    def _activity(self, visits: pl.DataFrame) -> pl.DataFrame:
        """[facility, month, kind, disease, n]: records with a contact of that kind, of people with the disease."""
        month = month_expr(pl.col("visited_on")).cast(pl.Int32)
        contacts = visits.drop_nulls("facility").select("record_id", "facility", "kind", month=month).unique()
        by_record = contacts.join(self.facts.ill, on="record_id")
        counted = by_record.group_by("facility", "month", "kind", "diseases").agg(n=pl.len().cast(pl.Int64))
        each = counted.with_columns(disease=pl.col("diseases").str.split(_BETWEEN)).explode("disease")
        return each.group_by("facility", "month", "kind", "disease").agg(pl.col("n").sum())


def last_readings(visits: pl.DataFrame, month: int, catalog: Catalog) -> pl.DataFrame:
    """The visits up to a month that a later reading of the same record is compared with.

    Args:
        visits: Visits of some records, all that may hold their last readings.
        month: Month index; later visits are left out.
        catalog: Diseases, measurements, targets.

    Returns:
        For every metric that looks back, each record's readings of the last day that has one; each visit once.
    """
    earlier = visits.filter(month_expr(pl.col("visited_on")) <= month)
    records = records_of(earlier, catalog)
    looked = {metric.columns for metric in load_metrics().values() if metric.kind in LOOKS_BACK}
    last = pl.col("visited_on") == pl.col("visited_on").max().over("record_id")
    found = [readings_of(records, columns).filter(last).select(earlier.columns) for columns in sorted(looked)]
    return pl.concat(found or [earlier.clear()]).unique("visit_id", keep="any")
