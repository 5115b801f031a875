"""The picture of a control chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.maps.style import BAND, FITTED, OBSERVED, QUALITATIVE
from ncdsurv.trends.method import method, phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ncdsurv.trends.control.result import ControlResult


def draw_limits(ax: Axes, result: ControlResult, lang: str) -> None:
    """Centre and limits of every phase, the line through the months, and a mark on those that stand out."""
    dates, scale = np.array(result.dates()), result.series.scale
    width = f"{method()['control']['width']:g}"
    label: str | None = phrase("control.limits", lang, width=width)
    centre: str | None = phrase("control.centre", lang)
    for at, chart in enumerate(result.charts):
        own = dates[result.phase_of == at]
        ax.fill_between(
            own, chart.lower * scale, chart.upper * scale, color=BAND, alpha=0.3, lw=0, step="mid"
        )
        for end in (chart.lower, chart.upper):
            look: dict[str, Any] = {"color": FITTED, "lw": 0.9, "ls": (0, (4, 2)), "drawstyle": "steps-mid"}
            ax.plot(own, end * scale, label=label, **look)
            label = None
        ax.plot(own, np.full(len(own), chart.centre * scale), color=FITTED, lw=1.5, label=centre)
        centre = None
    _mark_months(ax, result, lang)


def _mark_months(ax: Axes, result: ControlResult, lang: str) -> None:
    dates, values = np.array(result.dates()), result.series.frame["value"].to_numpy()
    ax.plot(dates, values, color=OBSERVED, lw=0.8)
    out = np.array([bool(names) for names in result.found])
    if out.any():
        look: dict[str, Any] = {"ls": "none", "marker": "D", "ms": 7.5, "mew": 1.6, "mfc": "none"}
        label = phrase("control.signal", lang)
        ax.plot(dates[out], values[out], color=QUALITATIVE[1], label=label, clip_on=False, zorder=4, **look)
