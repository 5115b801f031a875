"""The page of a map in inches: where title, map, legend, insets and notes stand, and the small furniture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING, Any

from ncdsurv.maps.layers import Extent, Layer
from ncdsurv.maps.lines import wrap
from ncdsurv.maps.style import INK, PAPER, SOFT_INK
from ncdsurv.maps.wording import number, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN, PANEL, GUTTER = 0.32, 2.3, 0.18
TITLE_SIZE, TEXT_SIZE, NOTE_SIZE = 11.5, 8.0, 6.8
_PAD = 0.02  # free rim of the map frame, as a part of its larger side
_LINE = 1.4 / 72  # a line of text of one point, in inches


@dataclass(frozen=True)
class Page:
    """A figure's plan; all lengths in inches, `scale` in inches per metre of ground."""

    width: float
    height: float
    title: list[str]
    lines: list[str]
    notes: list[str]
    frame: Extent
    scale: float
    map_box: tuple[float, float, float, float]
    panel_box: tuple[float, float, float, float]


def plan_page(
    layer: Layer,
    size: tuple[float, float] | None,
    title: list[str],
    lines: list[str],
    notes: list[str],
    panel_height: float = 0.0,
    together: Iterable[str] = (),
) -> Page:
    """Fit the map and its texts on a page; without a size, one that suits the area's shape and the panel beside it.

    `together` are the words that no line of title, lines and notes parts, see `ncdsurv.maps.lines.wrap`.
    """
    frame = pad(layer.extent)
    ground_w, ground_h = frame[2] - frame[0], frame[3] - frame[1]
    width = size[0] if size else 7.0
    inner = width - 2 * MARGIN
    heading, below, foot = write_lines(inner, title, lines, notes, together)
    top = MARGIN + len(heading) * TITLE_SIZE * _LINE + len(below) * TEXT_SIZE * _LINE + 0.1
    bottom = MARGIN + len(foot) * NOTE_SIZE * _LINE + 0.1
    room_w = inner - PANEL - GUTTER
    if size:
        room_h = max(size[1] - top - bottom, 1.0)
    else:
        room_h = max(min(max(room_w * ground_h / ground_w, 3.6), 7.0), panel_height)
    scale = min(room_w / ground_w, room_h / ground_h)
    map_w, map_h = ground_w * scale, ground_h * scale
    # A slim country leaves room: the panel then moves to the map's side and takes what is left.
    left = MARGIN if map_w > 0.75 * room_w else MARGIN + 0.25 * (room_w - map_w)
    base = bottom + (room_h - map_h) / 2
    panel_x = left + map_w + GUTTER
    return Page(
        width=width,
        height=top + room_h + bottom,
        title=heading,
        lines=below,
        notes=foot,
        frame=frame,
        scale=scale,
        map_box=(left, base, map_w, map_h),
        panel_box=(panel_x, bottom, width - MARGIN - panel_x, room_h),
    )


def line_height(size: float) -> float:
    """Inches that a line of text takes at a font size in points."""
    return size * _LINE


def write_lines(
    width: float, title: list[str], lines: list[str], notes: list[str], together: Iterable[str]
) -> tuple[list[str], list[str], list[str]]:
    """Title, lines under it and notes, each cut to a width in inches at its own size."""
    together = list(together)
    looks = ((title, TITLE_SIZE, True), (lines, TEXT_SIZE, False), (notes, NOTE_SIZE, False))
    cut = [
        [line for text in texts for line in wrap(text, width, size, bold, together)]
        for texts, size, bold in looks
    ]
    return cut[0], cut[1], cut[2]


def new_figure(page: Page) -> Figure:
    """An empty figure of the page's size, outside pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(page.width, page.height), dpi=144, facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def axes_at(figure: Figure, box: tuple[float, float, float, float], frame: Extent | None = None) -> Axes:
    """Axes at a box in inches; units are metres of `frame`, or inches without one."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
    west, south, east, north = frame or (0.0, 0.0, box[2], box[3])
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_axis_off()
    return axes


def write_texts(figure: Figure, page: Page) -> None:
    """Title, lines under it and notes at the foot."""
    y = page.height - MARGIN
    for text, size, colour, weight in (
        (page.title, TITLE_SIZE, INK, "bold"),
        (page.lines, TEXT_SIZE, SOFT_INK, "normal"),
    ):
        for line in text:
            _text(figure, page, MARGIN, y, line, size, colour, weight)
            y -= size * _LINE
    y = MARGIN + len(page.notes) * NOTE_SIZE * _LINE
    for line in page.notes:
        _text(figure, page, MARGIN, y, line, NOTE_SIZE, SOFT_INK, "normal")
        y -= NOTE_SIZE * _LINE


def _text(
    figure: Figure, page: Page, x: float, y: float, text: str, size: float, colour: str, weight: str
) -> None:
    figure.text(x / page.width, y / page.height, text, fontsize=size, color=colour, weight=weight, va="top")


def draw_scale(panel: Axes, scale: float, y: float, lang: str, x: float = 0.0, longest: float = 1.5) -> None:
    """A scale bar of a round number of kilometres, and north; the projection is true to scale.

    Args:
        panel: Axes in inches.
        scale: Inches per metre of ground.
        y: Height of the bar in the panel.
        lang: `vi` or `en`.
        x: Left end of the bar.
        longest: Inches the bar may take.
    """
    kilometres = round_length(longest / scale / 1000)
    length = kilometres * 1000 * scale
    style: dict[str, Any] = {"color": INK, "lw": 0.9, "solid_capstyle": "butt"}
    panel.plot([x, x, x + length, x + length], [y + 0.05, y, y, y + 0.05], **style)
    panel.plot([x + length / 2] * 2, [y, y + 0.035], **style)
    decimals = 0 if kilometres >= 1 else 1
    label = f"{number(kilometres, lang, decimals)} {say('kilometres', lang)}"
    panel.text(x + length + 0.06, y - 0.01, label, fontsize=NOTE_SIZE, color=INK, va="baseline")
    panel.text(x, y + 0.075, "0", fontsize=NOTE_SIZE - 0.8, color=SOFT_INK, va="bottom", ha="center")


def draw_north(panel: Axes, x: float, y: float, lang: str) -> None:
    """A small north arrow."""
    panel.annotate(
        "",
        xy=(x, y + 0.3),
        xytext=(x, y),
        arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 0.9, "shrinkA": 0, "shrinkB": 0},
    )
    panel.text(x, y + 0.33, say("north", lang), fontsize=TEXT_SIZE, color=INK, ha="center", va="bottom")


def round_length(kilometres: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above a length.

    >>> round_length(37.0), round_length(0.7)
    (20.0, 0.5)
    """
    power = 10.0 ** floor(log10(kilometres))
    return next(step * power for step in (5.0, 2.0, 1.0) if step * power <= kilometres)


def pad(extent: Extent) -> Extent:
    """A frame with a free rim."""
    rim = _PAD * max(extent[2] - extent[0], extent[3] - extent[1])
    return extent[0] - rim, extent[1] - rim, extent[2] + rim, extent[3] + rim
