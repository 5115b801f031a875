"""The picture of a story: a strip of states for each disease, visits and readings above it."""

from __future__ import annotations

from datetime import date
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.catalog.vocabulary import (
    CareState,
    Outcome,
    Suspicion,
    Tenure,
    VisitKind,
    month_index,
    month_start,
)
from ncdsurv.frames.readings import short_reading, speaks
from ncdsurv.frames.wording import disease_name, phrase, state_name
from ncdsurv.maps.style import INK, NOT_REPORTED, QUALITATIVE, RULE, SOFT_INK, figure_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ncdsurv.frames.story import Story

# Okabe and Ito's colours; the words on the runs tell the states apart in grey print too.
_BLUE, _VERMILION, _GREEN, _PURPLE, _ORANGE, _SKY, _YELLOW, _BLACK = QUALITATIVE
_PALE = "#FBF6B0"  # the stage before a suspicion: its yellow, lighter
COLOURS: dict[str, str] = {
    Suspicion.AT_RISK: _PALE,
    Suspicion.SUSPECTED: _YELLOW,
    Tenure.NEWLY_ENROLLED: _SKY,
    Outcome.CONTROLLED: _GREEN,
    Outcome.UNCONTROLLED: _VERMILION,
    Outcome.VISITED_UNMEASURED: _ORANGE,
    Outcome.MISSED_VISIT: _PURPLE,
    CareState.LOST_TO_FOLLOW_UP: SOFT_INK,
    CareState.TRANSFERRED_OUT: RULE,
    CareState.DEAD: INK,
}
WIDTH, HEIGHT, STRIP = 9.0, 2.3, 0.36  # inches; the part of a panel that is the strip of states
SMALL = 7  # points
LETTER = 0.68 * SMALL / 72  # inches that a letter of that size takes, about
MOST_LINES = 3  # that a strip has room for
_SEEN: dict[str, Any] = {"marker": "v", "ms": 5, "color": INK, "mfc": INK}
_SCREENED: dict[str, Any] = {**_SEEN, "mfc": "white"}
_TOLD: dict[str, Any] = {**_SEEN, "marker": "x"}  # a status and nobody seen


def draw_story(story: Story, lang: str) -> Figure:
    """Draw a story; see `Story.plot`."""
    diseases = story.months["disease"].unique(maintain_order=True).to_list()
    with figure_style():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(
            max(len(diseases), 1),
            1,
            figsize=(WIDTH, HEIGHT * max(len(diseases), 1) + 0.4),
            dpi=120,
            sharex=True,
            squeeze=False,
            layout="constrained",
        )
        for ax, disease in zip(panels[:, 0], diseases, strict=False):
            _panel(ax, story, disease, lang)
        if not diseases:
            _bare(panels[0, 0])
            panels[0, 0].text(
                0.5, 0.5, phrase("nothing", lang), ha="center", transform=panels[0, 0].transAxes
            )
        _axis(panels[-1, 0], story)
        _legend(figure, story, lang)
        plt.close(figure)
    return figure


def _panel(ax: Axes, story: Story, disease: str, lang: str) -> None:
    _bare(ax)
    ax.set_title(f"{story.person_id}: {disease_name(story.spells.catalog, disease, lang)}", loc="left")
    mine = story.months.filter(disease=disease)
    runs = mine.with_columns(run=pl.col("standing").rle_id()).group_by("run", maintain_order=True)
    for _, run in runs:
        _run(ax, story, run["standing"][0], run["month"][0], run["month"][-1], lang)
    late = mine.filter("overdue")["month"].to_list()
    for month in late:  # a line over the months in which the person was overdue
        ax.hlines(STRIP + 0.03, _opening(month), _opening(month + 1), color=_VERMILION, lw=2)
    if late:
        ax.text(_opening(late[0]), STRIP + 0.06, phrase("overdue", lang), fontsize=SMALL, color=_VERMILION)
    _visits(ax, story, disease, lang)


def _bare(ax: Axes) -> None:
    """Height means nothing here."""
    ax.set_ylim(0, 1)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def _run(ax: Axes, story: Story, standing: str, first: int, last: int, lang: str) -> None:
    """One run of months in a state, with its name where there is room."""
    begin, end = _opening(first), _opening(last + 1)
    colour = COLOURS.get(standing, NOT_REPORTED)
    ax.barh(STRIP / 2, end - begin, STRIP, left=begin, color=colour, edgecolor="white", lw=1)
    whole = story.spells.last_month - story.spells.first_month + 1
    if words := broken(state_name(standing, lang), WIDTH * (last - first + 1) / whole):
        ink = "white" if standing in (CareState.DEAD, CareState.LOST_TO_FOLLOW_UP) else INK
        ax.text((begin + end) / 2, STRIP / 2, words, ha="center", va="center", fontsize=SMALL, color=ink)


def broken(words: str, inches: float) -> str:
    """Words on as many lines as a width asks for; none where they have no room.

    >>> broken("visited, not measured", 0.9)
    'visited, not\\nmeasured'
    >>> broken("visited, not measured", 0.3)
    ''
    """
    lines = wrap(words, max(1, int(inches / LETTER)), break_long_words=False, break_on_hyphens=False)
    fits = len(lines) <= MOST_LINES and max(map(len, lines)) * LETTER <= inches
    return "\n".join(lines) if fits else ""


def _visits(ax: Axes, story: Story, disease: str, lang: str) -> None:
    catalog, months = story.spells.catalog, (story.spells.first_month, story.spells.last_month)
    readings: dict[float, list[str]] = {}
    for row in story.rows:
        inside = months[0] <= month_index(row["visited_on"]) <= months[1]
        if not inside or (row["notice"] and not speaks(catalog, disease, row)):
            continue
        day = _at(row["visited_on"])
        look = _SEEN if row["kind"] != VisitKind.SCREENING else _SCREENED
        ax.plot([day], [STRIP + 0.2], **(_TOLD if row["notice"] else look), clip_on=False)
        if read := short_reading(catalog, disease, row, lang):
            readings.setdefault(day, []).append(read)
    # Those of one day in one line, in their order: they would lie on each other.
    for day, of_the_day in readings.items():
        said = "; ".join(dict.fromkeys(of_the_day))
        ax.text(day, STRIP + 0.27, said, rotation=55, fontsize=SMALL, ha="left", va="bottom")


def _legend(figure: Figure, story: Story, lang: str) -> None:
    """The states met, and what the marks mean: short runs have no room for words."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    states = story.months["standing"].unique(maintain_order=True).to_list()
    handles: list[Any] = [
        Patch(color=COLOURS.get(state, NOT_REPORTED), label=state_name(state, lang)) for state in states
    ]
    marks = {"plot.visits": _SEEN, "plot.screening": _SCREENED}
    if any(row["notice"] for row in story.rows):
        marks["plot.notice"] = _TOLD
    if not states:
        return
    handles += [Line2D([], [], ls="none", label=phrase(key, lang), **look) for key, look in marks.items()]
    preset = story.spells.catalog.presets[story.spells.preset].names[lang]
    title = phrase("plot.months", lang, preset=preset)
    figure.legend(handles=handles, loc="outside lower left", ncols=5, title=title, alignment="left")


def _axis(ax: Axes, story: Story) -> None:
    from matplotlib.dates import DateFormatter, MonthLocator

    spells = story.spells
    months = spells.last_month - spells.first_month + 1
    ax.set_xlim(_opening(spells.first_month), _opening(spells.last_month + 1))
    step = next((step for step in (1, 3, 6) if months / step <= 15), 12)
    ax.xaxis.set_major_locator(MonthLocator(bymonth=range(1, 13, step)))
    ax.xaxis.set_minor_locator(MonthLocator())
    ax.xaxis.set_major_formatter(DateFormatter("%m/%Y"))


def _at(day: date) -> float:
    """A day as matplotlib counts them."""
    from matplotlib.dates import date2num

    return float(date2num(day))


def _opening(month: int) -> float:
    """The first day of a month as matplotlib counts days."""
    return _at(month_start(month))
