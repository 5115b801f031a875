"""The picture of an interrupted series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.catalog.vocabulary import month_start
from ncdsurv.maps.style import BAND, FITTED, INK, NOT_REPORTED, QUALITATIVE
from ncdsurv.maps.wording import number
from ncdsurv.trends.method import phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ncdsurv.trends.interrupted.result import InterruptedResult


def _mark_date(ax: Axes, result: InterruptedResult, lang: str) -> None:
    start = month_start(result.month)
    if result.transition:
        end = month_start(result.month + result.transition)
        label = phrase("interrupted.transition", lang)
        ax.axvspan(start, end, color=NOT_REPORTED, lw=0, zorder=0, label=label)  # type: ignore[arg-type]
    ax.axvline(start, color=INK, lw=0.9, ls=(0, (2, 2)))  # type: ignore[arg-type]


def draw_sides(ax: Axes, result: InterruptedResult, lang: str) -> None:
    """The date, the model on both sides of it, and the counterfactual."""
    _mark_date(ax, result, lang)
    series, model = result.series, result.model
    months, dates, scale = series.frame["month"].to_numpy(), np.array(result.dates()), series.scale
    label: str | None = phrase(
        "interrupted.observed_line", lang, confidence=number(100 * result.confidence, lang)
    )
    # Each side apart: a line across the date would draw the step as a slope.
    sides = (months < result.month, months >= result.month + result.transition)
    for side in sides:
        ax.fill_between(
            dates[side], model.lower[side] * scale, model.upper[side] * scale, color=BAND, alpha=0.55, lw=0
        )
        ax.plot(dates[side], model.fitted[side] * scale, color=FITTED, lw=1.8, label=label)
        label = None
    after = months >= result.month
    look: dict[str, Any] = {"color": QUALITATIVE[1], "lw": 1.5, "ls": (0, (5, 3))}
    ax.plot(
        dates[after],
        model.counterfactual[after] * scale,
        label=phrase("interrupted.counterfactual", lang),
        **look,
    )
