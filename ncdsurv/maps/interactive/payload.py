"""Everything the page knows, as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.catalog.vocabulary import Level, Period
from ncdsurv.maps.explain import heading_lines, notes_of, place_of, subtitle_of
from ncdsurv.maps.interactive.cells import columns, decimals_of, grey_marks, marks
from ncdsurv.maps.interactive.places import outlined, parents_of
from ncdsurv.maps.interactive.topology import Grid, make_topology, thin
from ncdsurv.maps.interactive.words import LANGUAGES, page_words, phrase
from ncdsurv.maps.layers import Extent, load_layer, project_points
from ncdsurv.maps.picture import GREYS, Picture, island_code
from ncdsurv.maps.style import FITTED, INK, LAND, RULE, luminance, sequential
from ncdsurv.maps.wording import number, period_words, rules_of, say, title_of

if TYPE_CHECKING:
    from ncdsurv.maps.interactive.series import Series

_MARGIN = 1.5  # of the frame's longer side: how far neighbours around a province are drawn
_DARK = 0.25  # luminance below which hatching is drawn in paper colour, as on the printed maps


def make_payload(series: Series, *, lang: str, invented: bool) -> dict[str, Any]:
    """The document of the page.

    Args:
        series: Pictures of every period.
        lang: Language the page opens in.
        invented: Whether to say that the people are invented.
    """
    last = series.last
    layer, unit = last.layer, last.rows.identity["unit"]
    grid = Grid.over(layer.extent)
    topology = make_topology(thin(layer.shapes), grid)
    ramp = sequential(last.classes.k)
    return {
        "lang": lang,
        "words": {one: page_words(one, unit, layer.level) for one in LANGUAGES},
        "texts": {one: _texts(series, one, invented) for one in LANGUAGES},
        "periods": [
            {
                "id": picture.rows.period,
                "month": Period.parse(picture.rows.period).last_month,
                **{one: period_words(picture.rows.period, one) for one in LANGUAGES},
                "covered": {one: subtitle_of(picture, one)[1] for one in LANGUAGES},
            }
            for picture in series.pictures
        ],
        "span": Period.parse(last.rows.period).n_months,
        "percent": unit == "percent",
        "decimals": decimals_of(unit),
        "confidence": _confidence(last),
        "classes": [
            {
                "colour": ramp[at],
                "dark": luminance(ramp[at]) < _DARK,
                **{one: last.classes.label(at, one) for one in LANGUAGES},
            }
            for at in range(last.classes.k)
        ],
        "target": _target(last),
        "greys": {mark: {"status": status, "colour": GREYS[status]} for status, mark in grey_marks().items()},
        "colours": {"land": LAND, "rule": RULE, "ink": INK, "line": FITTED},
        "codes": layer.codes,
        "names": {one: [layer.name(at, one) for at in range(len(layer.codes))] for one in LANGUAGES},
        "parents": parents_of(last),
        "marks": marks(series.pictures),
        "cells": columns(series.pictures, unit),
        "frame": grid.box(layer.extent),
        "step": grid.step,
        "shapes": topology.packed(),
        "borders": topology.borders(outlined(last)),
        "around": _around(last, grid),
        "insets": _insets(last, grid),
    }


def _texts(series: Series, lang: str, invented: bool) -> dict[str, Any]:
    last = series.last
    identity = last.rows.identity
    indicator = last.catalog.indicators.get(identity["indicator"])
    notes = notes_of(last, lang)
    title, place = heading_lines(last, lang)[0], place_of(last, lang)
    about = [
        *([say("definition", lang, text=indicator.definition[lang])] if indicator else []),
        phrase("published", lang),
        phrase("ranking", lang),
        phrase("gaps", lang),
    ]
    return {
        "title": title_of(identity, last.catalog, lang),
        "page": f"{title}, {place}",
        "place": place,
        "rules": rules_of(identity, last.catalog, lang),
        "invented": phrase("invented", lang) if invented else "",
        "schematic": say("schematic", lang) if last.layer.schematic else "",
        "scheme": notes[0],
        "source": notes[1],
        "about": about,
    }


def _confidence(picture: Picture) -> str:
    rules = next(iter(picture.catalog.publication.values()))
    return f"{100 * rules.confidence:g}"


def _target(picture: Picture) -> dict[str, Any] | None:
    """The target of a map by target: its value, and how many classes lie below it."""
    target = picture.target
    if target is None or picture.classes.scheme != "target":
        return None
    below = int(np.searchsorted(np.array(picture.classes.edges), target.percent - 1e-9))
    return {
        "value": round(target.percent * 10 ** decimals_of(picture.rows.identity["unit"])),
        "below": below,
        **{
            one: phrase("target", one, target=f"{number(target.percent, one)}% ({target.instrument[one]})")
            for one in LANGUAGES
        },
    }


def _around(picture: Picture, grid: Grid) -> dict[str, str] | None:
    """Neighbouring provinces around the map of one area, pale; nothing around the nation."""
    import shapely

    layer = picture.layer
    if layer.within is None:
        return None
    west, south, east, north = layer.extent
    reach = _MARGIN * max(east - west, north - south)
    provinces = load_layer(picture.reference, Level.PROVINCE, layer.vintage)
    # The area's own province would show beneath its communes where it reaches over the sea.
    own = set(picture.reference.codes_within(layer.within, layer.vintage, Level.PROVINCE))
    others = [shape for code, shape in zip(provinces.codes, provinces.shapes) if code not in own]
    clipped = shapely.clip_by_rect(
        shapely.make_valid(others), west - reach, south - reach, east + reach, north + reach
    )
    parts = shapely.get_parts(shapely.get_parts(clipped))
    polygons = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    return make_topology(shapely.simplify(polygons, 4 * grid.step), grid).packed()


def _insets(picture: Picture, grid: Grid) -> list[dict[str, Any]]:
    """Archipelagos as dots in their boxes; island groups far from the main land as frames of the same shapes."""
    layer = picture.layer
    found = []
    for one in layer.archipelagos:
        west, south, east, north = one.box
        x, y = project_points([west, east, west, east], [south, south, north, north])
        box: Extent = (float(x.min()), float(y.min()), float(x.max()), float(y.max()))
        at = project_points([lon for _, lon, _ in one.islands], [lat for _, _, lat in one.islands])
        code = island_code(picture.reference, layer, one)
        found.append(
            {
                "frame": grid.box(box),
                "dots": grid.place(np.column_stack(at)).tolist(),
                "area": -1 if code is None else layer.codes.index(code),
                **{lang: one.label(lang) for lang in LANGUAGES},
            }
        )
    found += [
        {"frame": grid.box(_wider(box)), "dots": [], "area": -1, **_far_names(picture, box)}
        for box in layer.insets
    ]
    return found


def _wider(box: Extent) -> Extent:
    west, south, east, north = box
    rim = 0.15 * max(east - west, north - south)
    return west - rim, south - rim, east + rim, north + rim


def _far_names(picture: Picture, box: Extent) -> dict[str, str]:
    """Names of the areas that lie in a frame of far islands."""
    import shapely

    layer = picture.layer
    held = np.flatnonzero(shapely.intersects(layer.shapes, shapely.box(*box)))
    return {
        one: phrase("far_islands", one, name=", ".join(layer.name(int(at), one) for at in held))
        for one in LANGUAGES
    }
