"""Names beside points, only where they cover nothing: the first name given has the first choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.maps.style import INK, PAPER, SOFT_INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

SIZE = 6.8
_NEAR, _FAR = 5.0, 15.0  # points between a mark and its name
_WAYS = ((1, 0), (-1, 0), (1, 0.8), (1, -0.8), (-1, 0.8), (-1, -0.8), (0, 1), (0, -1))


def name_points(
    ax: Axes, x: Sequence[float], y: Sequence[float], names: Sequence[str], others: NDArray[np.float64]
) -> int:
    """Write names beside points, the first ones first.

    Args:
        ax: Axes whose limits stand.
        x, y: The points to be named, in data units.
        names: Their names, the most wanted first.
        others: Every point drawn, (n, 2) in data units; a name covers none of them.

    Returns:
        How many names were written.
    """
    from matplotlib.patheffects import withStroke

    renderer = ax.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    frame = ax.get_window_extent(renderer)
    point = ax.figure.dpi / 72
    marks = ax.transData.transform(others)
    halo = [withStroke(linewidth=1.6, foreground=PAPER, alpha=0.9)]
    taken: list[Any] = []
    for at, name in enumerate(names):
        text = ax.text(
            0, 0, name, fontsize=SIZE, color=INK, ha="center", va="center", path_effects=halo, zorder=6
        )
        size = text.get_window_extent(renderer)
        here = ax.transData.transform((x[at], y[at]))
        box = _free_place(here, size, point, marks, taken, frame)
        if box is None:
            text.remove()
            continue
        centre = ax.transData.inverted().transform(((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2))
        text.set_position((float(centre[0]), float(centre[1])))
        taken.append(box)
        end = np.clip(here, (box.x0, box.y0), (box.x1, box.y1))
        if np.hypot(*(end - here)) > 1.6 * _NEAR * point:
            line = ax.transData.inverted().transform([here, end])
            ax.plot(line[:, 0], line[:, 1], color=SOFT_INK, lw=0.5, zorder=5)
    return len(taken)


def _free_place(here: Any, size: Any, point: float, marks: Any, taken: list[Any], frame: Any) -> Any:
    """The first box about a point that lies in the frame and covers neither a mark nor a name; None where none does."""
    from matplotlib.transforms import Bbox

    for gap in (_NEAR, _FAR, 1.8 * _FAR):
        for dx, dy in _WAYS:
            away = gap * point
            cx = here[0] + dx * (away + size.width / 2) if dx else here[0]
            cy = here[1] + dy * (away + size.height / 2) if dy else here[1]
            box = Bbox.from_bounds(cx - size.width / 2, cy - size.height / 2, size.width, size.height)
            inside = box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1
            rim = 2.2 * point
            covered = (
                (marks[:, 0] > box.x0 - rim)
                & (marks[:, 0] < box.x1 + rim)
                & (marks[:, 1] > box.y0 - rim)
                & (marks[:, 1] < box.y1 + rim)
            )
            if inside and not covered.any() and not any(box.overlaps(one) for one in taken):
                return box
    return None
