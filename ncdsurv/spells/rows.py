"""Which cells a bucket's cases pass through, and the running sums of their counts; compiled.

A row of counts is one cell (disease, place, sex, age band): memory follows the cells in use, not the product
of all strata.
"""

from __future__ import annotations

import numpy as np

from ncdsurv.compiling import compile_once
from ncdsurv.spells.layout import NEVER


@compile_once
def _corner(
    t, born, sex, s, last_stay, stay_month, stay_place, band_months, reached, death, n_places, n_sexes
):
    """Where a person stands in a month, as at death afterwards: (cell less the disease, stay, month of the next)."""
    lived = min(t, death)
    while s + 1 < last_stay and stay_month[s + 1] <= lived:
        s += 1
    age, n_bands = lived - born, band_months.size
    band = reached[min(age, reached.size - 1)] if age >= 0 else 0
    until = np.int64(NEVER)
    if death > t:
        if s + 1 < last_stay:
            until = np.int64(stay_month[s + 1])
        if band < n_bands:
            until = min(until, born + band_months[band])
    corner = stay_place[s] * n_sexes + sex
    return corner * (n_bands + 1) + (band - 1 if band > 0 else n_bands), s, until


@compile_once
def _bands_reached(band_months):
    """For each age in months, up to the lower age of the last band: how many bands begin at it or before."""
    reached = np.zeros(band_months[-1] + 1 if band_months.size else 1, np.int64)
    for youngest in band_months:
        reached[youngest:] += 1
    return reached


@compile_once
def _most_cells(case_start, stay_start, band_months, span):
    """At most so many cells are met by all cases: one for each stay, and one more for each band reached."""
    reached = 0
    for youngest in band_months:
        reached = max(reached, ((band_months >= youngest) & (band_months <= youngest + span)).sum())
    most = case_start[-1] * reached
    for p in range(case_start.size - 1):
        most += (case_start[p + 1] - case_start[p]) * (stay_start[p + 1] - stay_start[p])
    return most


@compile_once
def open_rows(
    birth, death, sex, case_start, disease, begun, stay_start, stay_month, stay_place, band_months,
    first, last, n_places, n_sexes, n_diseases,
):  # fmt: skip
    """The cells that each case is in between two months.

    Args:
        birth, death, sex: Per person; months, NEVER where unknown.
        case_start, stay_start: Offsets per person, one longer than people.
        disease, begun: Per case: its number, and the month it begins in.
        stay_month, stay_place: Places and since when; before the first a person was in the first.
        band_months: Lower ages of the bands in months.

    Returns:
        (cells, cell_start, cell_from, cell_row): Int64 cell of each row, in order; offsets per case, and for
        each cell that a case is in, the month from which and the row. A cell's number is
        ((disease x places + place) x sexes + sex) x (bands + 1) + band; the last band is that of an unknown
        birth month.
    """
    n_corners = n_places * n_sexes * (band_months.size + 1)
    slots = np.full(n_diseases * n_corners, -1, np.int32)
    cell_start = np.zeros(disease.size + 1, np.int64)
    most = _most_cells(case_start, stay_start, band_months, last - first)
    cell_from, cell_row = np.empty(most, np.int32), np.empty(most, np.int32)
    reached = _bands_reached(band_months)
    longest = np.int64(band_months.size + 1)  # a person's corners, and since when: the same for every disease
    for p in range(birth.size):
        longest = max(longest, band_months.size + 1 + stay_start[p + 1] - stay_start[p])
    corners, since = np.empty(longest, np.int64), np.empty(longest, np.int64)
    met = 0
    for p in range(birth.size):
        opens, passed = np.int64(NEVER), 0
        for k in range(case_start[p], case_start[p + 1]):
            opens = min(opens, np.int64(begun[k]))
        t, s = max(np.int64(first), opens), stay_start[p]
        while t <= last:
            corner, s, until = _corner(
                t, np.int64(birth[p]), sex[p], s, stay_start[p + 1], stay_month, stay_place, band_months,
                reached, np.int64(death[p]), n_places, n_sexes,
            )  # fmt: skip
            if passed == 0 or corner != corners[passed - 1]:
                corners[passed], since[passed] = corner, t
                passed += 1
            t = until
        for k in range(case_start[p], case_start[p + 1]):
            for at in range(passed if begun[k] <= last else 0):
                if at + 1 < passed and since[at + 1] <= begun[k]:
                    continue  # left before the case began
                cell = disease[k] * n_corners + corners[at]
                slots[cell], cell_from[met], cell_row[met] = 0, max(since[at], begun[k]), cell
                met += 1
            cell_start[k + 1] = met
    cells = np.flatnonzero(slots == 0)
    for row in range(cells.size):
        slots[cells[row]] = row
    for at in range(met):
        cell_row[at] = slots[cell_row[at]]
    return cells, cell_start, cell_from[:met].copy(), cell_row[:met].copy()


@compile_once
def running_rows(counts, n_states):
    """Running sums over the months, kept where any column is not 0.

    Args:
        counts: Changes (rows, months, columns); the first `n_states` columns are summed in place.

    Returns:
        (row, month, block): row and month from 0 of each kept line, and the counts as Int32 (columns, lines).
    """
    n_rows, width, n_columns = counts.shape
    rows, months = np.empty(n_rows * width, np.int32), np.empty(n_rows * width, np.int32)
    block = np.empty((n_columns, n_rows * width), np.int32)  # what is not written takes no memory
    line = 0
    for row in range(n_rows):
        opened = line
        for at in range(width):
            here, before = counts[row, at], counts[row, max(at - 1, 0)]
            some = np.int32(0)
            for m in range(n_states if at else 0):
                here[m] += before[m]
            for m in range(n_columns):
                some |= here[m]
            if some != 0:
                rows[line], months[line] = row, at
                line += 1
        for m in range(n_columns):
            for kept in range(opened, line):
                block[m, kept] = counts[row, months[kept], m]
    return rows[:line], months[:line], block[:, :line]


@compile_once
def starts(owner, owners):
    """Where each owner's rows begin in a table ordered by owner; one longer than owners."""
    found = np.zeros(owners + 1, np.int64)
    for row in range(owner.size):
        found[owner[row] + 1] += 1
    for at in range(owners):
        found[at + 1] += found[at]
    return found


@compile_once
def carried_rows(person, disease, was_person, was_disease):
    """For each case, the row that carries its state; -1 where none does.

    Both tables are to be ordered by person and disease; returns (rows, whether the carrying one is).
    """
    found = np.full(person.size, -1, np.int32)
    k = 0
    for row in range(was_person.size):
        who, what = was_person[row], was_disease[row]
        if row and (
            who < was_person[row - 1] or (who == was_person[row - 1] and what <= was_disease[row - 1])
        ):
            return found, False
        while k < person.size and (person[k] < who or (person[k] == who and disease[k] < what)):
            k += 1
        if k < person.size and person[k] == who and disease[k] == what:
            found[k] = row
    return found, True
