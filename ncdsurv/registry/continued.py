"""Telling on: the tally of an earlier build, corrected and continued to the records of now.

A tally adds up over records and months. Of a record whose past is as it was only the later months are asked. Records
whose past changed (late entries, corrections, other diagnoses, another person) have what they told taken out and are
asked anew, whole. Which ones those are follows from the files that came since and from a digest of what is known of
each record beside its visits. The result is that of asking everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.catalog.vocabulary import month_start
from ncdsurv.registry.appended import APPENDED, last_received, only_files_came, state_of
from ncdsurv.registry.linking import current_diagnoses
from ncdsurv.registry.tallied import Keeper, Kept, Tallied
from ncdsurv.registry.tally import (
    KEPT,
    Facts,
    Tally,
    Telling,
    add_up,
    days_of,
    digests_of,
    flags_of,
    ill_of,
    last_readings,
    less,
    until,
)
from ncdsurv.registry.visits import VISIT, part_rows, visits_by_record, visits_of

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.store.lake import Snapshot

MOST_ANEW = 0.25
"""Where more of the records changed, asking everybody is quicker."""


@dataclass(frozen=True)
class Told:
    """What the records of a state tell: the tally, and [record_id, facility] of the visits, each once."""

    tally: Tally
    visitors: pl.DataFrame


@dataclass(frozen=True)
class _View:
    """Some rows of the tables of records, in the place of a snapshot.

    Attributes:
        state: The snapshot.
        rows: Which rows; None is all.
        only: [record_id]: of these records only.
        but: [record_id]: not of these records.
    """

    state: Any
    rows: pl.Expr | None = None
    only: pl.DataFrame | None = None
    but: pl.DataFrame | None = None

    def scan(self, table: str) -> pl.LazyFrame:
        found: pl.LazyFrame = self.state.scan(table)
        if table not in APPENDED:
            return found
        if self.rows is not None:
            found = found.filter(self.rows)
        if table != "visits":
            return self.mine(found)
        if self.only is not None:
            found = visits_of(found, self.only)
        return found

    def mine(self, found: Any) -> Any:
        """The rows of the records that the view is of."""
        if self.only is not None:
            found = found.join(_like(self.only, found), on="record_id", how="semi")
        if self.but is not None:
            found = found.join(_like(self.but, found), on="record_id", how="anti")
        return found

    def read(self, table: str) -> pl.DataFrame:
        return self.scan(table).collect()


def _like(records: pl.DataFrame, rows: Any) -> Any:
    return records.lazy() if isinstance(rows, pl.LazyFrame) else records


def tell(snapshot: Snapshot, catalog: Catalog, last_month: int, cache: Tallied, folder: Path) -> Told:
    """What the records of a state tell, from the tally of the last build where it serves.

    Args:
        snapshot: The state, linked.
        catalog: Diseases, measurements, targets.
        last_month: Month index up to which the tally is kept for the next build.
        cache: Where it is kept.
        folder: Where parts of the visits may lie meanwhile.
    """
    facts = _facts(snapshot, ill_of(snapshot))
    digests = digests_of(facts)
    received = last_received(snapshot)
    kept = cache.read()
    serves = kept is not None and only_files_came(snapshot, kept.received, kept.state)
    anew = _changed(snapshot, kept, digests) if kept is not None and serves else None
    if anew is not None and anew.height > MOST_ANEW * facts.patients["record_id"].n_unique():
        anew = None
    month = last_month if kept is None or anew is None else max(last_month, kept.month)
    rows = part_rows(snapshot)
    with cache.keeping(month, received, state_of(snapshot, received)) as keeper:
        work = _Work(snapshot, catalog, month, folder, rows, facts, keeper)
        told = work.everybody() if kept is None or anew is None else work.on_from(kept, anew)
        keeper.finish(until(told.tally, month), told.visitors, digests)
    return told


def _facts(view: Any, ill: pl.DataFrame) -> Facts:
    return Facts(view.read("patients"), current_diagnoses(view), flags_of(view), ill, days_of(view))


def _changed(snapshot: Any, kept: Kept, digests: pl.DataFrame) -> pl.DataFrame:
    """[record_id] of the records that must be asked anew: their past is not what it was."""
    both = digests.join(kept.digests, on="record_id", how="full", coalesce=True, suffix="_then")
    changed = both.filter(~pl.col("digest").eq_missing(pl.col("digest_then")))["record_id"]
    visits = snapshot.scan("visits")
    new = pl.col("received") > kept.received
    later = pl.col("visited_on") >= month_start(kept.month + 1)
    late = visits.filter(new & ~later).select("record_id").collect()["record_id"]
    fresh = visits.filter(new | later).select(visit=VISIT, new=new).collect()
    corrected = fresh.group_by("visit").agg(pl.col("new").any() & ~pl.col("new").all()).filter("new")
    settled = visits.filter(~(new | later)).select("record_id", visit=VISIT)
    again = settled.join(fresh.lazy(), on="visit", how="semi").collect()
    twice = pl.concat([corrected["visit"], again["visit"]]).unique().to_frame("visit")
    theirs = again["record_id"].clear()
    if twice.height:
        named = visits.filter(new | later).select("record_id", visit=VISIT)
        theirs = named.join(twice.lazy(), on="visit", how="semi").collect()["record_id"]
    return pl.concat([changed, late, again["record_id"], theirs]).unique().sort().to_frame("record_id")


@dataclass(frozen=True)
class _Work:
    """One telling: of `snapshot`, keeping the readings up to `month`."""

    snapshot: Any
    catalog: Catalog
    month: int
    folder: Path
    rows: int
    facts: Facts
    keeper: Keeper

    def everybody(self) -> Told:
        return self._asked(_View(self.snapshot), self.facts)

    def on_from(self, kept: Kept, anew: pl.DataFrame) -> Told:
        """The tally from the one kept, with the records `anew` asked anew and later months of all others."""
        new, later = pl.col("received") > kept.received, pl.col("visited_on") >= month_start(kept.month + 1)
        parts, seen = [kept.tally], [kept.visitors.join(anew, on="record_id", how="anti")]
        asked: list[pl.DataFrame] = [anew]
        if anew.height:
            before, now = _View(self.snapshot, ~new, only=anew), _View(self.snapshot, only=anew)
            ill = kept.digests.select("record_id", "diseases").drop_nulls()
            taken = self._asked(before, _facts(before, ill), keep=False)
            told = self._asked(now, _facts(now, self.facts.ill))
            parts = [less(kept.tally, until(taken.tally, kept.month)), told.tally]
            seen.append(told.visitors)
        fresh = _View(self.snapshot, new | later, but=anew)
        others = {name: fresh.mine(getattr(self.facts, name)) for name in ("patients", "diagnoses")}
        telling = Telling(replace(self.facts, **others), self.catalog, kept.received, kept.month)
        back = kept.last_readings()
        found = self._told(fresh, telling, back, asked)
        if back is not None:
            self.keeper.readings(back.join(pl.concat(asked).lazy(), on="record_id", how="anti"))
        return Told(add_up([*parts, found.tally]), pl.concat([*seen, found.visitors]).unique())

    def _asked(self, view: _View, facts: Facts, *, keep: bool = True) -> Told:
        """What the records of a view tell, of all months and files in it."""
        return self._told(view, Telling(facts, self.catalog), keep=keep)

    def _told(
        self,
        view: _View,
        telling: Telling,
        before: pl.LazyFrame | None = None,
        asked: list[pl.DataFrame] | None = None,
        *,
        keep: bool = True,
    ) -> Told:
        """What the records of a view tell, part by part; their last readings are kept on the way.

        Args:
            view: Which visits of which records.
            telling: What is known of the records, and what is asked.
            before: Visits to look back to.
            asked: Gets [record_id] of the records with a visit.
            keep: Whether the last readings are kept.
        """
        tallies: list[Tally] = []
        seen: list[pl.DataFrame] = []
        heard: list[pl.DataFrame] = []
        with visits_by_record(view, self.folder, self.rows) as parts:  # type: ignore[arg-type]
            for part in parts:
                visits = view.mine(part)
                records = visits.select("record_id").unique()
                back = visits.clear()
                if before is not None:
                    back = before.join(records.lazy(), on="record_id", how="semi").collect()
                    back = back.select(visits.columns)
                if asked is not None:
                    asked.append(records)
                if keep:
                    last = last_readings(pl.concat([visits, back]), self.month, self.catalog)
                    self.keeper.readings(last)
                tallies.append(telling.part(visits, back))
                seen.append(visits.select("record_id", "facility").unique())
                heard.append(telling.new(visits).select("record_id").unique())
        tallies[-1][KEPT] = pl.concat([tallies[-1][KEPT], telling.silent(pl.concat(heard))])
        return Told(add_up(tallies), pl.concat(seen).unique())
