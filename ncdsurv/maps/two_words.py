"""The words on and about a map of two indicators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.maps.explain import heading_lines, notes_of
from ncdsurv.maps.selection import SHOWN, SUPPRESSED
from ncdsurv.maps.wording import number, rules_of, say, title_of

if TYPE_CHECKING:
    from ncdsurv.maps.two import TwoPicture

_DASH = " – "


def names_two(picture: TwoPicture, lang: str) -> tuple[str, str]:
    """Name of each indicator, with its disease where the two differ in it."""
    titles = [title_of(rows.identity, picture.catalog, lang) for rows in (picture.rows, picture.other_rows)]
    if picture.rows.identity["disease"] == picture.other_rows.identity["disease"]:
        titles = [title.split(_DASH)[0] for title in titles]
    return titles[0], titles[1]


def _inside(name: str) -> str:
    """A name as it stands inside a sentence; an abbreviation keeps its capitals."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def heading_two(picture: TwoPicture, lang: str) -> list[str]:
    """Both indicators, the disease; place and period."""
    alone, where = heading_lines(picture, lang)
    first, second = names_two(picture, lang)
    title = say("bivariate.title", lang, first=first, second=_inside(second))
    if _DASH in alone and _DASH not in first:
        title += _DASH + alone.split(_DASH, 1)[1]
    return [title, where]


def subtitle_two(picture: TwoPicture, lang: str) -> list[str]:
    """Rules of each, and how many areas have both."""
    names = names_two(picture, lang)
    rules = [rules_of(rows.identity, picture.catalog, lang) for rows in (picture.rows, picture.other_rows)]
    lines = [rules[0]] if rules[0] == rules[1] else [
        say("bivariate.rules", lang, name=name, rules=one) for name, one in zip(names, rules, strict=True)
    ]  # fmt: skip
    shown = int((picture.areas["status"] == SHOWN).sum())
    areas = say(f"level.{picture.layer.level}", lang)
    counted = say(
        "bivariate.coverage",
        lang,
        shown=number(shown, lang),
        all=number(picture.areas.height, lang),
        areas=areas,
    )
    return [*(line for line in lines if line), counted]


def limits_two(picture: TwoPicture, lang: str) -> list[str]:
    """The limits of each indicator and how they were found."""
    lines = []
    sides = ((picture.rows, picture.classes), (picture.other_rows, picture.other_classes))
    for name, (rows, classes) in zip(names_two(picture, lang), sides, strict=True):
        breaks = "; ".join(number(one, lang, classes.decimals) for one in classes.breaks) or "–"
        scheme, unit = say(f"scheme.{classes.scheme}", lang), say(f"unit.{rows.identity['unit']}", lang)
        lines.append(say("bivariate.limits", lang, name=name, breaks=breaks, unit=unit, scheme=scheme))
    return lines


def notes_two(picture: TwoPicture, lang: str) -> list[str]:
    """The small print at the foot."""
    return [*limits_two(picture, lang), say("bivariate.careful", lang), *notes_of(picture, lang)[1:]]


def explain_two(picture: TwoPicture, lang: str, missed: list[str]) -> str:
    """The whole explanation, one statement a line."""
    names = names_two(picture, lang)
    cells = [cell for cell in picture.cells if cell is not None]
    first, second = map(_inside, names)
    missing = picture.areas.filter(picture.areas["status"] != SHOWN)
    lines = [
        ", ".join(heading_two(picture, lang)) + ".",
        say(
            "bivariate.corners", lang, first=first, second=second,
            both=cells.count((2, 2)), neither=cells.count((0, 0)), one=cells.count((2, 0)), other=cells.count((0, 2)),
        ),
        *subtitle_two(picture, lang),
        say("hatched", lang, n=sum(picture.small)),
        say("bivariate.grey", lang, missing=missing.height, hidden=(missing["status"] == SUPPRESSED).sum()),
        say("ranking", lang),
        say("projection", lang),
        *notes_two(picture, lang),
    ]  # fmt: skip
    if missed:
        lines.append(say("unnamed", lang, names=", ".join(missed)))
    return "\n".join(lines)
