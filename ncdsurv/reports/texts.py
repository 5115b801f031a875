"""Words of the reports in Vietnamese and English, and numbers as each language writes them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from ncdsurv.catalog.vocabulary import Language
from ncdsurv.errors import unknown
from ncdsurv.maps import wording

_FILE = Path(__file__).with_name("texts.toml")
_DASH = "–"


@cache
def _load() -> dict[str, dict[str, str]]:
    return dict(_flat(tomllib.loads(_FILE.read_text(encoding="utf-8"))))


def _flat(node: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    for key, entry in node.items():
        if all(isinstance(one, str) for one in entry.values()):
            yield above + key, entry
        else:
            yield from _flat(entry, f"{above}{key}.")


class Texts:
    """The words of one language.

    >>> Texts("en").number(1234.5, 1), Texts("vi").number(1234.5, 1)
    ('1,234.5', '1.234,5')
    """

    def __init__(self, lang: str) -> None:
        if lang not in list(Language):
            raise unknown("language", lang, [str(item) for item in Language])
        self.lang = lang

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, with its fields filled.

        Raises:
            UsageError: There is no such key.
        """
        known = _load()
        if key not in known:
            raise unknown("report text", key, known)
        return known[key][self.lang].format(**values)

    def say(self, key: str, **values: Any) -> str:
        """A word that figures use too (`level.commune`, `sex.male`, `vintage.2025`)."""
        return wording.say(key, self.lang, **values)

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with this language's separators; an en dash where there is none."""
        return wording.number(value, self.lang, digits)

    def percent(self, value: float | None, digits: int = 1) -> str:
        """A percentage with its sign."""
        return wording.with_unit(value, "percent", self.lang, digits) if value is not None else _DASH

    def interval(self, lower: float | None, upper: float | None, digits: int = 1) -> str:
        """Both limits of an interval."""
        if lower is None or upper is None:
            return _DASH
        return f"{self.number(lower, digits)}{_DASH}{self.number(upper, digits)}"

    def period(self, period: str) -> str:
        """`2026-06` in words."""
        return wording.period_words(period, self.lang)


def check_texts() -> list[str]:
    """Problems of the text file: a language missing, or different fields in the two.

    Returns:
        One line for each problem; empty when all is well.
    """
    problems = []
    for key, entry in _load().items():
        if set(entry) != {str(item) for item in Language}:
            problems.append(f"{key}: wants vi and en")
        elif _fields(entry["vi"]) != _fields(entry["en"]):
            problems.append(f"{key}: the two languages have different fields")
    return problems


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
