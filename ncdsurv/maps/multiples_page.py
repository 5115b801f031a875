"""The page of small multiples: a grid of maps with their insets, one legend beside it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from ncdsurv.maps.draw import MOST_NAMES, line_width
from ncdsurv.maps.explain import together_of
from ncdsurv.maps.layers import Extent, Layer, load_layer
from ncdsurv.maps.legend import archipelago_frame, inset_label, island_frame, write_legend
from ncdsurv.maps.page import (
    MARGIN,
    NOTE_SIZE,
    TEXT_SIZE,
    TITLE_SIZE,
    Page,
    axes_at,
    draw_north,
    draw_scale,
    line_height,
    new_figure,
    pad,
    write_lines,
    write_texts,
)
from ncdsurv.maps.paint import (
    HATCHING,
    frame_box,
    paint_areas,
    paint_islands,
    paint_neighbours,
    paint_outlines,
)
from ncdsurv.maps.picture import GREYS, Picture, island_colour
from ncdsurv.maps.style import HATCH, INK, PAPER, SOFT_INK, figure_style, sequential
from ncdsurv.maps.wording import period_words, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, GAP, CAPTION = 2.1, 0.16, 0.36  # inches: the legend, between maps, above a map
TALLEST, LOWEST, NARROWEST_PAGE = 7.0, 3.4, 6.5  # inches of the grid, of the page
STRIP = 0.36  # width of the insets beside a map, in widths of the map
INSET_SCALE = 0.5  # of the map's scale, at most, for archipelagos
NARROWEST = 1.15  # a caption takes this much
_NEARLY = 0.75
_TINY_TEXT, _TINY_DOT = 5.0, 1.6


@dataclass(frozen=True)
class Grid:
    """Where the maps stand; lengths in inches, `scale` in inches per metre."""

    columns: int
    rows: int
    frame: Extent
    scale: float
    map_size: tuple[float, float]
    cell: tuple[float, float]

    @property
    def height(self) -> float:
        """Of all rows."""
        return self.rows * self.cell[1]


def plan_grid(layer: Layer, n: int, width: float, columns: int | None) -> Grid:
    """The grid of `n` maps whose maps are about the largest, or that of the columns asked for."""
    frame = pad(layer.extent)
    ground_w, ground_h = frame[2] - frame[0], frame[3] - frame[1]
    beside = 1 + STRIP if layer.insets or layer.archipelagos else 1.0

    def scale_of(across: int) -> float:
        down = ceil(n / across)
        wide, tall = width / across - GAP, TALLEST / down - CAPTION - GAP
        return min(wide / (ground_w * beside), tall / ground_h)

    # Of the columns that nearly keep the maps' size: full rows first, then long ones, as months are read along a row.
    most = max(min(n, int(width / NARROWEST)), 1)
    largest = max(scale_of(across) for across in range(1, most + 1))
    nearly = [across for across in range(1, most + 1) if scale_of(across) >= _NEARLY * largest]
    best = columns or min(nearly, key=lambda across: (-n % across, -across))
    scale = scale_of(best)
    size = ground_w * scale, ground_h * scale
    cell = max(size[0] * beside + GAP, NARROWEST), size[1] + CAPTION + GAP
    return Grid(best, ceil(n / best), frame, scale, size, cell)


def paint_multiples(
    pictures: list[Picture],
    title: list[str],
    lines: list[str],
    notes: list[str],
    columns: int | None,
    width: float,
) -> Figure:
    """Draw the maps in reading order and the legend that holds for all of them."""
    layer = pictures[0].layer
    grid = plan_grid(layer, len(pictures), width - 2 * MARGIN - PANEL - GAP, columns)
    width = max(2 * MARGIN + grid.columns * grid.cell[0] + GAP + PANEL, NARROWEST_PAGE)
    inner = width - 2 * MARGIN
    heading, below, foot = write_lines(inner, title, lines, notes, together_of(*pictures))
    top = MARGIN + len(heading) * line_height(TITLE_SIZE) + len(below) * line_height(TEXT_SIZE) + 0.12
    bottom = MARGIN + len(foot) * line_height(NOTE_SIZE) + 0.1
    room = max(grid.height, LOWEST)
    panel_x = MARGIN + grid.columns * grid.cell[0] + GAP
    panel = (panel_x, bottom, width - MARGIN - panel_x, room)
    page = Page(width, top + room + bottom, heading, below, foot, grid.frame, grid.scale, panel, panel)
    with figure_style():
        figure = new_figure(page)
        for at, picture in enumerate(pictures):
            down, across = divmod(at, grid.columns)
            x = MARGIN + across * grid.cell[0]
            y = bottom + room - (down + 1) * grid.cell[1] + GAP
            _one_map(figure, picture, grid, x, y)
        _panel(figure, page, pictures)
        write_texts(figure, page)
    return figure


def _one_map(figure: Figure, picture: Picture, grid: Grid, x: float, y: float) -> None:
    """A map with its period above and its insets beside."""
    from ncdsurv.maps.multiples import coverage

    layer = picture.layer
    wide, tall = grid.map_size
    axes = axes_at(figure, (x, y, wide, tall), grid.frame)
    if layer.within is not None:
        around = load_layer(picture.reference, "province", layer.vintage)
        paint_neighbours(axes, around.shapes, grid.frame)
    paint_areas(axes, layer, picture.colours, picture.small, line_width(layer) / 2, grid.scale)
    if layer.within is None and len(layer.codes) > MOST_NAMES:
        paint_outlines(axes, load_layer(picture.reference, "province", layer.vintage).shapes, 0.2)
    caption = axes_at(figure, (x, y + tall, grid.cell[0], CAPTION))
    words = period_words(picture.rows.period, picture.lang)
    caption.text(
        0, 0.2, words[0].upper() + words[1:], fontsize=TEXT_SIZE, color=INK, weight="bold", va="baseline"
    )
    caption.text(0, 0.07, coverage(picture, picture.lang), fontsize=6.2, color=SOFT_INK, va="baseline")
    _insets(figure, picture, grid, x + wide, y)


def _insets(figure: Figure, picture: Picture, grid: Grid, left: float, bottom: float) -> None:
    """Archipelagos and far islands in a strip beside the map, from its foot upwards, southern ones lowest."""
    layer, wide = picture.layer, grid.map_size[0] * STRIP - 0.04
    boxes: list[tuple[Extent, Any]] = [(archipelago_frame(one), one) for one in layer.archipelagos]
    boxes += [(island_frame(extent), None) for extent in layer.insets]
    room = grid.map_size[1] / max(len(boxes), 1) - 0.14
    y = bottom
    for frame, archipelago in sorted(boxes, key=lambda box: box[0][1]):
        largest = grid.scale * (INSET_SCALE if archipelago is not None else 1.0)
        scale = min(largest, wide / (frame[2] - frame[0]), room / (frame[3] - frame[1]))
        size = (frame[2] - frame[0]) * scale, (frame[3] - frame[1]) * scale
        axes = axes_at(figure, (left + 0.03, y, *size), frame)
        if archipelago is None:
            paint_areas(axes, layer, picture.colours, picture.small, 0.2, scale)
            name = inset_label(picture, frame, None)
        else:
            paint_islands(axes, archipelago.islands, island_colour(picture, archipelago), _TINY_DOT)
            name = archipelago.label(picture.lang).split(" (")[0]
            for words in (say("archipelago.before", picture.lang), say("archipelago.after", picture.lang)):
                name = name.replace(words, "").strip() if words else name
        frame_box(axes, 0.5)
        label = axes_at(figure, (left + 0.03, y + size[1], wide, 0.1))
        label.text(0, 0.02, name, fontsize=_TINY_TEXT, color=SOFT_INK, va="baseline")
        y += size[1] + 0.14


def _panel(figure: Figure, page: Page, pictures: list[Picture]) -> None:
    """Legend, north and scale, which hold for every map."""
    panel = axes_at(figure, page.panel_box)
    last = pictures[-1]
    y = _legend(panel, pictures, page.panel_box[2], page.panel_box[3] - CAPTION / 2) - 0.55
    draw_north(panel, 0.1, y - 0.04, last.lang)
    draw_scale(panel, page.scale, y, last.lang, x=0.38, longest=min(1.0, page.panel_box[2] - 1.0))


def _legend(panel: Axes, pictures: list[Picture], width: float, top: float) -> float:
    last = pictures[-1]
    lang, classes = last.lang, last.classes
    ramp = sequential(classes.k)
    entries: list[tuple[dict[str, Any], str]] = [
        ({"fc": ramp[at]}, classes.label(at, lang)) for at in reversed(range(classes.k))
    ]
    if any(any(one.small) for one in pictures):
        entries.append(({"fc": PAPER, "hatch": HATCHING, "ec": HATCH}, say("multiples.small", lang)))
    seen = {status for one in pictures for status in one.areas["status"].unique()}
    entries += [
        ({"fc": colour}, say(f"multiples.{status}", lang))
        for status, colour in GREYS.items()
        if status in seen
    ]
    unit = say(f"unit.{last.rows.identity['unit']}", lang)
    return write_legend(panel, unit[0].upper() + unit[1:], entries, width, top, classes.k)
