"""Hands a bucket to the compiled kernel as arrays, and turns what comes back into frames."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from ncdsurv.catalog.models import AgeBand
from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR, Quantity, month_index, month_start
from ncdsurv.spells.carry import STATE, as_state, once, pack, zeros_of
from ncdsurv.spells.history import none_yet
from ncdsurv.spells.layout import NEVER, SEXES, Bucket
from ncdsurv.spells.passes import Pass
from ncdsurv.spells.places import Places
from ncdsurv.spells.rules import Rules

_EPOCH = date(1970, 1, 1)


def count_compiled(
    bucket: Bucket,
    work: Pass,
    places: Places,
    n_diseases: int,
    bands: Sequence[AgeBand],
    first_month: int,
    last_month: int,
    carried: pl.DataFrame | None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Count a bucket with the kernel.

    Returns:
        What `reference.count_reference` returns, the counts sorted by disease, place, sex, band and month, the
        states as `carry.pack` has them.
    """
    from ncdsurv.spells.kernel import count_changes
    from ncdsurv.spells.rows import open_rows, running_rows

    people, cases = bucket.people, bucket.cases
    contacts, stays = bucket.contacts, places.stays
    judged = contacts.select_seq(work.judged)
    begun = np.minimum.reduce(_columns(cases, "at_risk_month", "suspected_month", "detected_month"))
    # A carried day before the calendar counts as its first: every window has run out since, either way.
    months, first_day = _calendar(first_month - 1 - work.reach, last_month)
    bands_from = _frozen(np.array([band.lower * MONTHS_PER_YEAR for band in bands], dtype=np.int64))
    birth, death, sex = _columns(people, "birth_month", "death_month", "sex")
    disease, detected, enrolled, suspected, withdrawn = _columns(
        cases, "disease", "detected_month", "enrolled_month", "suspected_month", "withdrawn_month"
    )
    own = _starts(cases["person"], people.height)
    lived = (_starts(stays["person"], people.height), *_columns(stays, "from_month", "place"))
    begins = _frozen(begun)
    span, sizes = (first_month, last_month), (max(len(places.labels), 1), len(SEXES))
    opening: Any = open_rows
    cells, *passed = opening(
        birth, death, sex, own, disease, begins, *lived, bands_from, *span, *sizes, n_diseases
    )
    states = np.empty((cases.height, len(work.carried)), dtype=np.int16)
    counts = np.zeros((len(cells), last_month - first_month + 1, len(work.filled)), dtype=np.int32)
    kernel: Any = count_changes
    kernel(
        *(death, own, disease, detected, enrolled, begins, suspected, withdrawn),
        *(_frozen(array) for array in passed),
        _starts(contacts["person"], people.height),
        *_columns(contacts, "day", "month", "kind", "diseases", "status", "reported_target", "dispensed"),
        _frozen(contacts["due_day"].fill_null(-NEVER).to_numpy()),
        _verdicts(judged),
        *_tables(work),
        *(months, first_day),
        *_carried(cases, work, carried),
        *(states, counts, *span),
        "overdue" in work.needed or "overdue_at_start" in work.needed,
        "companion_at_target" in work.needed,
    )
    row, month, block = running_rows(counts, len(work.filled) - len(work.quantities))
    rest, band = np.divmod(cells, len(bands_from) + 1)
    rest, sexes = np.divmod(rest, sizes[1])
    diseases, place = np.divmod(rest, sizes[0])
    cell = {"disease": diseases, "place": place, "sex": sexes, "band": band}
    filled = {name: values.astype(np.int32)[row] for name, values in cell.items()}
    filled |= {"month": month + np.int32(first_month), **dict(zip(work.filled, block, strict=True))}
    counted = pl.DataFrame([pl.Series(name, column) for name, column in filled.items()])
    return counted, pl.DataFrame([cases["person"], cases["disease"], as_state(states)])


def _carried(cases: pl.DataFrame, work: Pass, carried: pl.DataFrame | None) -> list[np.ndarray]:
    """`carried`, `was`, `nothing` and `zeros` of the kernel: what each case begins with."""
    from ncdsurv.spells.rows import carried_rows

    nothing, zeros = _beginning(work)
    if carried is None:
        return [_frozen(np.full(cases.height, -1, np.int32)), nothing, nothing[0], zeros]
    carried = pack(carried, work, 0)
    rows: Any = carried_rows
    found, ordered = rows(*_columns(cases, "person", "disease"), *_columns(carried, "person", "disease"))
    if not ordered:
        carried = once(carried).sort("person", "disease")
        found, _ = rows(*_columns(cases, "person", "disease"), *_columns(carried, "person", "disease"))
    return [_frozen(found), _frozen(carried[STATE].to_numpy()), nothing[0], zeros]


@lru_cache(maxsize=16)
def _beginning(work: Pass) -> tuple[np.ndarray, np.ndarray]:
    """A carry of one case of which nothing is known, and what 0 stands for in its columns."""
    nothing = pl.DataFrame({name: [none_yet(name)] for name in ("person", "disease", *work.carried)})
    return _frozen(pack(nothing, work, 0)[STATE].to_numpy()), _frozen(zeros_of(work))


@lru_cache(maxsize=16)
def _tables(work: Pass) -> list[Any]:
    """The rules of a pass, as the kernel reads them: from `visit_rules` to `reads`."""
    cuts = _frozen(np.array(work.plan.cuts, dtype=np.int64))
    counted = (work.lanes, work.visit_rules, work.reading_rules)
    return [*_shared_rules(work), *_lane_rules(work), cuts, *(tuple(range(len(of))) for of in counted)]


def _verdicts(judged: pl.DataFrame) -> np.ndarray:
    """What each contact says, a row for each target; never without a row.

    A frame's columns lie one behind the other: by target they are rows, whatever their number, and the kernel is
    compiled for one order only.
    """
    said = judged.to_numpy().T if judged.width else np.zeros((1, judged.height), np.uint8)
    return _frozen(np.ascontiguousarray(said))


@lru_cache(maxsize=16)
def _calendar(first_month: int, last_month: int) -> tuple[np.ndarray, int]:
    """The month index of every day of some months, and the first of the days (from the epoch)."""
    first_day = (month_start(first_month) - _EPOCH).days
    days = np.arange(first_day, (month_start(last_month + 1) - _EPOCH).days).astype("datetime64[D]")
    return _frozen(days.astype("datetime64[M]").astype(np.int32) + np.int32(month_index(_EPOCH))), first_day


def _shared_rules(work: Pass) -> list[np.ndarray]:
    """What presets share, see `visit_rules`, `read_lane`, `judged_by`, `other_by`, `reported` of the kernel."""
    visits = [[sum(1 << kind for kind in rule.kinds), rule.interval_days] for rule in work.visit_rules]
    lanes = [work.visit_of[work.rules.index(rule)] for rule in work.reading_rules]
    tables = (
        visits,
        lanes,
        [rule.judged for rule in work.reading_rules],
        [rule.companion for rule in work.reading_rules],
        [rule.reported for rule in work.reading_rules],
    )
    return [_frozen(np.array(table, dtype=np.int64)) for table in tables]


def _lane_rules(work: Pass) -> list[np.ndarray]:
    """Rules, masks and first column of each lane, and the flows: `rules`, `masks`, `base`, `quantities`."""
    sizes = [len(lane.columns) for lane in work.lanes]
    from ncdsurv.spells.kernel import GAP_DAYS, N_DAYS, N_GAPS, N_IN

    field = {
        Quantity.VISIT_DAYS: N_DAYS,
        Quantity.INTERVALS: N_GAPS,
        Quantity.INTERVAL_DAYS: GAP_DAYS,
        Quantity.TRANSFERS_IN: N_IN,
    }
    flows = [
        (sum(sizes) + number, visit, field[quantity])
        for number, (_, quantity, visit) in enumerate(work.quantities)
    ]
    tables = (
        np.array([_row(work, lane.preset) for lane in work.lanes], dtype=np.int64),
        np.array([lane.mask for lane in work.lanes], dtype=np.int64),
        np.cumsum([0, *sizes[:-1]]),
        np.array(flows, dtype=np.int64) if flows else np.empty((0, 1 + 1 + 1), np.int64),
    )
    return [_frozen(table) for table in tables]


def _row(work: Pass, preset: int) -> list[int]:
    """A preset's row of the kernel's `rules`, in the order of its constants."""
    rule: Rules = work.rules[preset]
    return [
        rule.outcome_window,
        rule.enrolment_buffer,
        rule.lost_after,
        rule.lost_after if rule.lost_grace else 0,
        rule.treated_window,
        int(rule.last_visit_only),
        rule.grace_days,
        work.visit_of[preset],
        work.reading_of[preset],
    ]


def _frozen(array: np.ndarray) -> np.ndarray:
    """A contiguous, read-only view: numba compiles once for it, whether or not polars had to copy."""
    fixed = (array if array.flags.f_contiguous else np.ascontiguousarray(array)).view()
    fixed.flags.writeable = False
    return fixed


def _columns(frame: pl.DataFrame, *names: str) -> list[np.ndarray]:
    return [_frozen(frame[name].to_numpy()) for name in names]


def _starts(person: pl.Series, people: int) -> np.ndarray:
    """Where each person's rows begin in a table ordered by person; one longer than people."""
    from ncdsurv.spells.rows import starts

    count: Any = starts
    return _frozen(count(_frozen(person.to_numpy()), people))
