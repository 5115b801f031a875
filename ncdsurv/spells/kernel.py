"""The compiled form of the engine: one pass over people, cases and contacts, adding +1/-1 as states change.

Equal to the polars form in `changes`, which is the reference; a test compares them by a hash of all counts.
Counts are rows of (month, measure) for the cells met so far; a row is opened when a cell is first met, so
memory follows the cells in use, not the product of all strata.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit

from ncdsurv.catalog.vocabulary import Outcome, PatientStatus
from ncdsurv.spells.layout import NEVER, STATUSES
from ncdsurv.spells.rules import AT_TARGET, OFF_TARGET, UNREAD
from ncdsurv.spells.states import STANDING

NOT_ENROLLED, GONE = STANDING["not_enrolled"], STANDING["died_before_enrolment"]
NEWLY, LOST = STANDING["newly_enrolled"], STANDING["lost_to_follow_up"]
OUT, DEAD = STANDING["transferred_out"], STANDING["dead"]
MISSED, UNMEASURED = STANDING[Outcome.MISSED_VISIT], STANDING[Outcome.VISITED_UNMEASURED]
CONTROLLED, UNCONTROLLED = STANDING[Outcome.CONTROLLED], STANDING[Outcome.UNCONTROLLED]
STATUS_OUT = STATUSES.index(PatientStatus.TRANSFERRED_OUT) + 1
FIRST_ROWS = 4096
# Columns of `rules` (one row per preset).
WINDOW, BUFFER, LOST_AFTER, TREATED, LAST_VISIT, KIND_BITS = range(6)


def _compile(function: Callable) -> Callable:
    """Compile a function and keep the result on disk, where numba finds a folder it may write to."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # read-only installation and no home: compiled anew in each process
        return njit(nogil=True)(function)


@njit(inline="always")
def _sooner(best, candidate, month):
    """The earlier of two months, where the candidate lies after `month`."""
    return candidate if month < candidate < best else best


@_compile
def count_changes(
    birth, death, sex,  # people
    case_start, disease, detected, enrolled,  # cases, and where each person's begin
    segment_start, segment_month, segment_place,  # residences
    contact_start, day, month, kind, speaks_of, status, target, dispensed, judged,  # contacts
    rules, judged_column, masks, cuts, band_months,  # definitions
    first, last, n_places, n_sexes, n_diseases, n_measures,
):  # fmt: skip
    """Walk every case under every preset and add up its changes.

    Args:
        birth, death, sex: Per person; months, NEVER where unknown.
        case_start, segment_start, contact_start: Offsets per person, one longer than people.
        speaks_of: Bits of the diseases a contact speaks of.
        judged: UInt8 (contacts, targets): what each contact says against each distinct target.
        rules: Int64 (presets, 6): window, buffer, lost after, treated window, last visit only, kind bits.
        judged_column: Int64 (presets, diseases): column of `judged`, or -1 for the source's own verdict.
        masks: Int64 (presets, states): measures that count a state.
        cuts: Stage cuts in months since enrolment.
        band_months: Lower ages of the bands in months.

    Returns:
        (cells, counts): Int64 cell number of each row in order of opening, and the changes, Int32
        (rows, months, measures). The cell number is
        (((preset x diseases + disease) x places + place) x sexes + sex) x (bands + 1) + band; the last band
        is that of an unknown birth month.
    """
    n_bands, width = band_months.size, last - first + 1
    slots = np.full(rules.shape[0] * n_diseases * n_places * n_sexes * (n_bands + 1), -1, np.int32)
    counts = np.zeros((FIRST_ROWS, width, n_measures), np.int32)
    cells = np.empty(FIRST_ROWS, np.int64)
    used = 0
    for p in range(birth.size):
        c0, c1 = contact_start[p], contact_start[p + 1]
        for k in range(case_start[p], case_start[p + 1]):
            start = max(first, detected[k])
            if start > last:
                continue
            bit = np.int64(1) << disease[k]
            for q in range(rules.shape[0]):
                window, buffer, lost_after = rules[q, WINDOW], rules[q, BUFFER], rules[q, LOST_AFTER]
                column = judged_column[q, disease[k]]
                by_day = rules[q, LAST_VISIT] == 1 or column < 0
                i = c0
                s = segment_start[p]
                visit_day, visit_month, read_month, drug_month = -1, -NEVER, -NEVER, -NEVER
                read_verdict, day_verdict, day_status = UNREAD, UNREAD, 0
                held_mask, held_row = np.int64(0), np.int64(-1)
                t = start
                while t <= last:
                    while i < c1 and month[i] <= t:
                        if (rules[q, KIND_BITS] >> kind[i]) & 1:
                            if day[i] != visit_day:
                                visit_day, day_verdict, day_status = day[i], UNREAD, 0
                            visit_month = month[i]
                            speaks = speaks_of[i] & bit != 0
                            verdict = UNREAD
                            if column >= 0:
                                verdict = judged[i, column]
                            elif speaks and target[i] == 1:
                                verdict = AT_TARGET
                            elif speaks and target[i] == 0:
                                verdict = OFF_TARGET
                            if verdict != UNREAD:
                                read_verdict, day_verdict, read_month = verdict, verdict, month[i]
                            if speaks and status[i] > 0:
                                day_status = status[i]
                            if speaks and dispensed[i] > 0:
                                drug_month = month[i]
                        i += 1
                    enrolled_for = t - enrolled[k]
                    if death[p] <= t:
                        standing = DEAD if enrolled_for >= 0 else GONE
                    elif enrolled_for < 0:
                        standing = NOT_ENROLLED
                    elif day_status == STATUS_OUT:
                        standing = OUT
                    elif enrolled_for >= lost_after and t - visit_month >= lost_after:
                        standing = LOST
                    elif enrolled_for < buffer:
                        standing = NEWLY
                    elif t - visit_month >= window:
                        standing = MISSED
                    else:
                        verdict = day_verdict
                        if not by_day:
                            verdict = read_verdict if t - read_month < window else UNREAD
                        if verdict == AT_TARGET:
                            standing = CONTROLLED
                        elif verdict == OFF_TARGET:
                            standing = UNCONTROLLED
                        else:
                            standing = UNMEASURED
                    code = standing
                    code = code + code + (t - drug_month < rules[q, TREATED])
                    code = code + code + (t == visit_month)
                    code = code + code + (t == drug_month)
                    code = code + code + (t == detected[k])
                    stage = 0
                    while stage + 1 < cuts.size and enrolled_for >= cuts[stage + 1]:
                        stage += 1
                    mask = masks[q, code * cuts.size + stage]
                    # The cell: where the person lives and how old, both as at death afterwards.
                    lived = min(t, death[p])
                    while s + 1 < segment_start[p + 1] and segment_month[s + 1] <= lived:
                        s += 1
                    band = 0
                    while band < n_bands and lived - birth[p] >= band_months[band]:
                        band += 1
                    cell = ((q * n_diseases + disease[k]) * n_places + segment_place[s]) * n_sexes + sex[p]
                    cell = cell * (n_bands + 1) + (band - 1 if band > 0 else n_bands)
                    row = held_row
                    if mask != 0:
                        row = np.int64(slots[cell])
                        if row < 0:
                            if used == counts.shape[0]:
                                wider = np.zeros((used + used, width, n_measures), np.int32)
                                wider[:used] = counts
                                counts = wider
                                longer = np.empty(used + used, np.int64)
                                longer[:used] = cells
                                cells = longer
                            row = np.int64(used)
                            slots[cell] = row
                            cells[used] = cell
                            used += 1
                    if row != held_row:
                        _change(counts, held_row, t - first, held_mask, -1)
                        _change(counts, row, t - first, mask, 1)
                    elif mask != held_mask:
                        _change(counts, row, t - first, held_mask & ~mask, -1)
                        _change(counts, row, t - first, mask & ~held_mask, 1)
                    held_mask, held_row = mask, row
                    # The next month in which anything can change.
                    after = last + 1
                    if i < c1:
                        after = _sooner(after, month[i], t)
                    if (t == visit_month) | (t == drug_month) | (t == detected[k]):
                        after = _sooner(after, t + 1, t)
                    after = _sooner(after, visit_month + window, t)
                    after = _sooner(after, read_month + window, t)
                    after = _sooner(after, drug_month + rules[q, TREATED], t)
                    after = _sooner(after, max(visit_month, enrolled[k]) + lost_after, t)
                    after = _sooner(after, enrolled[k] + buffer, t)
                    if enrolled_for < 0:
                        after = _sooner(after, enrolled[k], t)
                    elif stage + 1 < cuts.size:
                        after = _sooner(after, enrolled[k] + cuts[stage + 1], t)
                    after = _sooner(after, death[p], t)
                    if s + 1 < segment_start[p + 1]:
                        after = _sooner(after, segment_month[s + 1], t)
                    if band < n_bands:
                        after = _sooner(after, birth[p] + band_months[band], t)
                    t = after
    return cells[:used], counts[:used]


@_compile
def running_rows(counts, order):
    """Running sums over the months, kept where any measure is not 0.

    Args:
        counts: Changes (rows, months, measures); summed in place.
        order: The rows in the order wanted.

    Returns:
        (row, month, block): position in `order` and month from 0 of each kept line, and the counts as
        Int32 (measures, lines), each measure contiguous.
    """
    n_rows, width, n_measures = counts.shape
    kept = 0
    for row in range(n_rows):
        for at in range(width):
            some = 0
            for m in range(n_measures):
                if at > 0:
                    counts[row, at, m] += counts[row, at - 1, m]
                some |= counts[row, at, m]
            kept += some != 0
    rows, months = np.empty(kept, np.int32), np.empty(kept, np.int32)
    block = np.empty((n_measures, kept), np.int32)
    line = 0
    for place in range(n_rows):
        for at in range(width):
            some = 0
            for m in range(n_measures):
                some |= counts[order[place], at, m]
            if some != 0:
                rows[line], months[line] = place, at
                for m in range(n_measures):
                    block[m, line] = counts[order[place], at, m]
                line += 1
    return rows, months, block


@njit(inline="always")
def _change(counts, row, at, mask, step):
    """Add a step to each measure of a mask."""
    m = 0
    while mask:
        if mask & 1:
            counts[row, at, m] += step
        mask >>= 1
        m += 1
