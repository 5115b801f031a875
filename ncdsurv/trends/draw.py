"""The picture of a trend."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import Flag
from ncdsurv.maps.lines import wrap as wrap_by_count
from ncdsurv.maps.page import NOTE_SIZE
from ncdsurv.maps.style import BAND, FITTED, INK, OBSERVED, RULE, SOFT_INK
from ncdsurv.maps.wording import number, rules_of, say
from ncdsurv.trends.explain import counts_line, source_line
from ncdsurv.trends.method import phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ncdsurv.trends.base import SeriesResult
    from ncdsurv.trends.result import TrendResult

OWN = "ncdsurv-trend"  # marks axes of a figure of ours, whose margins may be moved
MONTH_LABEL, LEGEND_IN_ONE_ROW = 0.72, 5.5  # inches
TITLE_SIZE, HEADLINE_SIZE, RULES_SIZE, BELOW_TITLE = 10.5, 8.5, 7.5, 8.0  # points
LEVEL = 1e-3  # an axis that spans less than this part of its values shows nothing but rounding
HINTED = 0.95  # letters on a screen's grid take a little more than their outlines
DAYS_OF_MONTH = 30.44
LINE = 1.3  # height of a line as a part of its size


def new_axes() -> Axes:
    """Axes of a new figure, with room for title, rules, legend and notes."""
    import matplotlib.pyplot as plt  # so that a notebook shows the figure by itself

    _, ax = plt.subplots(figsize=(7.3, 4.3), dpi=120)
    ax.figure.subplots_adjust(left=0.09, right=0.97, top=0.79, bottom=0.23)
    ax.set_gid(OWN)
    return ax


def finish_axes(ax: Axes, result: SeriesResult, lang: str) -> None:
    """Months, scale, title, headline, rules, legend, counts and source: what every picture of a series has."""
    _label_axes(ax, result, lang)
    _write_notes(ax, result, lang)


def draw_model(ax: Axes, result: TrendResult, lang: str) -> None:
    """The model with its band, and the trend without season."""
    series, model = result.series, result.model
    dates, scale = result.dates(), series.scale
    confidence = number(100 * result.confidence, lang)
    ax.fill_between(dates, model.lower * scale, model.upper * scale, color=BAND, alpha=0.55, lw=0)
    label = phrase("fitted", lang, confidence=confidence)
    ax.plot(dates, model.fitted * scale, color=FITTED, lw=1.8, label=label)
    if result.harmonics:
        ax.plot(dates, model.trend * scale, color=INK, lw=1, ls=(0, (5, 3)), label=phrase("trend_line", lang))


def draw_observed(ax: Axes, result: SeriesResult, lang: str) -> None:
    """The observed months, those of small numbers hollow."""
    series, dates = result.series, result.dates()
    observed = series.frame["value"].to_numpy()
    small = (series.frame["flag"] == Flag.SMALL_NUMBER).fill_null(False).to_numpy()
    # Not clipped: a month of 0 lies on the axis and must be seen whole.
    points: dict[str, Any] = {"ls": "none", "marker": "o", "ms": 4.2, "color": OBSERVED, "clip_on": False}
    looks = {"observed": (~small, points), "small_month": (small, points | {"mfc": "white"})}
    for key, (chosen, look) in looks.items():
        if chosen.any():
            at = [date for date, one in zip(dates, chosen) if one]
            ax.plot(at, observed[chosen], label=phrase(key, lang), zorder=3, **look)


def _label_axes(ax: Axes, result: SeriesResult, lang: str) -> None:
    from matplotlib.dates import DateFormatter, MonthLocator, YearLocator
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    room = max(_width(ax) / MONTH_LABEL, 1.0)
    months = result.series.frame["month"]
    # What is drawn may reach beyond the months observed, as a forecast does.
    span = max(months[-1] - months[0] + 1, ax.dataLim.width / DAYS_OF_MONTH)
    step = next((step for step in (1, 3, 6) if span / step <= room), 12)
    years = next((years for years in (1, 2, 5) if span / 12 / years <= room), 10)
    ax.xaxis.set_major_locator(YearLocator(years) if step == 12 else MonthLocator(bymonth=range(1, 13, step)))
    ax.xaxis.set_minor_locator(MonthLocator(bymonth=range(1, 13, 3 if step == 12 else 1)))
    ax.xaxis.set_major_formatter(DateFormatter("%m/%Y"))
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    low, high = ax.get_ylim()
    values = result.series.frame["value"]
    if high - low < LEVEL * abs(high) or not values.abs().max():  # all equal: rounding is not to be drawn
        low, high = 0.0, 2 * float(values.max() or 0.5)  # type: ignore[arg-type]
    # An axis of a proportion starts at 0 where that costs little; a cut axis exaggerates a slope.
    bottom = 0.0 if low < 0.5 * high else max(0.0, low)
    ax.set_ylim(bottom, high)
    ticks = ax.yaxis.get_major_locator().tick_values(bottom, high)
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0])))  # no tick is printed as what it is not
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, lang, decimals)))
    ax.set_ylabel(phrase("axis_value", lang, unit=say(f"unit.{result.identity['unit']}", lang)))
    ax.yaxis.grid(True, color=RULE, lw=0.4)
    ax.set_axisbelow(True)


def _write_notes(ax: Axes, result: SeriesResult, lang: str) -> None:
    write_words(
        ax,
        title=result.title(lang),
        headline=result.headline(lang),
        rules=rules_of(result.identity, result.catalog, lang),
        notes=[counts_line(result, lang), source_line(result, lang)],
        together=[result.area_names[lang]],
    )


def write_words(
    ax: Axes,
    *,
    title: str,
    headline: str,
    rules: str,
    notes: list[str],
    axis_label: float = 0.0,
    together: Iterable[str] = (),
) -> None:
    """Title, headline and rules above the axes; legend and notes below, under the label of the x axis if it has one.

    Args:
        ax: Axes with all their labelled artists.
        title, headline, rules: Above, from the top.
        notes: Small print below the legend.
        axis_label: Points that the label of the x axis takes.
        together: Names of places and periods, which no line parts.
    """
    width, kept = _width(ax), list(together)
    rule_lines = wrap(rules, width, RULES_SIZE, together=kept)
    lines = [line for text in notes for line in wrap(text, width, NOTE_SIZE, together=kept)]
    offset = BELOW_TITLE + len(rule_lines) * RULES_SIZE * LINE
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    heads = wrap(headline, width, HEADLINE_SIZE, together=kept)
    titles = wrap(title, width, TITLE_SIZE, bold=True, together=kept)
    pad = offset + 8 + len(heads) * HEADLINE_SIZE * LINE
    ax.set_title("\n".join(titles), loc="left", fontweight="bold", fontsize=TITLE_SIZE, pad=pad)
    _make_room(ax, pad + len(titles) * TITLE_SIZE * LINE + BELOW_TITLE)
    ax.annotate(
        "\n".join(heads),
        (0, 1),
        (0, offset + 4),
        color=INK,
        fontsize=HEADLINE_SIZE,
        linespacing=LINE,
        **above,
    )
    ax.annotate(
        "\n".join(rule_lines),
        (0, 1),
        (0, BELOW_TITLE),
        color=SOFT_INK,
        fontsize=RULES_SIZE,
        linespacing=1.3,
        **above,
    )
    columns = 4 if width > LEGEND_IN_ONE_ROW else 2
    rows_of_legend = max(1, math.ceil(len(ax.get_legend_handles_labels()[0]) / columns))
    down = axis_label / 72 / (ax.get_position().height * float(ax.figure.get_size_inches()[1]))  # type: ignore[union-attr]
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(0, -0.09 - down),
        ncol=columns,
        borderaxespad=0,
        handlelength=1.8,
        columnspacing=1.4,
    )
    below = above | {"va": "top"}
    ax.annotate(
        "\n".join(lines),
        (0, 0),
        (0, -28 - 14 * rows_of_legend - axis_label),
        color=SOFT_INK,
        fontsize=NOTE_SIZE,
        linespacing=1.5,
        **below,
    )


def _make_room(ax: Axes, points: float) -> None:
    """Lower the top of axes of our own figure until so many points of text fit above them."""
    if ax.get_gid() != OWN:
        return
    height = float(ax.figure.get_size_inches()[1])  # type: ignore[union-attr]
    top = 1 - points / 72 / height
    if top < ax.figure.subplotpars.top:
        ax.figure.subplots_adjust(top=top)


def wrap(text: str, width: float, size: float, bold: bool = False, together: Iterable[str] = ()) -> list[str]:
    """Lines of at most `width` inches, measured in the font they will have; see `ncdsurv.maps.lines.wrap`."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size, weight="bold" if bold else "normal")

    def inches(line: str) -> float:
        return float(text_to_path.get_text_width_height_descent(line, font, ismath=False)[0]) / 72

    for tried in range(30):
        lines = wrap_by_count(text, width * (1.2 - 0.03 * tried), size, bold, together)
        if all(inches(line) <= HINTED * width for line in lines):
            break
    return lines


def _width(ax: Axes) -> float:
    """Inches the axes are wide."""
    return float(ax.get_position().width * ax.figure.get_size_inches()[0])  # type: ignore[union-attr]
