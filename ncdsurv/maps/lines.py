"""Text in lines: none ends within the name of a place, within a period, or between a number and what it counts."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from ncdsurv.catalog.vocabulary import Language
from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import say

NO_BREAK = "\u00a0"
_CHARACTER = 0.54 / 72  # mean width of a DejaVu Sans character of one point, in inches
_BOLD = 1.12  # times as wide
_FEWEST = 8  # characters in a line, however narrow the page
_COUNTED = re.compile(r"(?<=\d) (?=[^\W\d_])")


def hold(text: str, together: Iterable[str] = ()) -> str:
    """The text with no-break spaces inside words that belong together, and between a number and the word after it.

    The country's own name is always held.

    >>> hold("Hồ Chí Minh, 120 người", ["Hồ Chí Minh"]).replace(NO_BREAK, "_")
    'Hồ_Chí_Minh, 120_người'
    """
    nation = [say("nation", lang.value) for lang in Language]
    for words in sorted({*map(nfc, together), *nation}, key=len, reverse=True):
        text = text.replace(words, words.replace(" ", NO_BREAK))
    return _COUNTED.sub(NO_BREAK, text)


def wrap(text: str, width: float, size: float, bold: bool = False, together: Iterable[str] = ()) -> list[str]:
    """Lines of at most `width` inches at a font size in points, by mean character width.

    Args:
        text: A no-break space in it holds its words together too.
        width: Inches.
        size: Points.
        bold: Letters are wider.
        together: Names of places, periods: held in one line, unless a line alone cannot take them.

    >>> wrap("Tỷ lệ đạt mục tiêu, Hồ Chí Minh", 2.2, 11.5, together=["Hồ Chí Minh"])
    ['Tỷ lệ đạt mục tiêu,', 'Hồ Chí Minh']
    """
    if not text:
        return []
    most = max(int(width / (_CHARACTER * size * (_BOLD if bold else 1.0))), _FEWEST)
    lines = []
    for line in _cut(hold(text, together), most):
        lines += [line] if len(line) <= most else _cut(line.replace(NO_BREAK, " "), most)
    return [line.replace(NO_BREAK, " ") for line in lines]


def _cut(text: str, most: int) -> list[str]:
    # Hyphens stand in codes of releases and in names of methods, which are no place for a break either.
    return textwrap.wrap(text, most, break_long_words=False, break_on_hyphens=False)
