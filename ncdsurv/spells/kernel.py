"""The compiled form of the engine: one walk over each case's months for all presets, adding +1/-1 per change.

Equal to the polars form (`history`, `changes`), which is the reference; tests compare them. A case is looked at
in the months of its contacts and in those in which something begins, ends or runs out, so that work grows with
contacts and not with months. What presets share is kept once: a visit lane holds the last visit, drugs and the
day due again, a reading lane the last readings (see `passes`).

Nothing grows inside the walk: an array that may be replaced costs more there than all of the counting.
"""

from __future__ import annotations

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from ncdsurv.catalog.vocabulary import Outcome
from ncdsurv.compiling import compile_once
from ncdsurv.spells.carry import FARTHEST, NO_DAY
from ncdsurv.spells.history import IN, OUT
from ncdsurv.spells.layout import NEVER, NOTICE
from ncdsurv.spells.rules import AT_TARGET, OFF_TARGET, UNREAD
from ncdsurv.spells.states import STANDING

AT_RISK, SUSPECTED, NOT_ENROLLED = (STANDING[n] for n in ("at_risk", "suspected", "not_enrolled"))
GONE, WITHDRAWN = STANDING["died_before_enrolment"], STANDING["withdrawn"]
MOVED_BEFORE = STANDING["moved_before_enrolment"]
NEWLY, LOST = STANDING["newly_enrolled"], STANDING["lost_to_follow_up"]
MOVED_OUT, DEAD = STANDING["transferred_out"], STANDING["dead"]
MISSED, UNMEASURED = STANDING[Outcome.MISSED_VISIT], STANDING[Outcome.VISITED_UNMEASURED]
CONTROLLED = STANDING[Outcome.CONTROLLED]  # the three off target follow, in the order of the verdicts
# All these numbers are compiled in; `compile_once` compiles anew where one of them is another.
# Columns of `rules`, one row per lane of columns.
WINDOW, BUFFER, LOST_AFTER, GRACE, TREATED, BY_DAY, LATE, VISITS, READS = range(9)
# What is known of a case, first four as carried: per visit lane ...
DAY, STATUS, DRUG_DAY, DUE, MONTH, DRUG_MONTH, DAY_DUE, N_DAYS, N_GAPS, GAP_DAYS, N_IN = range(11)
# ... and per reading lane, first those that are carried.
VERDICT, READ_DAY, BEFORE, OTHER, OTHER_DAY = range(5)
KEPT_OF_VISITS, KEPT_OF_READINGS = DUE + 1, OTHER_DAY + 1
READ_MONTH, OTHER_MONTH = KEPT_OF_READINGS, KEPT_OF_READINGS + 1


@compile_once
def _change(counts, row, at, base, held, mask):
    """Take a case out of the columns that it was counted in and put it into those that count it now."""
    differ = held ^ mask
    while differ:
        bit = trailing_zeros(differ)  # type: ignore[call-arg, var-annotated]
        counts[row, at, base + bit] += 1 - 2 * ((held >> bit) & 1)
        differ &= differ - 1


@compile_once
def _next(best, event, month):
    """The earlier of two months to go on to, where the event is still to come."""
    return event if month < event < best else best


@compile_once
def _month(months, first_day, day):
    """Month index of a day: the table's first for a day before it or none, NEVER for one behind its end."""
    at = day - first_day
    return np.int64(months[max(at, 0)]) if at < months.size else np.int64(NEVER)


@compile_once
def _settle(seen, v):
    """The day due again once a visit day is over: what its rows said, unless they said farewell."""
    if seen[v, DAY_DUE] > -NEVER:
        seen[v, DUE] = NEVER if seen[v, STATUS] == OUT else seen[v, DAY_DUE]
        seen[v, DAY_DUE] = -NEVER


@compile_once
def count_changes(
    death, case_start, disease, detected, enrolled, begun, suspected, withdrawn,  # people and cases
    cell_start, cell_from, cell_row,  # cells
    contact_start, day, month, kind, speaks_of, status, target, dispensed, due, judged,  # contacts
    visit_rules, read_lane, judged_by, other_by, reported,  # what presets share
    rules, masks, base, quantities, cuts, lanes, visits, reads, months, first_day,  # what is counted
    carried, was, nothing, zeros, states, counts, first, last, with_due, with_other,
):  # fmt: skip
    """Walk every case once and add up its changes under all presets, into `counts` and `states`.

    Args:
        death: Per person; month, NEVER where unknown.
        case_start, contact_start: Offsets per person, one longer than people.
        begun: The month a case begins in. The other months of cases are those of the layout.
        cell_start, cell_from, cell_row: Of `open_rows`.
        speaks_of: Bits of the diseases a contact speaks of.
        due: Day due again, -NEVER where the contact does not say.
        judged: UInt8 (targets, contacts): what each contact says against each distinct target.
        visit_rules: Int64 (visit lanes, 2): bits of the kinds that count, days until due by default.
        read_lane: Int64 (reading lanes): the visit lane of each.
        judged_by, other_by: Int64 (reading lanes, diseases): row of `judged`, or -1.
        reported: Int64 (reading lanes, diseases): whether the source's own verdict decides where nothing
            was read.
        rules: Int64 (lanes, 9), see the constants; LATE is the grace in days.
        masks: Int64 (lanes, states): columns that count a state, by bit, from `base` of the lane on.
        quantities: Int64 (flows, 3): column, visit lane, and which of N_DAYS ... N_IN.
        cuts: Stages in months since enrolment.
        lanes, visits, reads: A tuple as long as there are lanes of each kind: numba knows its length when it
            compiles, and a walk compiled for one preset takes a seventh less time.
        months, first_day: Month index of each day from a first one on, so early that whatever began before it
            has run out since.
        carried: Per case: the row of `was` that sums up its contacts before the first month; -1 where none does.
        was: Int16 (rows, kept columns): carried states.
        nothing: Int16 (kept columns): the state of a case of which nothing is known.
        zeros: What 0 stands for in each kept column.
        states: Int16 (cases, kept columns): out, the state after the last month.
        counts: Int32 (rows, months, columns), zeros: the changes of states and the flows of each month are
            added here.
        with_due, with_other: Whether overdue and companion readings are counted at all.
    """
    n_lanes, n_visits, n_reads, n_cuts = len(lanes), len(visits), len(reads), cuts.size
    seen, read = np.empty((n_visits, N_IN + 1), np.int64), np.empty((n_reads, OTHER_MONTH + 1), np.int64)
    held, overdue_from = np.empty(n_lanes, np.int64), np.empty(n_lanes, np.int64)
    was_overdue = np.empty(n_lanes, np.int64)
    for p in range(death.size):
        for k in range(case_start[p], case_start[p + 1]):
            i, end = contact_start[p], contact_start[p + 1]
            d, bit = disease[k], np.int64(1) << disease[k]
            known = was[carried[k]] if carried[k] >= 0 else nothing
            at = 0
            for v in range(n_visits):
                for f in range(KEPT_OF_VISITS):
                    seen[v, f] = known[at + f] + zeros[at + f]
                at += KEPT_OF_VISITS
                seen[v, MONTH] = _month(months, first_day, seen[v, DAY])
                seen[v, DRUG_MONTH] = _month(months, first_day, seen[v, DRUG_DAY])
                seen[v, DAY_DUE] = -NEVER
            for r in range(n_reads):
                for f in range(KEPT_OF_READINGS):
                    read[r, f] = known[at + f] + zeros[at + f]
                at += KEPT_OF_READINGS
                read[r, READ_MONTH] = _month(months, first_day, read[r, READ_DAY])
                read[r, OTHER_MONTH] = _month(months, first_day, read[r, OTHER_DAY])
            if carried[k] >= 0:
                while i < end and month[i] < first:
                    i += 1
            untold = i
            start = max(first, begun[k])
            c, last_cell, stage = cell_start[k], cell_start[k + 1] - 1, 0
            t = min(start - 1, np.int64(last))  # the month before tells who was overdue when the first began
            for q in range(n_lanes):
                held[q], overdue_from[q] = 0, NEVER
            while t <= last:
                # Contacts of the month, and at first all those before.
                came = i < end and month[i] <= t
                for v in range(n_visits if came else 0):
                    seen[v, N_DAYS], seen[v, N_GAPS], seen[v, GAP_DAYS], seen[v, N_IN] = 0, 0, 0, 0
                while i < end and month[i] <= t:
                    speaks = speaks_of[i] & bit != 0
                    for v in range(n_visits):
                        if not (visit_rules[v, 0] >> kind[i]) & 1:
                            if kind[i] == NOTICE and speaks and status[i] > 0:  # a status, and no visit
                                _settle(seen, v)
                                seen[v, STATUS] = status[i]
                                if status[i] == OUT:
                                    seen[v, DUE] = NEVER
                            continue
                        if day[i] != seen[v, DAY]:
                            _settle(seen, v)
                            seen[v, N_DAYS] += 1
                            if seen[v, DAY] > NO_DAY:
                                seen[v, N_GAPS] += 1
                                seen[v, GAP_DAYS] += day[i] - seen[v, DAY]
                            seen[v, DAY], seen[v, MONTH], seen[v, STATUS] = day[i], month[i], 0
                        if speaks:
                            if status[i] > 0:
                                seen[v, N_IN] += (status[i] == IN) - (seen[v, STATUS] == IN)
                                seen[v, STATUS] = status[i]
                            if dispensed[i] > 0:
                                seen[v, DRUG_DAY], seen[v, DRUG_MONTH] = day[i], month[i]
                            said = due[i] if due[i] > -NEVER else day[i] + visit_rules[v, 1]
                            seen[v, DAY_DUE] = max(seen[v, DAY_DUE], said)
                        for r in range(n_reads):
                            if read_lane[r] != v:
                                continue
                            verdict = np.int64(UNREAD)
                            if judged_by[r, d] >= 0:
                                verdict = np.int64(judged[judged_by[r, d], i])
                            if verdict == UNREAD and speaks and reported[r, d]:
                                if target[i] == 1:
                                    verdict = np.int64(AT_TARGET)
                                elif target[i] == 0:
                                    verdict = np.int64(OFF_TARGET)
                            if verdict != UNREAD:
                                if day[i] != read[r, READ_DAY]:
                                    read[r, BEFORE] = read[r, VERDICT]
                                read[r, VERDICT] = verdict
                                read[r, READ_DAY], read[r, READ_MONTH] = day[i], month[i]
                            if with_other and other_by[r, d] >= 0 and judged[other_by[r, d], i] != UNREAD:
                                read[r, OTHER] = judged[other_by[r, d], i]
                                read[r, OTHER_DAY], read[r, OTHER_MONTH] = day[i], month[i]
                    i += 1
                if came or t < start:
                    for v in range(n_visits):
                        _settle(seen, v)
                    if with_due:
                        for q in range(n_lanes):
                            late = seen[rules[q, VISITS], DUE] + rules[q, LATE]
                            overdue_from[q] = _month(months, first_day, late)
                if t < start:
                    here = death[p] > t and withdrawn[k] > t and enrolled[k] <= t
                    for q in range(n_lanes):
                        stayed = here and seen[rules[q, VISITS], STATUS] != OUT
                        was_overdue[q] = stayed and overdue_from[q] <= t
                    t += 1
                    continue
                if c < last_cell and cell_from[c + 1] <= t:
                    c += 1
                    for q in range(n_lanes):
                        _change(counts, cell_row[c - 1], t - first, base[q], held[q], 0)
                        held[q] = 0
                row = cell_row[c]
                # What holds under every preset.
                enrolled_for = t - enrolled[k]
                while stage + 1 < n_cuts and enrolled_for >= cuts[stage + 1]:
                    stage += 1
                common = -1
                if withdrawn[k] <= t:
                    common = WITHDRAWN
                elif death[p] <= t:
                    common = DEAD if enrolled_for >= 0 else GONE
                elif enrolled_for < 0:
                    common = NOT_ENROLLED if detected[k] <= t else SUSPECTED if suspected[k] <= t else AT_RISK
                found = np.int64(t == detected[k] and death[p] >= t)
                passes = came or found != 0  # whether something of this month is over with it
                for q in range(n_lanes):
                    v, r = rules[q, VISITS], rules[q, READS]
                    since = t - seen[v, MONTH]
                    standing = common
                    if common < 0:
                        if seen[v, STATUS] == OUT:
                            standing = MOVED_OUT
                        elif since >= rules[q, LOST_AFTER] and enrolled_for >= rules[q, GRACE]:
                            standing = LOST
                        elif enrolled_for < rules[q, BUFFER]:
                            standing = NEWLY
                        elif since >= rules[q, WINDOW]:
                            standing = MISSED
                        else:
                            recent = read[r, READ_DAY] == seen[v, DAY]
                            if rules[q, BY_DAY] == 0 and judged_by[r, d] >= 0:
                                recent = t - read[r, READ_MONTH] < rules[q, WINDOW]
                            reading = read[r, VERDICT] if recent else UNREAD
                            standing = UNMEASURED if reading == UNREAD else CONTROLLED - AT_TARGET + reading
                    elif common == NOT_ENROLLED and seen[v, STATUS] == OUT:
                        standing = MOVED_BEFORE
                    late = np.int64(NEWLY <= standing <= LOST and overdue_from[q] <= t)
                    twice = np.int64(read[r, VERDICT] >= OFF_TARGET and read[r, BEFORE] >= OFF_TARGET)
                    recent = since < rules[q, WINDOW] and read[r, OTHER_DAY] == seen[v, DAY]
                    if rules[q, BY_DAY] == 0:
                        recent = t - read[r, OTHER_MONTH] < rules[q, WINDOW]
                    other = read[r, OTHER] if recent else UNREAD
                    code = np.int64(standing) << 1 | (t - seen[v, DRUG_MONTH] < rules[q, TREATED])
                    code = code << 1 | (since == 0)
                    code = code << 1 | (t == seen[v, DRUG_MONTH])
                    code = code << 1 | found
                    code = code << 1 | late
                    code = code << 1 | was_overdue[q]
                    code = code << 1 | twice
                    code = code << 1 | (other == AT_TARGET)
                    passes = passes or late != was_overdue[q]
                    was_overdue[q] = late
                    mask = masks[q, code * n_cuts + stage]
                    _change(counts, row, t - first, base[q], held[q], mask)
                    held[q] = mask
                if came and enrolled_for >= 0 and death[p] >= t and withdrawn[k] > t:
                    for f in range(quantities.shape[0]):
                        counts[row, t - first, quantities[f, 0]] += seen[quantities[f, 1], quantities[f, 2]]
                if passes or t == last or (i < end and month[i] <= t + 1):
                    t += 1
                    continue
                # On to the next month in which something happens or a window runs out.
                after = np.int64(last) + 1
                if i < end:
                    after = _next(after, np.int64(month[i]), t)
                if c < last_cell:
                    after = _next(after, np.int64(cell_from[c + 1]), t)
                if stage + 1 < n_cuts:
                    after = _next(after, enrolled[k] + cuts[stage + 1], t)
                after = _next(after, np.int64(enrolled[k]), t)
                after = _next(after, np.int64(detected[k]), t)
                after = _next(after, np.int64(suspected[k]), t)
                after = _next(after, np.int64(withdrawn[k]), t)
                after = _next(after, np.int64(death[p]), t)
                for q in range(n_lanes):
                    v, r = rules[q, VISITS], rules[q, READS]
                    after = _next(after, overdue_from[q], t)
                    after = _next(after, enrolled[k] + rules[q, BUFFER], t)
                    after = _next(after, enrolled[k] + rules[q, GRACE], t)
                    after = _next(after, seen[v, MONTH] + rules[q, LOST_AFTER], t)
                    after = _next(after, seen[v, MONTH] + rules[q, WINDOW], t)
                    after = _next(after, seen[v, DRUG_MONTH] + rules[q, TREATED], t)
                    after = _next(after, read[r, READ_MONTH] + rules[q, WINDOW], t)
                    after = _next(after, read[r, OTHER_MONTH] + rules[q, WINDOW], t)
                t = after
            if i == untold:  # only contacts change what is known
                for f in range(nothing.size):
                    states[k, f] = known[f]
                continue
            at = 0
            for v in range(n_visits):
                for f in range(KEPT_OF_VISITS):
                    states[k, at + f] = min(max(seen[v, f] - zeros[at + f], -FARTHEST - 1), FARTHEST)
                at += KEPT_OF_VISITS
            for r in range(n_reads):
                for f in range(KEPT_OF_READINGS):
                    states[k, at + f] = min(max(read[r, f] - zeros[at + f], -FARTHEST - 1), FARTHEST)
                at += KEPT_OF_READINGS
