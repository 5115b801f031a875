"""The words on and about a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import Vintage
from ncdsurv.maps.selection import NOT_DEFINED, NOT_REPORTED, SHOWN, SUPPRESSED
from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import (
    area_name,
    number,
    period_words,
    rules_of,
    say,
    symbols_words,
    title_of,
    with_unit,
)

if TYPE_CHECKING:
    from ncdsurv.maps.picture import Picture


def heading_of(picture: Picture, lang: str | None = None) -> str:
    """Indicator, disease, place and period in one line."""
    return ", ".join(heading_lines(picture, lang))


def heading_lines(picture: Picture, lang: str | None = None) -> list[str]:
    """Indicator and disease; place and period."""
    lang = lang or picture.lang
    rows = picture.rows
    where = f"{place_of(picture, lang)}, {period_words(rows.period, lang)}"
    return [title_of(rows.identity, picture.catalog, lang), where]


def place_of(picture: Picture, lang: str) -> str:
    """Name of the area that the map stays inside, or the nation's."""
    layer = picture.layer
    if layer.within is None:
        return say("nation", lang)
    level = picture.reference.area(layer.within, layer.vintage)["level"]
    return area_name(picture.reference, layer.within, layer.vintage, level, lang)


def together_of(*pictures: Picture) -> list[str]:
    """Words on these maps that no line parts: place and periods."""
    periods = [one.rows.period for one in pictures if one.rows.period]
    lang = pictures[0].lang
    return [place_of(pictures[0], lang), *(period_words(one, lang) for one in periods)]


def subtitle_of(picture: Picture, lang: str | None = None) -> list[str]:
    """Rules, and how much of the country is counted."""
    lang = lang or picture.lang
    return [rules_of(picture.rows.identity, picture.catalog, lang), _coverage(picture, lang)]


def notes_of(picture: Picture, lang: str | None = None) -> list[str]:
    """Classes, source, boundaries: the small print at the foot."""
    lang = lang or picture.lang
    layer = picture.layer
    vintage = say(f"vintage.{Vintage(layer.vintage)}", lang)
    one_colour = picture.symbols is not None and picture.rows.identity["unit"] == "count"
    scheme = say("symbols.scheme", lang) if one_colour else _scheme(picture, lang)
    boundaries = f"{vintage}; “{layer.credits[lang]}”"
    lines = [
        scheme[0].upper() + scheme[1:] + ".",
        say("source", lang, release=picture.rows.identity["release"] or "–", boundaries=boundaries),
    ]
    if layer.schematic:
        lines.append(say("schematic", lang))
    return lines


def explain_map(picture: Picture, lang: str, missed: list[str], about: list[str] | None = None) -> str:
    """The whole explanation, one statement a line; the first two lines stand for the picture itself.

    `about` stands in for projection and boundaries where a picture has none.
    """
    identity, areas = picture.rows.identity, picture.areas
    indicator = picture.catalog.indicators.get(identity["indicator"])
    shown = areas.with_row_index("at").filter(areas["status"] == SHOWN).sort("value", "area_code")
    ends = [
        f"{picture.layer.name(row['at'], lang)} {with_unit(row['value'], identity['unit'], lang)}"
        for row in [*shown.head(1).iter_rows(named=True), *shown.tail(1).iter_rows(named=True)]
    ]
    lines = [
        heading_of(picture, lang) + ".",
        say("range", lang, low=ends[0], high=ends[1]) if ends else "",
        say("definition", lang, text=nfc(indicator.definition[lang]) if indicator else "–"),
        *subtitle_of(picture, lang),
        _circles(picture, lang),
        say("hatched", lang, n=sum(picture.small)),
        say(
            "greys",
            lang,
            hidden=(areas["status"] == SUPPRESSED).sum(),
            undefined=(areas["status"] == NOT_DEFINED).sum(),
            absent=(areas["status"] == NOT_REPORTED).sum(),
        ),
        say("ranking", lang),
        *(about or [say("projection", lang), *notes_of(picture, lang)]),
    ]
    if missed:
        lines.append(say("unnamed", lang, names=", ".join(missed)))
    return "\n".join(line for line in lines if line)


def _circles(picture: Picture, lang: str) -> str:
    """What the circles count, the largest and their sum; nothing on a map without circles."""
    symbols = picture.symbols
    if symbols is None:
        return ""
    legend = symbols_words(symbols.column, picture.rows.identity["unit"], lang)
    at = symbols.counts.index(symbols.most)
    return say(
        "symbols.explain", lang, legend=legend, name=picture.layer.name(at, lang), most=number(symbols.most, lang),
        total=number(sum(count or 0.0 for count in symbols.counts), lang),
    )  # fmt: skip


def _coverage(picture: Picture, lang: str) -> str:
    areas = picture.areas
    counted = areas.filter(areas["status"] == SHOWN)
    is_count = picture.rows.identity["unit"] == "count"
    people = float(counted["value" if is_count else "denominator"].sum() or 0.0)
    return say(
        "coverage_count" if is_count else "coverage",
        lang,
        shown=number(counted.height, lang),
        all=number(areas.height, lang),
        areas=say(f"level.{picture.layer.level}", lang),
        people=number(people, lang),
    )


def _scheme(picture: Picture, lang: str) -> str:
    name = _scheme_name(picture, lang)
    return say("across", lang, scheme=name) if picture.classes.shared else name


def _scheme_name(picture: Picture, lang: str) -> str:
    target = picture.target
    if picture.classes.scheme != "target" or target is None:
        return say(f"scheme.{picture.classes.scheme}", lang)
    text = say(
        "scheme.target", lang, target=number(target.percent, lang) + "%", instrument=target.instrument[lang]
    )
    return text if target.verified else f"{text}, {say('unverified', lang)}"
