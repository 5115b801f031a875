"""The search of `search.py`, compiled: one series after the other, depth first, the same bounds, the same results.

Used for many series where numba is installed; `search.py` is the reference it is held against in the tests.
"""

from __future__ import annotations

import numpy as np

from ncdsurv.compiling import compile_once


@compile_once
def _parts(first, stop, left, right, with_one, with_time, squares, l_a, l_b, c):
    """Products of a segment's two end rows with the data, and the data's sum of squares; see `Pieces.ends`."""
    for e in range(first.size):
        one = with_one[stop[e]] - with_one[first[e]]
        time = with_time[stop[e]] - with_time[first[e]]
        length = right[e] - left[e]
        l_a[e] = (right[e] * one - time) / length
        l_b[e] = (time - left[e] * one) / length
        c[e] = squares[stop[e]] - squares[first[e]]


@compile_once
def descend(
    rows, with_one, with_time, k, stop_early, best, knots,
    head_first, head_stop, head_left, head_right, head_lean, head_p, head_s_aa,
    tail_first, tail_stop, tail_left, tail_right, tail_lean, tail_p, tail_s_bb,
    start, first, stop, left, right, s_aa, s_ab, s_bb, determinant, one_d, one_p, offsets,
):  # fmt: skip
    """Lower `best` and set `knots` by going through all places of k joinpoints, for each of some series.

    Args:
        rows: Whitened data less its line, a series a row, shape (series, n).
        with_one, with_time: The whitened constant and time, shape (n,).
        k: Number of joinpoints, at least 1.
        stop_early: Leave a series at the first place found below its limit.
        best: Sum of squares to get below, shape (series,); changed in place.
        knots: Node numbers, shape (series, k); changed in place, -1 where nothing was found.
        head_first and what follows: The grid's pieces, and what of them does not depend on the data.
    """
    n, m, inner = rows.shape[1], head_first.size, start.size
    squares, ones, times = np.zeros(n + 1), np.zeros(n + 1), np.zeros(n + 1)
    head_a, head_b, head_c = np.empty(m), np.empty(m), np.empty(m)
    tail_a, tail_b, tail_c = np.empty(m), np.empty(m), np.empty(m)
    l_a, l_b, c = np.empty(inner), np.empty(inner), np.empty(inner)
    lines, one_q, one_c = np.empty(inner), np.empty(inner), np.empty(inner)
    lefts = np.empty((k, m))
    node = np.empty((k, m), np.int64)
    p, q, fixed, bound = np.empty((k, m)), np.empty((k, m)), np.empty((k, m)), np.empty((k, m))
    order = np.empty((k, m), np.int64)
    count, at, chosen = np.zeros(k, np.int64), np.zeros(k, np.int64), np.zeros(k, np.int64)
    for series in range(rows.shape[0]):
        for i in range(n):
            y = rows[series, i]
            squares[i + 1] = squares[i] + y * y
            ones[i + 1] = ones[i] + with_one[i] * y
            times[i + 1] = times[i] + with_time[i] * y
        _parts(head_first, head_stop, head_left, head_right, ones, times, squares, head_a, head_b, head_c)
        _parts(tail_first, tail_stop, tail_left, tail_right, ones, times, squares, tail_a, tail_b, tail_c)
        for i in range(m):
            head_b[i] -= head_lean[i] * head_a[i]  # now the linear part of what lies left of a node
            head_c[i] -= head_a[i] ** 2 / head_s_aa[i]
            tail_a[i] -= tail_lean[i] * tail_b[i]
            tail_c[i] -= tail_b[i] ** 2 / tail_s_bb[i]
            lefts[0, i] = head_c[i] - head_b[i] ** 2 / head_p[i]
        if k > 1:
            _parts(first, stop, left, right, ones, times, squares, l_a, l_b, c)
            for e in range(inner):
                lean = l_a[e] + head_b[start[e]]
                one_q[e] = l_b[e] - s_ab[e] * lean / one_d[e]
                one_c[e] = c[e] + head_c[start[e]] - lean * lean / one_d[e]
                free = s_bb[e] * l_a[e] ** 2 - 2 * s_ab[e] * l_a[e] * l_b[e] + s_aa[e] * l_b[e] ** 2
                lines[e] = max(c[e] - free / determinant[e], 0.0)
            for t in range(m):
                least = np.inf
                for e in range(offsets[t], offsets[t + 1]):
                    least = min(least, one_c[e] - one_q[e] ** 2 / one_p[e])
                lefts[1, t] = least
            for before in range(2, k):
                for t in range(m):
                    least = np.inf
                    for e in range(offsets[t], offsets[t + 1]):
                        least = min(least, lines[e] + lefts[before - 1, start[e]])
                    lefts[before, t] = least
        limit = best[series]
        found = 0
        for i in range(m):
            if k == 1:
                value = tail_c[i] + head_c[i] - (tail_a[i] + head_b[i]) ** 2 / (tail_p[i] + head_p[i])
            else:
                value = tail_c[i] - tail_a[i] ** 2 / tail_p[i] + lefts[k - 1, i]
            if value < limit:
                node[0, found], bound[0, found] = i, value
                p[0, found], q[0, found], fixed[0, found] = tail_p[i], tail_a[i], tail_c[i]
                found += 1
        count[0], at[0] = found, 0
        order[0, :found] = np.argsort(bound[0, :found])
        level = 0
        while level >= 0:
            if at[level] >= count[level]:
                level -= 1
                continue
            i = order[level, at[level]]
            at[level] += 1
            if bound[level, i] >= limit:  # and so are all that follow
                level -= 1
                continue
            here = node[level, i]
            chosen[level] = here
            p_here, q_here, c_here = p[level, i], q[level, i], fixed[level, i]
            left_over = k - 1 - level
            if left_over == 0:
                limit = bound[level, i]
                knots[series, 0] = here
                if stop_early:
                    break
            elif left_over == 1:  # joined to all that lies left of it, the bound is the sum of squares itself
                hit = -1
                for e in range(offsets[here], offsets[here + 1]):
                    value = one_c[e] + c_here - (one_q[e] + q_here) ** 2 / (one_p[e] + p_here)
                    if value < limit:
                        limit, hit = value, e
                if hit >= 0:
                    knots[series, 0] = start[hit]
                    for back in range(level + 1):
                        knots[series, 1 + back] = chosen[level - back]
                    if stop_early:
                        break
            else:
                room = limit - c_here + q_here * q_here / p_here
                found = 0
                for e in range(offsets[here], offsets[here + 1]):
                    a = start[e]
                    beyond = lefts[left_over - 1, a]
                    # A cheap bound first: the new segment as a line that need not meet its neighbours.
                    if lines[e] + beyond >= room:
                        continue
                    d = s_bb[e] + p_here
                    lean = l_b[e] + q_here
                    p_new = s_aa[e] - s_ab[e] * s_ab[e] / d
                    if not p_new > 1e-12:
                        p_new = np.inf
                    q_new = l_a[e] - s_ab[e] * lean / d
                    c_new = c[e] + c_here - lean * lean / d
                    value = c_new - q_new * q_new / p_new + beyond
                    if value < limit:
                        node[level + 1, found], bound[level + 1, found] = a, value
                        p[level + 1, found], q[level + 1, found], fixed[level + 1, found] = (
                            p_new,
                            q_new,
                            c_new,
                        )
                        found += 1
                if found:
                    level += 1
                    count[level], at[level] = found, 0
                    order[level, :found] = np.argsort(bound[level, :found])
        best[series] = limit
