"""The verb: published values in, a map that can be printed out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from ncdsurv.maps.asked import Look, MapAsked, PictureAsked, part, settle, takes
from ncdsurv.maps.explain import (
    explain_map,
    heading_lines,
    heading_of,
    notes_of,
    subtitle_of,
    together_of,
)
from ncdsurv.maps.layers import Layer, load_layer
from ncdsurv.maps.legend import draw_panel, panel_height
from ncdsurv.maps.names import write_marks, write_names
from ncdsurv.maps.page import axes_at, new_figure, plan_page, write_texts
from ncdsurv.maps.paint import (
    paint_areas,
    paint_neighbours,
    paint_outlines,
)
from ncdsurv.maps.picture import Picture, class_counts, compose, counts_by_status, island_colour
from ncdsurv.maps.result import MapResult
from ncdsurv.maps.selection import SHOWN
from ncdsurv.maps.style import figure_style
from ncdsurv.maps.symbols import choose_symbols, paint_symbols

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "Picture",
    "class_counts",
    "compose",
    "counts_by_status",
    "draw_map",
    "island_colour",
    "line_width",
    "paint_map",
]
MOST_NAMES = 70  # more names than this cannot be read on a page
MOST_GREY_NAMES = 40  # beyond this only areas with a value are named


@takes(MapAsked)
def draw_map(values: Any, **asked: Unpack[MapAsked]) -> MapResult:
    """Draw a choropleth of one indicator in one period.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas).
        **asked: See `ncdsurv.maps.asked.MapAsked`.

    Returns:
        A `MapResult`. Areas with small numbers are hatched; areas without a value are grey, apart by reason.
        National maps show Hoàng Sa and Trường Sa.

    Raises:
        UsageError: The values are a mixture, hold no such period, or a setting is out of range.

    >>> import polars as pl
    >>> row = dict(release="r", indicator="control_rate", preset="hearts", disease="hypertension", sex="both",
    ...     age_band="all", area_vintage="2025", area_level="province", standardisation="crude", unit="percent",
    ...     numerator=50.0, denominator=100.0, lower=40.4, upper=59.6, ci_method="wilson", flag="ok", period="2026-06")
    >>> areas = [("01", 40.0), ("48", 45.5), ("79", 52.0), ("92", 61.0)]
    >>> result = draw_map(pl.DataFrame([row | dict(area_code=a, value=v) for a, v in areas]), lang="en", k=2)
    >>> result.title, result.breaks
    ('Control rate – Hypertension, Viet Nam, June 2026', (52.0,))
    >>> result.data.filter(pl.col("status") == "shown").select("name", "class").rows()
    [('Ha Noi', 0), ('Da Nang', 0), ('Ho Chi Minh City', 1), ('Can Tho', 1)]
    """
    one = settle(MapAsked, asked)
    picture = compose(values, **part(PictureAsked, one))
    if one["symbols"] is not None:
        found = choose_symbols(picture.areas, one["symbols"], picture.identity["unit"])
        picture = replace(picture, symbols=found)
    figure, missed = paint_map(
        picture, heading_lines(picture), subtitle_of(picture), notes_of(picture), **part(Look, one)
    )
    text = {lang: explain_map(picture, lang, missed) for lang in ("vi", "en")}
    data = picture.rows.back(picture.areas)
    return MapResult(figure, data, heading_of(picture), text, picture.lang, picture.classes, picture)


def paint_map(
    picture: Picture,
    title: list[str],
    lines: list[str],
    notes: list[str],
    *,
    legend: Callable[[Axes, Any, float, float], float] | None = None,
    marks: Mapping[str, str] | None = None,
    **look: Unpack[Look],
) -> tuple[Figure, list[str]]:
    """Draw a picture with the texts given; returns the figure and the names that found no place.

    Args:
        picture: Areas, colours and hatching.
        title, lines, notes: Text above (bold, plain) and at the foot.
        legend: Draws another legend than that of classes; see `ncdsurv.maps.legend.draw_panel`.
        marks: What to write on some areas, by code; names keep clear of it.
        **look: As of `draw_map`.
    """
    layer, shape = picture.layer, settle(Look, look)
    labels = shape["labels"]
    with figure_style():
        height = panel_height(picture, legend)
        page = plan_page(layer, shape["size"], title, lines, notes, height, together_of(picture))
        figure = new_figure(page)
        axes = axes_at(figure, page.map_box, page.frame)
        if layer.within is not None:
            around = load_layer(picture.reference, "province", layer.vintage)
            paint_neighbours(axes, around.shapes, page.frame)
        crowded = layer.within is None and len(layer.codes) > MOST_NAMES
        paint_areas(axes, layer, picture.fills, picture.hatched, line_width(layer), page.scale)
        if crowded:
            paint_outlines(axes, load_layer(picture.reference, "province", layer.vintage).shapes)
        circles = paint_symbols(axes, picture, page.frame, page.scale)
        draw_panel(figure, page, picture, legend)
        write_texts(figure, page)
        missed = []
        taken = [*circles, *write_marks(axes, layer, marks or {})]
        shown = (picture.areas["status"] == SHOWN).to_list()
        others = len(layer.codes) <= MOST_GREY_NAMES
        named = len(layer.codes) if others else sum(shown)
        if labels or (labels is None and named <= MOST_NAMES):
            missed = write_names(axes, layer, picture.lang, shown, 6.4 if others else 5.6, others, taken)
    return figure, missed


def line_width(layer: Layer) -> float:
    """Width of the areas' outlines in points: thin where there are many."""
    many = len(layer.codes) > MOST_NAMES
    return 0.06 if many and layer.within is None else 0.2 if many else 0.4
