"""The right-hand panel: legend with counts, scale, north, insets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ncdsurv.maps.layers import Extent, project_points
from ncdsurv.maps.lines import wrap
from ncdsurv.maps.page import NOTE_SIZE, PANEL, TEXT_SIZE, Page, axes_at, draw_north, draw_scale, line_height
from ncdsurv.maps.paint import HATCHING, OUTLINE, frame_box, paint_areas, paint_islands
from ncdsurv.maps.style import HATCH, INK, PAPER, SOFT_INK, sequential
from ncdsurv.maps.symbols import COUNT, paint_symbols
from ncdsurv.maps.wording import number, say, symbols_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ncdsurv.maps.picture import Picture
    from ncdsurv.maps.symbols import Symbols

ROW, SWATCH = 0.215, (0.28, 0.15)
INSET_GAP = 0.12
_STRIP, _CAPTION, _NARROWEST = 0.3, 0.13, 1.0
_FURNITURE, _BELOW, _LEAST_INSET = 0.55, 0.25, 0.8  # north and scale; under them; an inset with its caption


def draw_panel(
    figure: Figure,
    page: Page,
    picture: Picture,
    legend: Callable[[Axes, Any, float, float], float] | None = None,
) -> None:
    """Draw legend, scale bar, north arrow and insets into the page's panel, from top to bottom.

    `legend` takes the panel's axes, the picture, its width and its top, and returns where it ends, in inches.
    """
    panel = axes_at(figure, page.panel_box)
    width, height = page.panel_box[2], page.panel_box[3]
    y = (legend or draw_legend)(panel, picture, width, height)
    y -= _FURNITURE
    draw_north(panel, 0.1, y - 0.04, picture.lang)
    draw_scale(panel, page.scale, y, picture.lang, x=0.38, longest=min(1.2, width - 1.1))
    _insets(figure, page, picture, y - _BELOW)


def panel_height(picture: Picture, legend: Callable[[Axes, Any, float, float], float] | None = None) -> float:
    """Inches that legend, scale bar and insets take at least, found by drawing the legend on a scrap."""
    from matplotlib.figure import Figure

    scrap = Figure(figsize=(PANEL, 1.0)).add_axes((0, 0, 1, 1))
    ends = (legend or draw_legend)(scrap, picture, PANEL, 0.0)
    insets = len(picture.layer.insets) + len(picture.layer.archipelagos)
    return -ends + _FURNITURE + _BELOW + _LEAST_INSET * insets


def draw_legend(panel: Axes, picture: Picture, width: float, top: float) -> float:
    """Draw the legend downwards from `top`; returns where it ends."""
    from ncdsurv.maps.picture import GREYS, class_counts, counts_by_status

    lang, classes = picture.lang, picture.classes
    unit = say(f"unit.{picture.rows.identity['unit']}", lang)
    areas = say(f"level.{picture.layer.level}", lang)
    ramp, counts = sequential(classes.k), class_counts(picture)
    if picture.symbols is not None:
        top = draw_circles(panel, picture, picture.symbols, width, top) - 0.08
    one_colour = picture.symbols is not None and picture.rows.identity["unit"] == COUNT
    shown = 0 if one_colour else classes.k
    entries: list[tuple[dict[str, Any], str]] = [
        ({"fc": ramp[at]}, f"{classes.label(at, lang)}  ({number(counts[at], lang)})")
        for at in reversed(range(shown))
    ]
    if small := sum(picture.small):
        hatch = {"fc": PAPER, "hatch": HATCHING, "ec": HATCH}
        entries.append((hatch, say("small", lang, n=number(small, lang))))
    found = counts_by_status(picture)
    for status, colour in GREYS.items():
        if found.get(status):
            entries.append(({"fc": colour}, say(status, lang, n=number(found[status], lang))))
    title = "" if one_colour else say("legend_title", lang, unit=unit, areas=areas)
    return write_legend(panel, title, entries, width, top, shown or -1)


def draw_circles(panel: Axes, picture: Picture, symbols: Symbols, width: float, top: float) -> float:
    """Circles of round counts with what they count above them, downwards from `top`; returns where they end."""
    from matplotlib.patches import Circle

    lang = picture.lang
    y = write_legend(
        panel, symbols_words(symbols.column, picture.rows.identity["unit"], lang), [], width, top, -1
    )
    for count in symbols.shown_in_legend:
        radius = symbols.radius(count)
        tall = max(2 * radius + 0.05, 0.17)
        panel.add_patch(
            Circle((max(symbols.largest, 0.14) + 0.02, y - tall / 2), radius, fc=PAPER, ec=INK, lw=0.6)
        )
        panel.text(
            max(2 * symbols.largest, 0.28) + 0.14, y - tall / 2, number(count, lang), fontsize=TEXT_SIZE, color=INK,
            va="center_baseline",
        )  # fmt: skip
        y -= tall
    none = sum(count == 0 for count in symbols.counts)
    return write_remark(panel, say("symbols.none", lang, n=number(none, lang)), width, y) if none else y


def write_legend(
    panel: Axes, title: str, entries: list[tuple[dict[str, Any], str]], width: float, top: float, gap: int
) -> float:
    """A bold title and swatches with labels, downwards from `top`; a gap before entry `gap`; returns the end."""
    from matplotlib.patches import Rectangle

    y = top
    for line in wrap(title, width, TEXT_SIZE, bold=True):
        panel.text(0, y, line, fontsize=TEXT_SIZE, color=INK, weight="bold", va="top")
        y -= 0.17
    y -= 0.06
    for place, (look, label) in enumerate(entries):
        if place == gap:
            y -= 0.07
        style: dict[str, Any] = {"ec": OUTLINE, "lw": 0.5} | look
        panel.add_patch(Rectangle((0.02, y - SWATCH[1]), *SWATCH, **style))
        if "hatch" in look:
            panel.add_patch(Rectangle((0.02, y - SWATCH[1]), *SWATCH, fill=False, ec=OUTLINE, lw=0.5))
        lines = wrap(label, width - 0.4, TEXT_SIZE)
        for line in lines:
            panel.text(0.4, y - SWATCH[1] / 2, line, fontsize=TEXT_SIZE, color=INK, va="center")
            y -= ROW if line is lines[-1] else 0.15
    return y


def write_remark(panel: Axes, text: str, width: float, top: float) -> float:
    """Small print under a legend, downwards from `top`; returns where it ends."""
    y = top - 0.02
    for line in wrap(text, width, NOTE_SIZE):
        panel.text(0, y, line, fontsize=NOTE_SIZE, color=SOFT_INK, va="top")
        y -= line_height(NOTE_SIZE)
    return y


def _insets(figure: Figure, page: Page, picture: Picture, below: float) -> None:
    """Archipelagos and islands far from the main land, from the panel's foot upwards, none above `below`."""
    layer = picture.layer
    boxes: list[tuple[Extent, Any]] = [(archipelago_frame(one), one) for one in layer.archipelagos]
    boxes += [(island_frame(extent), None) for extent in layer.insets]
    # The small ones first: what they leave of their share goes to the large ones.
    boxes.sort(key=lambda box: box[0][3] - box[0][1])
    left, bottom, width, _ = page.panel_box
    room, planned = (
        max(below, _LEAST_INSET * len(boxes)),
        [],
    )  # a small page lets them meet the legend, not vanish
    for at, (frame, archipelago) in enumerate(boxes):
        label = inset_label(picture, frame, archipelago)
        # A caption is made of names only: it is cut between them.
        lines = wrap(label, width, NOTE_SIZE, together=label.replace(" (", ", (").split(", "))
        text = len(lines) * _CAPTION + 0.04
        height = room / (len(boxes) - at) - INSET_GAP - text
        frame, scale = _fit(frame, page.scale, width, height)
        planned.append((frame, scale, archipelago, lines))
        room -= (frame[3] - frame[1]) * scale + text + INSET_GAP
    y = bottom
    for frame, scale, archipelago, lines in sorted(planned, key=lambda item: item[0][1]):
        text = len(lines) * _CAPTION + 0.04
        box = (left, y + text, (frame[2] - frame[0]) * scale, (frame[3] - frame[1]) * scale)
        axes = axes_at(figure, box, frame)
        if archipelago is None:
            paint_areas(axes, layer, picture.fills, picture.hatched, 0.3, scale)
        else:
            from ncdsurv.maps.picture import island_colour

            paint_islands(axes, archipelago.islands, island_colour(picture, archipelago))
        paint_symbols(axes, picture, frame, scale, archipelago)
        frame_box(axes)
        caption = axes_at(figure, (left, y, width, text - 0.04))
        for at, line in enumerate(lines):
            caption.text(0, (len(lines) - at) * _CAPTION, line, fontsize=NOTE_SIZE, color=SOFT_INK, va="top")
        if scale != page.scale:
            bar = axes_at(figure, (box[0], box[1] + box[3] - _STRIP, box[2], _STRIP))
            draw_scale(bar, scale, 0.1, picture.lang, x=0.1, longest=max(0.15, min(0.8, box[2] - 0.6)))
        y += text + box[3] + INSET_GAP


def _fit(frame: Extent, scale: float, width: float, height: float) -> tuple[Extent, float]:
    """Scale of an inset; a smaller one than the map's gets a strip above for a bar of its own, and its width."""
    west, south, east, north = frame
    if (east - west) * scale <= width and (north - south) * scale <= height:
        return frame, scale
    scale = min(width / (east - west), (height - _STRIP) / (north - south))
    spare = max(_NARROWEST / scale - (east - west), 0.0) / 2
    return (west - spare, south, east + spare, north + _STRIP / scale), scale


def archipelago_frame(archipelago: Any) -> Extent:
    """The box of an archipelago in metres."""
    west, south, east, north = archipelago.box
    x, y = project_points([west, east, west, east], [south, south, north, north])
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def island_frame(extent: Extent) -> Extent:
    """A box around islands with a rim."""
    rim = max(0.12 * max(extent[2] - extent[0], extent[3] - extent[1]), 2_000.0)
    return extent[0] - rim, extent[1] - rim, extent[2] + rim, extent[3] + rim


def inset_label(picture: Picture, frame: Extent, archipelago: Any) -> str:
    """What stands under an inset: the archipelago, or the areas in it."""
    if archipelago is not None:
        return str(archipelago.label(picture.lang))
    import shapely

    inside = shapely.within(shapely.centroid(picture.layer.shapes), shapely.box(*frame))
    names = [picture.layer.name(place, picture.lang) for place in inside.nonzero()[0]]
    if len(names) <= 2:
        return ", ".join(names)
    return ", ".join(names[:2]) + " " + say("more", picture.lang, n=len(names) - 2)
