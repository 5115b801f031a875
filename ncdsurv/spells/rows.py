"""Which cells a bucket's cases pass through, and the running sums of their counts; compiled.

A row of counts is one cell (disease, place, sex, age band): memory follows the cells in use, not the product
of all strata.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit

from ncdsurv.spells.layout import NEVER


def compile_once(function: Callable) -> Callable:
    """Compile a function and keep the result on disk, where numba finds a folder it may write to."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # read-only installation and no home: compiled anew in each process
        return njit(nogil=True)(function)


@compile_once
def _cell(t, born, d, sex, s, last_stay, stay_month, stay_place, band_months, death, n_places, n_sexes):
    """The cell of a month, as at death afterwards: (cell, stay, month from which it may be another)."""
    lived = min(t, death)
    while s + 1 < last_stay and stay_month[s + 1] <= lived:
        s += 1
    band, n_bands = 0, band_months.size
    while band < n_bands and lived - born >= band_months[band]:
        band += 1
    until = np.int64(NEVER)
    if death > t:
        if s + 1 < last_stay:
            until = np.int64(stay_month[s + 1])
        if band < n_bands:
            until = min(until, born + band_months[band])
    cell = (d * n_places + stay_place[s]) * n_sexes + sex
    return cell * (n_bands + 1) + (band - 1 if band > 0 else n_bands), s, until


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
    slots = np.full(n_diseases * n_places * n_sexes * (band_months.size + 1), -1, np.int32)
    cell_start = np.zeros(disease.size + 1, np.int64)
    cell_from, cell_row = np.empty(disease.size, np.int32), np.empty(disease.size, np.int32)
    met = 0
    for p in range(birth.size):
        for k in range(case_start[p], case_start[p + 1]):
            t, s, before = max(np.int64(first), np.int64(begun[k])), stay_start[p], np.int64(-1)
            while t <= last:
                cell, s, until = _cell(
                    t, np.int64(birth[p]), np.int64(disease[k]), sex[p], s, stay_start[p + 1],
                    stay_month, stay_place, band_months, np.int64(death[p]), n_places, n_sexes,
                )  # fmt: skip
                if cell != before:
                    if met == cell_row.size:
                        cell_from = np.append(cell_from, np.empty_like(cell_from))
                        cell_row = np.append(cell_row, np.empty_like(cell_row))
                    slots[cell], cell_from[met], cell_row[met] = 0, t, cell
                    met += 1
                before, t = cell, until
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
        (row, month, block): row and month from 0 of each kept line, and the counts as Int32 (columns,
        lines), each column contiguous.
    """
    n_rows, width, n_columns = counts.shape
    rows, months = np.empty(n_rows * width, np.int32), np.empty(n_rows * width, np.int32)
    line = 0
    for row in range(n_rows):
        for at in range(width):
            some = 0
            if at > 0:
                for m in range(n_states):
                    counts[row, at, m] += counts[row, at - 1, m]
            for m in range(n_columns):
                some |= counts[row, at, m]
            if some != 0:
                rows[line], months[line] = row, at
                line += 1
    block = np.empty((n_columns, line), np.int32)
    opened = 0
    while opened < line:
        row, closed = rows[opened], opened
        while closed < line and rows[closed] == row:
            closed += 1
        for m in range(n_columns):
            for here in range(opened, closed):
                block[m, here] = counts[row, months[here], m]
        opened = closed
    return rows[:line].copy(), months[:line].copy(), block
