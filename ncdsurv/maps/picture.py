"""A picture: rows, areas, classes and colours of a map, decided once before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import polars as pl

from ncdsurv.maps import style
from ncdsurv.maps.asked import ClassChoice, PictureAsked, part, settle
from ncdsurv.maps.classify import MOST_CLASSES, Classes, classify, fixed_classes
from ncdsurv.maps.layers import Layer, load_layer
from ncdsurv.maps.selection import (
    NOT_DEFINED,
    NOT_REPORTED,
    SHOWN,
    SUPPRESSED,
    MapRows,
    choose_rows,
    infer_within,
    is_small,
    join_areas,
    same_kind,
    target_of,
)
from ncdsurv.maps.wording import language

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.maps.symbols import Symbols
    from ncdsurv.reference import Reference

# Why an area carries no class, and its colour, in the order of the legend.
GREYS = {
    SUPPRESSED: style.SUPPRESSED,
    NOT_DEFINED: style.NOT_DEFINED,
    NOT_REPORTED: style.NOT_REPORTED,
}
COLUMNS = ("area_code", "name", "value", "lower", "upper", "numerator", "denominator", "flag", "status")


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
    symbols: Symbols | None = field(default=None, kw_only=True)

    @property
    def identity(self) -> dict[str, Any]:
        """What all values of the map share."""
        return self.rows.identity

    @property
    def colours(self) -> list[str]:
        """Fill of every area, in the layer's order."""
        ramp = style.sequential(self.classes.k)
        pairs = zip(self.areas["class"], self.areas["status"])
        return [GREYS.get(status, style.NOT_REPORTED) if at is None else ramp[at] for at, status in pairs]

    @property
    def fills(self) -> list[str]:
        """What the areas' surfaces are painted with: under circles they stay pale, save for what has no value."""
        if self.symbols is None:
            return self.colours
        return [
            style.LAND if status == SHOWN else colour
            for colour, status in zip(self.colours, self.areas["status"])
        ]

    @property
    def hatched(self) -> list[bool]:
        """Which surfaces are hatched: under circles none, since the circles are."""
        return self.small if self.symbols is None else [False] * len(self.layer.codes)

    @property
    def small(self) -> list[bool]:
        """Which areas have small numbers."""
        pairs = zip(self.areas["flag"], self.areas["status"])
        return [status == SHOWN and is_small(flag) for flag, status in pairs]


def packs(catalog: Catalog | None, reference: Reference | None) -> tuple[Catalog, Reference]:
    """The catalog and the reference given, else the built-in ones."""
    if catalog is None:
        from ncdsurv.catalog import load_catalog

        catalog = load_catalog()
    if reference is None:
        from ncdsurv.reference import load_reference

        reference = load_reference()
    return catalog, reference


def compose(values: Any, **asked: Unpack[PictureAsked]) -> Picture:
    """Choose rows, load the layer and class the values: what every kind of map begins with."""
    one = settle(PictureAsked, asked)
    lang, across = language(one["lang"]), one["across"]
    catalog, reference = packs(one["catalog"], one["reference"])
    rows = choose_rows(values, period=one["period"], level=one["level"], vintage=one["vintage"])
    layer = open_layer(rows, reference, one["within"])
    areas = join_areas(layer.codes, rows)
    known = same_kind(values, rows, layer.codes) if across else areas["value"].to_numpy().astype(float)
    target = target_of(rows.identity, rows.period, catalog)
    found = choose_classes(known, rows, catalog, target, **part(ClassChoice, one))
    found = replace(found, shared=across and one["breaks"] is None)
    classed = with_classes(areas, layer, found, lang)
    return Picture(rows, layer, classed, found, target, catalog, reference, lang)


def open_layer(rows: MapRows, reference: Reference, within: str | None) -> Layer:
    """The areas that rows are of: within the area asked for, the province that holds all rows, or the nation."""
    within = within if within is not None else infer_within(rows, reference)
    return load_layer(reference, rows.level, rows.vintage, within)


def choose_classes(
    known: np.ndarray, rows: MapRows, catalog: Catalog, target: Any, **asked: Unpack[ClassChoice]
) -> Classes:
    """The classes asked for: the limits given, else a scheme worked out over `known`."""
    one = settle(ClassChoice, asked)
    breaks, k = one["breaks"], one["k"]
    if breaks is not None:
        return fixed_classes(breaks)
    indicator = catalog.indicators.get(rows.identity["indicator"])
    carried = max(int((~np.isnan(known)).sum()) // 2, 2)
    return classify(
        known,
        one["classes"],
        min(k, carried) if k <= MOST_CLASSES else k,  # too many is for `classify` to refuse
        target=target.percent if target else None,
        polarity=indicator.polarity if indicator else "no_judgement",
    )


def with_classes(areas: pl.DataFrame, layer: Layer, classes: Classes, lang: str) -> pl.DataFrame:
    """Areas of `join_areas` with name and class (null without a value)."""
    place = classes.place(areas["value"].to_numpy().astype(float))
    names = [layer.name(at, lang) for at in range(len(layer.codes))]
    areas = areas.with_columns(
        pl.Series("class", [None if at < 0 else int(at) for at in place], dtype=pl.Int8),
        pl.Series("name", names, dtype=pl.String),
    )
    return areas.select(*COLUMNS, "class")


def island_colour(picture: Picture, archipelago: Any) -> str:
    """Colour of an archipelago: of its own unit where the map has it, else of the area it lies in."""
    code = island_code(picture.reference, picture.layer, archipelago)
    return style.NOT_REPORTED if code is None else picture.fills[picture.layer.codes.index(code)]


def island_code(reference: Reference, layer: Layer, archipelago: Any) -> str | None:
    """The area of a layer whose value an archipelago shows: its own unit, its province or its region."""
    codes, vintage = layer.codes, layer.vintage
    chain = reference.parents(vintage)
    province = archipelago.province[vintage]
    region = None
    if layer.level in ("region", "nation"):
        above = chain.filter(pl.col("province") == province)[layer.level].drop_nulls()
        region = str(above[0]) if len(above) else None
    units = (archipelago.area[vintage], province, region)
    return next((code for code in units if code in codes), None)


def counts_by_status(picture: Picture) -> dict[str, int]:
    """Number of areas by status."""
    found = picture.areas["status"].value_counts()
    return dict(zip(found["status"].to_list(), found["count"].to_list()))


def class_counts(picture: Picture) -> np.ndarray:
    """Number of areas in every class, lowest first."""
    return np.bincount(picture.areas["class"].drop_nulls().to_numpy(), minlength=picture.classes.k)
