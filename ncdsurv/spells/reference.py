"""A bucket counted by the polars form: the reference in tests, and the fallback where numba is missing."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ncdsurv.catalog.models import AgeBand
from ncdsurv.spells.changes import CELL, bucket_spells, count_spells, month_flows
from ncdsurv.spells.history import last_states, number_cases, visit_days
from ncdsurv.spells.layout import Bucket
from ncdsurv.spells.passes import READING_STATE, VISIT_STATE, Pass


def count_reference(
    bucket: Bucket,
    work: Pass,
    stays: pl.DataFrame,
    bands: Sequence[AgeBand],
    first_month: int,
    last_month: int,
    carried: pl.DataFrame | None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Count a bucket with polars expressions.

    Args:
        bucket: The bucket's layout.
        work: What to count.
        stays: Of `places.Places`.
        bands: Age bands.
        first_month: First month index to count.
        last_month: Last month index to count, included.
        carried: person, disease, month and `Pass.carried`; or None.

    Returns:
        (counts, states): disease, place, sex, band (numbers), month and `Pass.filled`, rows with any count;
        and person, disease and `Pass.carried` after the last month, one row per case.
    """
    cases = number_cases(bucket, first_month)
    contacts = bucket.contacts.with_columns(work.judged)
    if carried is not None:
        carried = cases.select("case", "person", "disease").join(carried, on=["person", "disease"])
    histories, states = [], []
    for number, rules in enumerate(work.reading_rules):
        visit = work.visit_of[work.rules.index(rules)]
        own = {name: f"{name}_{visit}" for name in VISIT_STATE} | {n: f"{n}_{number}" for n in READING_STATE}
        known = (
            None
            if carried is None
            else carried.select("case", "month", **{n: pl.col(c) for n, c in own.items()})
        )
        histories.append(visit_days(contacts, cases, rules, known))
        states.append(last_states(histories[-1], cases, last_month).rename(own))
    parts = []
    for lane in work.lanes:
        days = histories[work.reading_of[lane.preset]]
        rules = work.rules[lane.preset]
        spells = bucket_spells(cases, days, stays, rules, work.plan, bands, first_month, last_month)
        parts.append(count_spells(spells, lane, first_month, last_month))
    for visit in sorted({visit for *_, visit in work.quantities}):
        wanted = [(name, quantity) for name, quantity, of in work.quantities if of == visit]
        days = histories[work.reading_of[work.visit_of.index(visit)]]
        parts.append(month_flows(cases, days, stays, wanted, bands, first_month, last_month))
    together = pl.concat(parts, how="diagonal").group_by(*CELL, "month").agg(pl.col(work.filled).sum())
    kept = together.filter(pl.any_horizontal(pl.col(work.filled) != 0)) if work.filled else together.clear()
    ends = cases.select("person", "disease")
    return kept.cast({name: pl.Int32 for name in work.filled}), ends.with_columns(
        pl.concat(
            [frame.select(pl.exclude("case")) for frame in _each_once(states)], how="horizontal"
        ).select(work.carried)
    )


def _each_once(frames: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """Frames without the columns that an earlier one has: presets of one visit lane say the same of visits."""
    seen: set[str] = set()
    kept = []
    for frame in frames:
        kept.append(frame.select(name for name in frame.columns if name not in seen))
        seen |= set(kept[-1].columns) - {"case"}
    return kept
