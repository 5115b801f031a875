"""The verb: published values in, a map that can be printed out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ncdsurv.maps.classify import MOST_CLASSES, Classes, classify
from ncdsurv.maps.explain import explain_map, heading_lines, heading_of, notes_of, subtitle_of
from ncdsurv.maps.layers import Layer, load_layer
from ncdsurv.maps.legend import draw_panel
from ncdsurv.maps.page import axes_at, new_figure, plan_page, write_texts
from ncdsurv.maps.paint import paint_areas, paint_neighbours, paint_outlines, write_names
from ncdsurv.maps.result import MapResult
from ncdsurv.maps.selection import (
    NOT_DEFINED,
    SHOWN,
    MapRows,
    choose_rows,
    infer_within,
    is_small,
    join_areas,
    target_of,
)
from ncdsurv.maps.style import NOT_DEFINED as NOT_DEFINED_COLOUR
from ncdsurv.maps.style import NOT_REPORTED as NOT_REPORTED_COLOUR
from ncdsurv.maps.style import figure_style, sequential
from ncdsurv.maps.wording import language

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ncdsurv.catalog import Catalog
    from ncdsurv.reference import Reference

MOST_NAMES = 70  # more names than this cannot be read on a page
MOST_GREY_NAMES = 40  # beyond this only areas with a value are named


@dataclass(frozen=True)
class Picture:
    """Everything the parts of a map need to know, decided once."""

    rows: MapRows
    layer: Layer
    areas: pl.DataFrame
    classes: Classes
    target: Any
    catalog: Catalog
    reference: Reference
    lang: str

    @property
    def colours(self) -> list[str]:
        """Fill of every area, in the layer's order."""
        ramp = sequential(self.classes.k)
        other = {NOT_DEFINED: NOT_DEFINED_COLOUR}
        pairs = zip(self.areas["class"], self.areas["status"])
        return [other.get(status, NOT_REPORTED_COLOUR) if at is None else ramp[at] for at, status in pairs]

    @property
    def small(self) -> list[bool]:
        """Which areas are hatched."""
        pairs = zip(self.areas["flag"], self.areas["status"])
        return [status == SHOWN and is_small(flag) for flag, status in pairs]


def draw_map(
    values: Any,
    *,
    period: str | None = None,
    level: str | None = None,
    vintage: str | None = None,
    reference: Reference | None = None,
    within: str | None = None,
    lang: str = "vi",
    classes: str = "quantile",
    k: int = 5,
    labels: bool | None = None,
    size: tuple[float, float] | None = None,
    catalog: Catalog | None = None,
) -> MapResult:
    """Draw a choropleth of one indicator in one period.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas).
        period: `2026-06`, `2026-Q2` or `2026`; may be left out when the values hold one.
        level: Level of the areas; may be left out when the values hold one.
        vintage: Vintage of the codes; may be left out when the values hold one.
        reference: Boundaries and names; the built-in pack unless given.
        within: Code of the area to stay inside (of the same vintage). Left out, values of communes or districts
            of a single province give that province's map, all others the nation's.
        lang: Language of the map, `vi` or `en`.
        classes: `quantile`, `natural` (Fisher-Jenks) or `target` (against the national target).
        k: Number of classes, 2 to 7 (not for `target`); fewer where there are not two areas for each.
        labels: Write area names; None writes them when there are few enough.
        size: Width and height in inches; None suits the area's shape.
        catalog: Names and definitions; the built-in catalog unless given.

    Returns:
        A `MapResult`. Areas with small numbers are hatched; areas without a value are grey, apart by reason.
        National maps show Hoàng Sa and Trường Sa.

    Raises:
        UsageError: The values are a mixture, hold no such period, or a setting is out of range.
    """
    picture = compose(
        values, period=period, level=level, vintage=vintage, reference=reference, within=within, lang=lang,
        classes=classes, k=k, catalog=catalog,
    )  # fmt: skip
    figure, missed = paint_map(
        picture, heading_lines(picture), subtitle_of(picture), notes_of(picture), size=size, labels=labels
    )
    text = {one: explain_map(picture, one, missed) for one in ("vi", "en")}
    return MapResult(figure, picture.rows.back(picture.areas), heading_of(picture), text, lang)


def paint_map(
    picture: Picture,
    title: list[str],
    lines: list[str],
    notes: list[str],
    *,
    size: tuple[float, float] | None = None,
    labels: bool | None = None,
    legend: Callable[[Axes, Any, float, float], float] | None = None,
) -> tuple[Figure, list[str]]:
    """Draw a picture with the texts given; returns the figure and the names that found no place.

    Args:
        picture: Areas, colours and hatching.
        title, lines, notes: Text above (bold, plain) and at the foot.
        size, labels: As in `draw_map`.
        legend: Draws another legend than that of classes; see `ncdsurv.maps.legend.draw_panel`.
    """
    layer = picture.layer
    with figure_style():
        page = plan_page(layer, size, title, lines, notes)
        figure = new_figure(page)
        axes = axes_at(figure, page.map_box, page.frame)
        if layer.within is not None:
            around = load_layer(picture.reference, "province", layer.vintage)
            paint_neighbours(axes, around.shapes, page.frame)
        many = len(layer.codes) > MOST_NAMES
        crowded = layer.within is None and many
        paint_areas(axes, layer, picture.colours, picture.small, 0.06 if crowded else 0.2 if many else 0.4)
        if crowded:
            paint_outlines(axes, load_layer(picture.reference, "province", layer.vintage).shapes)
        draw_panel(figure, page, picture, legend)
        write_texts(figure, page)
        missed = []
        shown = (picture.areas["status"] == SHOWN).to_list()
        others = len(layer.codes) <= MOST_GREY_NAMES
        named = len(layer.codes) if others else sum(shown)
        if labels or (labels is None and named <= MOST_NAMES):
            missed = write_names(axes, layer, picture.lang, shown, 6.4 if others else 5.6, others=others)
    return figure, missed


def compose(
    values: Any,
    *,
    period: str | None = None,
    level: str | None = None,
    vintage: str | None = None,
    reference: Reference | None = None,
    within: str | None = None,
    lang: str = "vi",
    classes: str = "quantile",
    k: int = 5,
    catalog: Catalog | None = None,
) -> Picture:
    """Choose rows, load the layer and class the values: what every kind of map begins with."""
    lang = language(lang)
    if catalog is None:
        from ncdsurv.catalog import load_catalog

        catalog = load_catalog()
    if reference is None:
        from ncdsurv.reference import load_reference

        reference = load_reference()
    rows = choose_rows(values, period=period, level=level, vintage=vintage)
    within = within if within is not None else infer_within(rows, reference)
    layer = load_layer(reference, rows.level, rows.vintage, within)
    areas = join_areas(layer.codes, rows)
    numbers = areas["value"].to_numpy().astype(float)
    target = target_of(rows.identity, rows.period, catalog)
    indicator = catalog.indicators.get(rows.identity["indicator"])
    carried = max(int((~np.isnan(numbers)).sum()) // 2, 2)
    found = classify(
        numbers,
        classes,
        min(k, carried) if k <= MOST_CLASSES else k,  # too many is for `classify` to refuse
        target=target.percent if target else None,
        polarity=indicator.polarity if indicator else "no_judgement",
    )
    place = found.place(numbers)
    names = [layer.name(at, lang) for at in range(len(layer.codes))]
    areas = areas.with_columns(
        pl.Series("class", [None if at < 0 else int(at) for at in place], dtype=pl.Int8),
        pl.Series("name", names, dtype=pl.String),
    )
    columns = ["area_code", "name", "value", "lower", "upper", "numerator", "denominator", "flag", "status"]
    return Picture(rows, layer, areas.select(*columns, "class"), found, target, catalog, reference, lang)


def island_colour(picture: Picture, archipelago: Any) -> str:
    """Colour of an archipelago: of its own unit where the map has it, else of the area it lies in."""
    codes, vintage = picture.layer.codes, picture.layer.vintage
    chain = picture.reference.parents(vintage)
    province = archipelago.province[vintage]
    level = picture.layer.level
    region = None
    if level in ("region", "nation"):
        above = chain.filter(pl.col("province") == province)[level].drop_nulls()
        region = str(above[0]) if len(above) else None
    for code in (archipelago.area[vintage], province, region):
        if code in codes:
            return picture.colours[codes.index(code)]
    return NOT_REPORTED_COLOUR


def counts_by_status(picture: Picture) -> dict[str, int]:
    """Number of areas by status."""
    found = picture.areas["status"].value_counts()
    return dict(zip(found["status"].to_list(), found["count"].to_list()))


def class_counts(picture: Picture) -> np.ndarray:
    """Number of areas in every class, lowest first."""
    return np.bincount(picture.areas["class"].drop_nulls().to_numpy(), minlength=picture.classes.k)
