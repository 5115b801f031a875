"""The picture of joinpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import Period, month_start
from ncdsurv.maps.style import BAND, FITTED, INK, PAPER, QUALITATIVE, SOFT_INK
from ncdsurv.maps.wording import number
from ncdsurv.trends.joinpoint.result import short
from ncdsurv.trends.method import phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ncdsurv.trends.joinpoint.result import JoinpointResult

MARK = QUALITATIVE[1]
MONTH_WIDTH, CHANGE_WIDTH = 0.55, 0.85  # inches a label takes
ROW = 11  # points from one row of labels to the next


def label_joinpoints(ax: Axes, result: JoinpointResult, lang: str) -> None:
    """The month and interval of each joinpoint at the foot, the change of each segment at the top."""
    _spread_axis(ax)
    _mark_joinpoints(ax, result)
    _label_segments(ax, result, lang)


def draw_segments(ax: Axes, result: JoinpointResult, lang: str) -> None:
    """The joined segments with their band, and where they meet."""
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
    days = [_day(month) for month in result.joinpoints]
    rows = _rows(ax, days, MONTH_WIDTH)
    for at, (day, month, limits) in enumerate(zip(days, result.joinpoints, result.joinpoint_limits)):
        if limits:
            height = floor + (0.02 + 0.02 * at) * (top - floor)
            ends = [_day(limit) for limit in limits]
            ax.plot(ends, [height, height], color=MARK, lw=2.4, solid_capstyle="butt", zorder=2)
        ax.annotate(
            short(month),
            (day, 0),
            (3, 20 + ROW * rows[at]),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color=MARK,
            fontsize=7.5,
        )


def _label_segments(ax: Axes, result: JoinpointResult, lang: str) -> None:
    """Each segment's change per year, at the top above its middle; in another row where two would meet."""
    middles = [(_day(one.first) + _day(one.last)) / 2 for one in result.segments]
    for at, (one, row) in enumerate(zip(result.segments, _rows(ax, middles, CHANGE_WIDTH))):
        words = phrase("joinpoint.per_year", lang, change=result.said(one, lang)["change"])
        clear = one.direction in ("up", "down")
        ax.annotate(
            words,
            (middles[at], 1),
            (0, -2 - ROW * row),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7.8,
            color=INK if clear else SOFT_INK,
            fontweight="bold" if clear else "normal",
            bbox={"boxstyle": "square,pad=0.1", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.8},
        )


def _spread_axis(ax: Axes) -> None:
    """Room for the words above the months and the bars below them; an axis that begins at 0 stays there."""
    low, high = ax.get_ylim()
    ax.set_ylim(low if low == 0 else max(0.0, low - 0.1 * (high - low)), high + 0.14 * (high - low))


def _rows(ax: Axes, days: list[float], width: float) -> list[int]:
    """A row for each label, so that labels so many inches wide do not meet."""
    left, right = ax.get_xlim()
    inches = float(ax.get_position().width * ax.figure.get_size_inches()[0])  # type: ignore[union-attr]
    needed = width / inches * (right - left)
    rows: list[int] = []
    ends: list[float] = []
    for day in days:
        row = next((at for at, end in enumerate(ends) if day - end >= needed), len(ends))
        ends[row : row + 1] = [day]
        rows.append(row)
    return rows


def _day(month: str) -> float:
    """Where a month begins on the axis."""
    from matplotlib.dates import date2num

    return float(date2num(month_start(Period.parse(month).last_month)))
