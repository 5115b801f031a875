"""The picture of joinpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import Period, month_start
from ncdsurv.maps.style import BAND, FITTED, INK, QUALITATIVE, SOFT_INK, figure_style
from ncdsurv.maps.wording import number
from ncdsurv.trends.draw import draw_observed, finish_axes, new_axes
from ncdsurv.trends.joinpoint.result import short
from ncdsurv.trends.method import phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ncdsurv.trends.joinpoint.result import JoinpointResult

MARK = QUALITATIVE[1]


def draw_joinpoints(result: JoinpointResult, ax: Axes | None = None, lang: str = "vi") -> Axes:
    """Draw joinpoints; see `JoinpointResult.plot`."""
    with figure_style():
        ax = new_axes() if ax is None else ax
        _draw_lines(ax, result, lang)
        draw_observed(ax, result, lang)
        finish_axes(ax, result, lang)
        _mark_joinpoints(ax, result)
        _label_segments(ax, result, lang)
    return ax


def _draw_lines(ax: Axes, result: JoinpointResult, lang: str) -> None:
    import polars as pl

    frame = result.data if isinstance(result.data, pl.DataFrame) else pl.from_pandas(result.data)
    dates = result.dates()
    if frame["lower"].null_count() == 0:
        ax.fill_between(dates, frame["lower"], frame["upper"], color=BAND, alpha=0.55, lw=0)
    confidence = number(100 * result.confidence, lang)
    ax.plot(
        dates,
        frame["trend"],
        color=FITTED,
        lw=1.9,
        label=phrase("joinpoint.fitted", lang, confidence=confidence),
    )
    for at, month in enumerate(result.joinpoints):
        label = phrase("joinpoint.joinpoint_label", lang, confidence=confidence) if at == 0 else None
        ax.axvline(_day(month), color=MARK, lw=1.0, ls=(0, (2, 2)), label=label, zorder=1)
    if result.choices.harmonics:
        label = phrase("joinpoint.with_season", lang)
        ax.plot(dates, frame["fitted"], color=SOFT_INK, lw=0.9, ls=(0, (4, 2)), label=label)


def _mark_joinpoints(ax: Axes, result: JoinpointResult) -> None:
    """The month of each joinpoint and a bar over its interval, at the foot."""
    floor, top = ax.get_ylim()
    for at, (month, limits) in enumerate(zip(result.joinpoints, result.joinpoint_limits)):
        if limits:
            height = floor + (0.02 + 0.02 * at) * (top - floor)
            ends = [_day(limit) for limit in limits]
            ax.plot(ends, [height, height], color=MARK, lw=2.4, solid_capstyle="butt", zorder=2)
        ax.annotate(
            short(month),
            (_day(month), 0),
            (3, 14),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color=MARK,
            fontsize=7.5,
        )


def _label_segments(ax: Axes, result: JoinpointResult, lang: str) -> None:
    """Each segment's change per year, at the top above its middle."""
    for one in result.segments:
        ends = [_day(month) for month in (one.first, one.last)]
        words = phrase("joinpoint.per_year", lang, change=result.said(one, lang)["change"])
        ax.annotate(
            words,
            (sum(ends) / 2, 1),
            (0, -2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7.8,
            color=INK if one.direction in ("up", "down") else SOFT_INK,
            fontweight="bold" if one.direction in ("up", "down") else "normal",
        )


def _day(month: str) -> float:
    """Where a month begins on the axis."""
    from matplotlib.dates import date2num

    return float(date2num(month_start(Period.parse(month).last_month)))
