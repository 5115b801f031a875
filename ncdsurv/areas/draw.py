"""Maps of small-area results: smoothed rates in classes, clusters by kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import polars as pl

from ncdsurv.areas.sides import UNKNOWN, Sides
from ncdsurv.areas.words import phrase
from ncdsurv.catalog.vocabulary import NATION, Level
from ncdsurv.maps.asked import ClassChoice, Look, RatesAsked, part, settle
from ncdsurv.maps.wording import area_name, language, period_words, title_of

if TYPE_CHECKING:
    from ncdsurv.areas.take import AreaRows
    from ncdsurv.catalog import Catalog
    from ncdsurv.maps.picture import Picture
    from ncdsurv.maps.result import MapResult
    from ncdsurv.reference import Reference

# Areas on neither side; told apart from both sides' shades with any common colour vision deficiency.
COLOURS = {
    "not_significant": "#F7F6F2",
    "outside": "#F7F6F2",
    "island": "#F3E79B",
    "no_people": "#9A9A94",
    "no_value": "#C9C9C4",
}


@dataclass(frozen=True)
class Scene:
    """What a result keeps to be drawn later: the rows, the packs, the names."""

    rows: AreaRows
    reference: Reference
    catalog: Catalog

    def title(self, lang: str) -> str:
        """Indicator and disease, or a plain word where the values do not say."""
        if self.rows.identity["indicator"] is None:
            return phrase("unnamed", lang)
        return title_of(self.rows.identity, self.catalog, lang)

    @property
    def sides(self) -> Sides:
        """What high and low mean for the indicator."""
        indicator = self.catalog.indicators.get(self.rows.identity["indicator"])
        return Sides(indicator.polarity if indicator else UNKNOWN)

    def names(self, lang: str) -> dict[str, str]:
        """Name of every area by code."""
        areas = self.reference.areas(self.rows.level, self.rows.vintage)
        names = areas["name_en" if lang == "en" else "name"]
        return {
            code: name or other for code, name, other in zip(areas["code"], names, areas["name"], strict=True)
        }

    def headings(self, how: str, within: str | None, lang: str) -> list[str]:
        """Indicator and method; place and period."""
        level = within and self.reference.area(within, self.rows.vintage)["level"]
        return [f"{self.title(lang)}: {how}", self.place_and_period(within, level, lang)]

    def place_and_period(self, code: str | None, level: str | None, lang: str) -> str:
        """The area that holds all of them (None: the nation), and the period where there is one."""
        where = area_name(self.reference, code or NATION, self.rows.vintage, level or Level.NATION, lang)
        return f"{where}, {period_words(self.rows.period, lang)}" if self.rows.period else where


def draw_rates(
    scene: Scene,
    values: pl.DataFrame,
    how: str,
    notes: list[str],
    text: dict[str, str],
    lang: str,
    **asked: Unpack[RatesAsked],
) -> MapResult:
    """A choropleth of some rates.

    Args:
        scene: Rows, reference, catalog.
        values: [area_code, value] in the printed unit.
        how: Key of the method's name.
        notes: Lines for the foot, before the classes.
        text: The explanation by language.
        lang: `vi` or `en`.
        **asked: See `RatesAsked`.
    """
    from ncdsurv.maps.draw import paint_map
    from ncdsurv.maps.explain import notes_of, subtitle_of
    from ncdsurv.maps.result import MapResult

    one = settle(RatesAsked, asked)
    picture = _picture(scene, values, language(lang), part(ClassChoice, one))
    title = scene.headings(phrase(how, lang), picture.layer.within, lang)
    lines = [line for line in subtitle_of(picture) if line]
    foot = [*notes, *notes_of(picture)]
    figure, missed = paint_map(picture, title, lines, foot, **part(Look, one))
    data = scene.rows.back(picture.areas)
    return MapResult(figure, data, ", ".join(title), _with_unnamed(text, missed), lang, picture.classes)


def draw_kinds(
    scene: Scene,
    kinds: dict[str, str],
    entries: list[tuple[str, str, str]],
    how: str,
    notes: list[str],
    text: dict[str, str],
    lang: str,
    *,
    legend: str = "legend.clusters",
    marks: Mapping[str, str] | None = None,
    **look: Unpack[Look],
) -> MapResult:
    """A map of kinds of areas.

    Args:
        scene: Rows, reference, catalog.
        kinds: Kind by area code; an area that is not there has no figure.
        entries: (kind, colour, label) of the legend, in order; a kind that no area has is left out.
        how: Key of the method's name.
        notes: Lines for the foot, before the source.
        text: The explanation by language.
        lang: `vi` or `en`.
        legend: Key of the legend's title.
        marks: What to write on some areas, by code.
        **look: See `Look`.
    """
    from ncdsurv.maps.draw import paint_map
    from ncdsurv.maps.explain import notes_of, subtitle_of
    from ncdsurv.maps.result import MapResult

    lang = language(lang)
    rows = scene.rows
    rates = rows.used.select("area_code", value=pl.col("numerator") / pl.col("denominator") * rows.scale)
    plain = _picture(scene, rates, lang)
    of_area = [kinds.get(code, "no_value") for code in plain.layer.codes]
    picture = _with_kinds(plain, of_area, {kind: colour for kind, colour, _ in entries})
    shown = [(kind, colour, label, of_area.count(kind)) for kind, colour, label in entries if kind in of_area]
    title = scene.headings(phrase(how, lang), picture.layer.within, lang)
    panel = _Legend(legend, shown, scene.sides)
    foot = [*notes, *notes_of(picture)[1:]]
    lines = [line for line in subtitle_of(picture) if line]
    figure, missed = paint_map(picture, title, lines, foot, legend=panel, marks=marks, **look)
    data = picture.areas.drop("class").with_columns(kind=pl.Series(of_area, dtype=pl.String))
    return MapResult(figure, rows.back(data), ", ".join(title), _with_unnamed(text, missed), lang)


def _with_unnamed(text: dict[str, str], missed: list[str]) -> dict[str, str]:
    """The explanation by language, with the areas whose names found no room."""
    from ncdsurv.maps.wording import say

    if not missed:
        return text
    return {lang: f"{told}\n{say('unnamed', lang, names=', '.join(missed))}" for lang, told in text.items()}


@dataclass(frozen=True)
class _Legend:
    """A legend of kinds, with the sentence which side is good; called by the map's panel."""

    title: str
    entries: list[tuple[str, str, str, int]]
    sides: Sides

    def __call__(self, panel: Any, picture: Any, width: float, top: float) -> float:
        from ncdsurv.maps.legend import write_legend, write_remark
        from ncdsurv.maps.wording import number, say

        lang = picture.lang
        rows: list[tuple[dict[str, Any], str]] = [
            ({"fc": colour}, f"{label}\u00a0({number(n, lang)})") for _, colour, label, n in self.entries
        ]
        title = phrase(self.title, lang, areas=say(f"level.{picture.layer.level}", lang))
        y = write_legend(panel, title, rows, width, top, -1)
        return write_remark(panel, self.sides.explain(lang), width, y)


def _picture(scene: Scene, values: pl.DataFrame, lang: str, classed: ClassChoice | None = None) -> Picture:
    """The picture of values of some areas; without a choice of classes they are all in one."""
    from ncdsurv.maps.classify import Classes
    from ncdsurv.maps.picture import Picture, choose_classes, open_layer, with_classes
    from ncdsurv.maps.selection import MapRows, join_areas, target_of

    held = scene.rows
    frame = held.frame.drop("status").join(values, on="area_code", how="left", maintain_order="left")
    frame = frame.with_columns(lower=pl.lit(None, pl.Float64), upper=pl.lit(None, pl.Float64))
    rows = MapRows(held.identity, frame, held.level, held.vintage, held.period or "", held.back)
    layer = open_layer(rows, scene.reference, None)
    areas = join_areas(layer.codes, rows)
    target, classes = None, Classes("quantile", (0.0, float("inf")), 0)
    if classed is not None:
        target = target_of(rows.identity, held.period, scene.catalog) if held.period else None
        known = areas["value"].to_numpy().astype(float)
        classes = choose_classes(known, rows, scene.catalog, target, **classed)
    shown = with_classes(areas, layer, classes, lang)
    return Picture(rows, layer, shown, classes, target, scene.catalog, scene.reference, lang)


def _with_kinds(picture: Picture, kinds: list[str], colours: dict[str, str]) -> Picture:
    """The picture with a colour for every kind and nothing hatched."""
    from dataclasses import fields

    from ncdsurv.maps.picture import Picture

    class OfKinds(Picture):
        @property
        def colours(self) -> list[str]:
            return [colours.get(kind, COLOURS["no_value"]) for kind in kinds]

        @property
        def small(self) -> list[bool]:
            return [False] * len(kinds)

    return OfKinds(**{field.name: getattr(picture, field.name) for field in fields(picture)})
