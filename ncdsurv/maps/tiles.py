"""A tile map of the provinces: one tile each, all of one size, roughly where the province lies."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from ncdsurv.catalog.vocabulary import Level, Vintage
from ncdsurv.errors import UsageError
from ncdsurv.maps.asked import TilesAsked, settle, takes
from ncdsurv.maps.explain import explain_map, heading_lines, heading_of, notes_of, subtitle_of, together_of
from ncdsurv.maps.legend import draw_legend
from ncdsurv.maps.lines import wrap
from ncdsurv.maps.page import (
    MARGIN,
    NOTE_SIZE,
    PANEL,
    TEXT_SIZE,
    TITLE_SIZE,
    Page,
    axes_at,
    line_height,
    new_figure,
    write_lines,
    write_texts,
)
from ncdsurv.maps.paint import HATCHING
from ncdsurv.maps.picture import Picture, compose, island_colour
from ncdsurv.maps.result import MapResult
from ncdsurv.maps.style import HATCH, INK, PAPER, SOFT_INK, figure_style, luminance
from ncdsurv.maps.wording import number, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE, BETWEEN = 0.56, 0.03  # inches: a tile, the space between two (part of the tile)
_NAME_SIZE, _VALUE_SIZE = 5.5, 7.4
Tile = tuple[int, int]


@cache
def tile_layout(vintage: str) -> dict[str, Tile]:
    """Column and row of every province and archipelago of a vintage, from `tiles.csv`; row 0 is the northernmost.

    Raises:
        UsageError: No layout for that vintage.

    >>> tile_layout("2025")["01"], len(tile_layout("2024")), len(tile_layout("2025"))
    ((3, 2), 65, 36)
    """
    text = files("ncdsurv.maps").joinpath("tiles.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["vintage"] == str(vintage)]
    if not rows:
        raise UsageError("no tile layout for this vintage", got=vintage, allowed=", ".join(map(str, Vintage)),
                         do="add its provinces to ncdsurv/maps/tiles.csv")  # fmt: skip
    return {row["code"]: (int(row["column"]), int(row["row"])) for row in rows}


@takes(TilesAsked)
def tile_map(values: Any, **asked: Unpack[TilesAsked]) -> MapResult:
    """Draw the provinces as tiles of one size, for indicators that a map of unequal areas would distort.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas); those of provinces
            are drawn.
        **asked: See `ncdsurv.maps.asked.TilesAsked`.

    Returns:
        A `MapResult`. Every tile says name and value; small numbers are hatched; Hoàng Sa and Trường Sa have tiles
        of their own in the colour of their province.

    Raises:
        UsageError: As `ns.choropleth`; or a province of the pack has no tile.

    >>> import polars as pl
    >>> row = dict(release="r", indicator="control_rate", preset="hearts", disease="hypertension", sex="both",
    ...     age_band="all", area_vintage="2025", area_level="province", standardisation="crude", unit="percent",
    ...     numerator=50.0, denominator=100.0, lower=40.4, upper=59.6, ci_method="wilson", flag="ok", period="2026-06")
    >>> rates = (("01", 52.0), ("79", 48.0))
    >>> values = pl.DataFrame([row | dict(area_code=code, value=value) for code, value in rates])
    >>> result = tile_map(values, lang="en", breaks=[50])
    >>> result.data.filter(pl.col("status") == "shown").select("name", "value", "class").rows()
    [('Ha Noi', 52.0, 1), ('Ho Chi Minh City', 48.0, 0)]
    """
    picture = compose(values, level=Level.PROVINCE.value, **settle(TilesAsked, asked))
    layout = tile_layout(picture.layer.vintage)
    without = [code for code in picture.layer.codes if code not in layout]
    if without:
        raise UsageError("provinces without a tile", got=", ".join(without[:12]),
                         allowed="every province of the pack in tiles.csv",
                         do="draw ns.choropleth, or add them to ncdsurv/maps/tiles.csv")  # fmt: skip
    figure = _paint(picture, layout)
    text = {one: explain_map(picture, one, [], about=_notes(picture, one)) for one in ("vi", "en")}
    data = picture.rows.back(picture.areas)
    return MapResult(figure, data, heading_of(picture), text, picture.lang, picture.classes, picture)


def _notes(picture: Picture, lang: str) -> list[str]:
    unit = say(f"unit.{picture.rows.identity['unit']}", lang)
    vintage = say(f"vintage.{Vintage(picture.layer.vintage)}", lang)
    release = picture.rows.identity["release"] or "–"
    return [
        say("tiles.what", lang, unit=unit),
        say("tiles.islands", lang),
        notes_of(picture, lang)[0],
        say("tiles.source", lang, release=release, vintage=vintage),
    ]


def _paint(picture: Picture, layout: dict[str, Tile]) -> Figure:
    columns = max(column for column, _ in layout.values()) + 1
    rows = max(row for _, row in layout.values()) + 1
    width = 2 * MARGIN + columns * SIDE + 0.25 + PANEL
    inner = width - 2 * MARGIN
    title, lines, notes = write_lines(
        inner,
        heading_lines(picture),
        subtitle_of(picture),
        _notes(picture, picture.lang),
        together_of(picture),
    )
    top = MARGIN + len(title) * line_height(TITLE_SIZE) + len(lines) * line_height(TEXT_SIZE) + 0.15
    bottom = MARGIN + len(notes) * line_height(NOTE_SIZE) + 0.12
    frame = (0.0, 0.0, float(columns), float(rows))
    box = (MARGIN, bottom, columns * SIDE, rows * SIDE)
    panel = (MARGIN + box[2] + 0.25, bottom, PANEL, box[3])
    page = Page(width, top + box[3] + bottom, title, lines, notes, frame, SIDE, box, panel)
    with figure_style():
        figure = new_figure(page)
        axes = axes_at(figure, box, frame)
        for place, row in enumerate(picture.areas.iter_rows(named=True)):
            look = picture.colours[place], picture.small[place]
            words = picture.layer.short_name(place, picture.lang), _value(row["value"], picture)
            _tile(
                axes,
                layout[row["area_code"]],
                rows,
                look,
                words,
            )
        for archipelago in picture.reference.archipelagos():
            look = island_colour(picture, archipelago), False
            label = archipelago.label(picture.lang).split(" (")[0]
            _tile(axes, layout[archipelago.id], rows, look, (label, ""), dashed=True)
        draw_legend(axes_at(figure, panel), picture, panel[2], panel[3])
        write_texts(figure, page)
    return figure


def _value(value: float | None, picture: Picture) -> str:
    """The value with one decimal, or with as many as keep it on its side of a limit; nothing where there is none."""
    if value is None:
        return ""
    unit = picture.rows.identity["unit"]
    if unit == "count":
        return number(value, picture.lang)
    place = int(picture.classes.place(np.array([value]))[0])
    exact = (n for n in (1, 2, 3) if picture.classes.place(np.array([round(value, n)]))[0] == place)
    sign = (
        say("unit.percent", picture.lang) if unit == "percent" else ""
    )  # other units are too long for a tile
    return number(value, picture.lang, next(exact, 1)) + sign


def _tile(
    axes: Axes, at: Tile, rows: int, look: tuple[str, bool], words: tuple[str, str], dashed: bool = False
) -> None:
    """A square with a name and a value; hatched where numbers are small, dashed for an archipelago."""
    from matplotlib.patches import Rectangle

    colour, small = look
    x, y, side = at[0] + BETWEEN, rows - 1 - at[1] + BETWEEN, 1 - 2 * BETWEEN
    ink = PAPER if luminance(colour) < 0.25 else INK
    edge: dict[str, Any] = (
        {"ec": INK, "lw": 0.8, "ls": (0, (3, 2))} if dashed else {"ec": SOFT_INK, "lw": 0.4}
    )
    axes.add_patch(Rectangle((x, y), side, side, fc=colour, **edge))
    if small:  # in the upper corner strip only, so that name and value stay readable
        band = Rectangle(
            (x, y + 0.8 * side), side, 0.2 * side, fill=False, ec=ink, lw=0, hatch=HATCHING + "//"
        )
        if hasattr(band, "set_hatchcolor"):
            band.set_hatchcolor(HATCH if ink == INK else PAPER)
        axes.add_patch(band)
    name, value = words
    lines = wrap(name, SIDE * 0.92, _NAME_SIZE)
    middle = y + side * (0.62 if value else 0.5)
    style: dict[str, Any] = {"color": ink, "ha": "center", "va": "center"}
    axes.text(x + side / 2, middle, "\n".join(lines), fontsize=_NAME_SIZE, linespacing=1.05, **style)
    if value:
        axes.text(x + side / 2, y + side * 0.2, value, fontsize=_VALUE_SIZE, weight="bold", **style)
