"""The page's own words, and those that it shares with the printed maps."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from ncdsurv.catalog.vocabulary import Language
from ncdsurv.maps.picture import GREYS
from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import say

LANGUAGES = tuple(str(lang) for lang in Language)
_COUNT = "{n}"  # left for the page to fill in, month by month


@cache
def _own() -> dict[str, dict[str, str]]:
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))


def phrase(key: str, lang: str, **parts: object) -> str:
    """A phrase of the page, its parts filled in; without parts, as the page will fill it.

    >>> phrase("play", "en")
    'Play through the periods'
    """
    text = nfc(_own()[key][lang])
    return text.format(**parts) if parts else text


def page_words(lang: str, unit: str, level: str) -> dict[str, str]:
    """Every phrase that the page's script shows in a language."""
    words = {key: phrase(key, lang) for key in _own()}
    areas = say(f"level.{level}", lang)
    words |= {
        "legend_title": say("legend_title", lang, unit=say(f"unit.{unit}", lang), areas=areas),
        "unit": say("unit_of_count" if unit == "count" else f"unit.{unit}", lang),
        "small": say("small", lang, n=_COUNT),
        "north": say("north", lang),
        "kilometres": say("kilometres", lang),
    }
    for status in GREYS:
        words[f"legend.{status}"] = say(status, lang, n=_COUNT)
        words[f"status.{status}"] = say(f"status.{status}", lang)
    return words
