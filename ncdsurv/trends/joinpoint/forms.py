"""Which form of the search is used, and the grid handed to the compiled one."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from ncdsurv.errors import unknown
from ncdsurv.trends.joinpoint.bounds import safe_divisor
from ncdsurv.trends.joinpoint.grid import Grid, whitened_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]

FORMS, WORTH_COMPILING = ("auto", "arrays", "compiled"), 500


def use_compiled(series: int, form: str) -> bool:
    """Whether the compiled form is to be used: loading it takes longer than few series do."""
    if form not in FORMS:
        raise unknown("form of the search", str(form), FORMS)
    if form == "auto":
        return series >= WORTH_COMPILING and find_spec("numba") is not None
    return form == "compiled"


def descend_compiled(
    grid: Grid, rows: Array, k: int, best: Array, knots: Index, *, stop: bool = False
) -> None:
    """Lower `best` and set `knots` by going through all places of k joinpoints, by the kernel.

    Args:
        grid: Where joinpoints may stand.
        rows: Whitened data less its line, one series a column.
        k: Number of joinpoints, at least 1.
        best: Sum of squares to get below, by series; changed in place.
        knots: Node numbers, shape (series, k); changed in place, -1 where nothing was found.
        stop: Leave a series at the first place found below its limit.
    """
    import numpy as np

    from ncdsurv.trends.joinpoint.compiled import descend

    head, tail, inner = grid.head, grid.tail, grid.inner
    one, time = whitened_line(grid.times, grid.noise)
    head_p = safe_divisor(head.s_bb - head.s_ab**2 / head.s_aa)
    tail_p = safe_divisor(tail.s_aa - tail.s_ab**2 / tail.s_bb)
    one_d = inner.s_aa + head_p[inner.start]
    descend(
        np.ascontiguousarray(rows.T),
        one,
        time,
        k,
        stop,
        best,
        knots,
        *(head.first, head.stop, head.left, head.right, head.s_ab / head.s_aa, head_p, head.s_aa),
        *(tail.first, tail.stop, tail.left, tail.right, tail.s_ab / tail.s_bb, tail_p, tail.s_bb),
        *(inner.start, inner.first, inner.stop, inner.left, inner.right, inner.s_aa, inner.s_ab, inner.s_bb),
        safe_divisor(inner.s_aa * inner.s_bb - inner.s_ab**2),
        one_d,
        safe_divisor(inner.s_bb - inner.s_ab**2 / one_d),
        grid.offsets,
    )
