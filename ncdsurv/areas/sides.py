"""High and low on a map of clusters: colours and words follow which of them the indicator calls good."""

from __future__ import annotations

from dataclasses import dataclass

from ncdsurv.areas.words import phrase
from ncdsurv.indicators.rates.compare import HIGH_GOOD, LOW_GOOD
from ncdsurv.maps.style import FAVOURABLE, HIGHER, LOWER, UNFAVOURABLE

GOOD, BAD = "favourable", "unfavourable"
UNKNOWN = "unknown"  # values that do not say their indicator
_SIDES = {HIGH_GOOD: (GOOD, BAD), LOW_GOOD: (BAD, GOOD)}
_SHADES = {GOOD: FAVOURABLE, BAD: UNFAVOURABLE}


@dataclass(frozen=True)
class Sides:
    """What high and low mean for one indicator.

    Attributes:
        polarity: `high_good`, `low_good`, `no_judgement`, or `unknown` where the values do not say their indicator.

    >>> Sides("low_good").label("Hot spot", True, "en"), Sides("no_judgement").label("Hot spot", True, "en")
    ('Hot spot: unfavourable', 'Hot spot')
    """

    polarity: str

    def shades(self, high: bool) -> tuple[str, ...]:
        """Dark, middling and pale shade of a side."""
        if self.polarity not in _SIDES:
            return HIGHER if high else LOWER
        return _SHADES[self._judged(high)]

    def label(self, words: str, high: bool, lang: str) -> str:
        """The words, and whether that side is favourable where the indicator says so."""
        if self.polarity not in _SIDES:
            return words
        return phrase("side.label", lang, words=words, judged=phrase(f"side.{self._judged(high)}", lang))

    def explain(self, lang: str) -> str:
        """Which way is good, in a sentence."""
        return phrase(f"polarity.{self.polarity}", lang)

    def _judged(self, high: bool) -> str:
        good, other = _SIDES[self.polarity]
        return good if high else other
