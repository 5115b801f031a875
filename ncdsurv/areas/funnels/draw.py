"""The picture of a funnel plot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ncdsurv.areas.funnels.explain import (
    dispersion_line,
    limits_line,
    small_line,
    source_line,
    together_of,
    where_and_when,
)
from ncdsurv.areas.funnels.labels import name_points
from ncdsurv.areas.funnels.result import ABOVE, ABOVE_OUTER, BELOW, BELOW_OUTER, INNER, OUTER, WITHIN
from ncdsurv.areas.rates import BINOMIAL
from ncdsurv.areas.words import method as limits
from ncdsurv.areas.words import phrase
from ncdsurv.indicators.rates import funnel_limits
from ncdsurv.indicators.rates.dispersion import ADDITIVE, MULTIPLICATIVE
from ncdsurv.indicators.rates.given import CONFIDENCE, CONTROL
from ncdsurv.indicators.rates.limits import EXACT, RATE, SHARE
from ncdsurv.maps.selection import is_small
from ncdsurv.maps.style import FITTED, INK, QUALITATIVE, RULE, figure_style
from ncdsurv.maps.wording import number, rules_of, say
from ncdsurv.trends.draw import new_axes, write_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ncdsurv.areas.funnels.result import FunnelResult

_HEIGHT, _BOTTOM = 5.4, 0.26  # of a figure of our own, in inches and as a part of it
_AXIS_LABEL = 13.0  # points
_MARGIN = 0.06  # inches below the last note
_UNEQUAL = 12.0  # a logarithmic axis where the largest area has so many times the people of the median one
_GRID = 240
_MANY = 800  # areas within the limits that would run together at full size
# Shape says the side and fill how far, so that the picture reads in grey too.
_LOOKS: dict[str, dict[str, Any]] = {
    WITHIN: {"marker": "o", "ms": 3.6, "color": "#8A8A8A", "mew": 0.6},
    ABOVE: {"marker": "^", "ms": 5.4, "color": QUALITATIVE[4], "mew": 0.8},
    BELOW: {"marker": "v", "ms": 5.4, "color": QUALITATIVE[4], "mew": 0.8},
    ABOVE_OUTER: {"marker": "^", "ms": 6.4, "color": QUALITATIVE[1], "mew": 0.9},
    BELOW_OUTER: {"marker": "v", "ms": 6.4, "color": QUALITATIVE[1], "mew": 0.9},
}


def draw_funnel(result: FunnelResult, ax: Axes | None = None, lang: str = "vi") -> Axes:
    """Draw a funnel plot; see `FunnelResult.plot`."""
    with figure_style():
        own = ax is None
        if ax is None:
            ax = new_axes()
            ax.figure.set_size_inches(7.3, _HEIGHT)  # type: ignore[union-attr]
            ax.figure.subplots_adjust(bottom=_BOTTOM, right=0.95)
        _scale_axes(ax, result, lang)
        _draw_limits(ax, result, lang)
        _draw_areas(ax, result, lang)
        write_words(
            ax,
            title=f"{result.title(lang)}: {where_and_when(result, lang)}",
            headline=result.headline(lang),
            rules=rules_of(result._scene.rows.identity, result._scene.catalog, lang),
            notes=[
                limits_line(result, lang),
                dispersion_line(result, lang),
                *small_line(result, lang),
                source_line(result, lang),
            ],
            axis_label=_AXIS_LABEL,
            together=together_of(result, lang),
        )
        if own:
            _fit_notes(ax)
        unnamed = _write_names(ax, result, lang)
        if unnamed:
            ax.annotate(
                phrase("funnel.unnamed", lang, n=number(unnamed, lang)), (1, 1), (-2, -2), xycoords="axes fraction",
                textcoords="offset points", ha="right", va="top", fontsize=6.8, color=INK,
            )  # fmt: skip
    return ax


def _fit_notes(ax: Axes) -> None:
    """Raise the foot of axes of our own figure until the last note, the source, lies inside it."""
    figure: Any = ax.figure
    lowest = min(text.get_window_extent().y0 for text in ax.texts) / figure.dpi
    if lowest < _MARGIN:
        more = (_MARGIN - lowest) / figure.get_size_inches()[1]
        figure.subplots_adjust(bottom=figure.subplotpars.bottom + more)


def _scale_axes(ax: Axes, result: FunnelResult, lang: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    people, values = (result.placed[name].to_numpy() for name in ("denominator", "value"))
    low, high = float(people.min()), float(people.max())
    log = high > _UNEQUAL * float(np.median(people))
    if log:
        ax.set_xscale("log")
        ax.set_xlim(low / 1.25, high * 1.35)
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        # From 0, so that the eye sees how small the small ones are.
        ax.set_xlim(0, high * 1.08)
        ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, lang)))
    typical = np.quantile(people, 0.1)
    lower, upper = _limits(result, np.array([max(1.0, np.round(typical))]), CONTROL)
    bottom = min(float(values.min()), float(lower[0]))
    top = max(float(values.max()), float(upper[0]))
    room = 0.06 * (top - bottom)
    rows = result._scene.rows
    most = rows.scale if result.family == BINOMIAL else math.inf
    floor = -0.02 * top  # a mark at 0 is seen whole
    ax.set_ylim(max(floor, bottom - room), min(most * 1.02, top + room))
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    ticks = ax.yaxis.get_major_locator().tick_values(*ax.get_ylim())
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0])))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, lang, decimals)))
    ax.set_ylabel(say(f"unit.{rows.identity['unit']}", lang))
    ax.set_xlabel(phrase("funnel.axis_people_log" if log else "funnel.axis_people", lang))
    ax.yaxis.grid(True, color=RULE, lw=0.4)
    ax.set_axisbelow(True)


def _draw_limits(ax: Axes, result: FunnelResult, lang: str) -> None:
    low, high = ax.get_xlim()
    low = max(low, 1.0)
    sizes = np.geomspace(low, high, _GRID)
    if result.method == EXACT and result.family == BINOMIAL:
        sizes = np.unique(np.round(sizes))
    lines: tuple[tuple[str, float, dict[str, Any]], ...] = (
        ("inner", CONFIDENCE, {"ls": (0, (4, 2)), "lw": 1.0}),
        ("outer", CONTROL, {"ls": "-", "lw": 1.1}),
    )
    for key, confidence, look in lines:
        label: str | None = phrase(f"funnel.line.{key}", lang)
        for curve in _limits(result, sizes, confidence):
            ax.plot(sizes, curve, color=FITTED, label=label, zorder=2, **look)
            label = None
    target = phrase("funnel.line.target", lang, target=result.shown(result.target.value, lang))
    ax.axhline(result.target.value, color=INK, lw=1.2, label=target, zorder=2)


def _limits(
    result: FunnelResult, sizes: NDArray[np.float64], confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two curves in the unit of the values."""
    seen, scale = result.dispersion, result._scene.rows.scale
    lower, upper = funnel_limits(
        sizes,
        result.target.value / scale,
        statistic=SHARE if result.family == BINOMIAL else RATE,
        confidence=confidence,
        method=result.method,
        phi=(seen.phi or 1.0) if seen.used == MULTIPLICATIVE else 1.0,
        tau2=(seen.tau / scale) ** 2 if seen.used == ADDITIVE else 0.0,
    )
    return lower * scale, upper * scale


def _draw_areas(ax: Axes, result: FunnelResult, lang: str) -> None:
    placed = result.placed
    small = pl.Series([is_small(flag) for flag in placed["flag"]], dtype=pl.Boolean)
    for key, positions in (("within", (WITHIN,)), ("inner", INNER), ("outer", OUTER)):
        n = int(placed["position"].is_in(positions).sum())
        if not n:
            continue
        label: str | None = phrase(f"funnel.point.{key}", lang, n=number(n, lang))
        for position in positions:
            at = placed["position"] == position
            for hollow in (False, True):
                chosen = placed.filter(at & (small == hollow))
                if chosen.is_empty():
                    continue
                look = _LOOKS[position] | ({"mfc": "white"} if hollow else {})
                if position == WITHIN and n > _MANY:
                    look = look | {"ms": 2.2}
                ax.plot(
                    chosen["denominator"],
                    chosen["value"],
                    ls="none",
                    label=label,
                    clip_on=False,
                    zorder=3,
                    **look,
                )
                label = None


def _write_names(ax: Axes, result: FunnelResult, lang: str) -> int:
    """Names of the areas outside the limits, the farthest first; how many found no room."""
    placed = result.placed
    wanted = placed.filter(pl.col("position").is_in(OUTER))
    most = limits()["funnel"]["names_on_plot"]
    names = result._scene.names(lang)
    first = wanted.head(most)
    labels = [names[code] for code in first["area_code"]]
    every = placed.select("denominator", "value").to_numpy()
    written = name_points(ax, first["denominator"].to_list(), first["value"].to_list(), labels, every)
    return wanted.height - written
