"""What the areas of a map lie in: the names that tell them apart, and the lines drawn heavier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.catalog.vocabulary import Language, Level
from ncdsurv.maps.interactive.words import LANGUAGES
from ncdsurv.maps.style import nfc

if TYPE_CHECKING:
    from ncdsurv.maps.picture import Picture


def parents_of(picture: Picture) -> dict[str, Any]:
    """What every area lies in: which one, and their names; a commune of the old vintage names its district too."""
    layer, reference = picture.layer, picture.reference
    above = _levels_above(layer.level)
    if not above:
        return {"of": [-1] * len(layer.codes), "names": {one: [] for one in LANGUAGES}}
    chain = reference.parents(layer.vintage).filter(pl.col(layer.level).is_in(layer.codes))
    held = {row[0]: row[1:] for row in chain.select(layer.level, *above).unique().sort(pl.all()).iter_rows()}
    groups = sorted({held[code] for code in layer.codes if code in held}, key=str)
    known = {
        (level, lang): names
        for level in above
        for lang, names in _names(reference.areas(level, layer.vintage)).items()
    }
    names = {
        lang: [
            ", ".join(known[level, lang][code] for level, code in zip(above, group) if code is not None)
            for group in groups
        ]
        for lang in LANGUAGES
    }
    places = {group: place for place, group in enumerate(groups)}
    return {"of": [places[held[code]] if code in held else -1 for code in layer.codes], "names": names}


def _levels_above(level: str) -> list[Level]:
    """Levels that tell two areas of one name apart, the nearest first."""
    if level == Level.COMMUNE:
        return [Level.DISTRICT, Level.PROVINCE]
    if level == Level.DISTRICT:
        return [Level.PROVINCE]
    return [Level.REGION] if level == Level.PROVINCE else []


def _names(areas: pl.DataFrame) -> dict[str, dict[str, str]]:
    rows = list(areas.select("code", "name", "name_en").iter_rows())
    return {
        Language.VI: {code: nfc(name) for code, name, _ in rows},
        Language.EN: {code: nfc(name_en or name) for code, name, name_en in rows},
    }


def outlined(picture: Picture) -> list[str | None]:
    """What a heavier line runs around: the province of every area, or of provinces the region."""
    layer = picture.layer
    above = _levels_above(layer.level)
    if not above:
        return [None] * len(layer.codes)
    chain = picture.reference.parents(layer.vintage).select(layer.level, above[-1]).drop_nulls().unique()
    held = dict(chain.sort(pl.all()).iter_rows())
    return [held.get(code) for code in layer.codes]
