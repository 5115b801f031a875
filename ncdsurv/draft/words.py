"""What headers and codes are called: the aliases of every source, and words of other languages."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from ncdsurv.catalog.sources import FIELDS, place_of
from ncdsurv.ingest.headers import fold

_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PATH = re.compile(r"^\w+(?:\.\w+)+$")
_PART = re.compile(r"XML\d+|value|unit|name|text|code")  # parts of places, no names of columns
_SHORT = 3  # a word so short is only ever the same word, never a similar one
_TELLING = 6  # a single word of this length inside a longer label says what the label is about
_ALIKE = 0.72
_NEAR = 60  # percent


@dataclass(frozen=True)
class Words:
    """Names of fields and spellings of codes.

    Attributes:
        aliases: Field -> its names, as written.
        codes: Coded field -> folded spelling -> code; a spelling that sources disagree on is left out.
        by_header: Coded field -> folded header -> folded spelling -> (code, as written), of the sources that
            have this header; what they disagree on is left out.
        lists: Coded field -> folded header -> the dated code list that the sources with this header read.
        other: Names of columns that are no field.
        alone: Field -> how far the shape of the values can be trusted without a header.
        typical: Measurement -> where its median usually lies.
    """

    aliases: dict[str, tuple[str, ...]]
    codes: dict[str, dict[str, str]]
    by_header: dict[str, dict[str, dict[str, tuple[str, str]]]]
    lists: dict[str, dict[str, str]]
    other: tuple[str, ...]
    alone: dict[str, float]
    typical: dict[str, tuple[float, float]]
    _seen: dict[str, tuple[dict[str, float], float]] = field(default_factory=dict, repr=False)

    def header_scores(self, label: str) -> dict[str, float]:
        """How much a label is like each field's names (0.72..1); fields below are left out.

        A label that is more like a column known to be no field scores nothing.
        """
        return self._scores(label)[0]

    def other_score(self, label: str) -> float:
        """How much a label is like the name of a column that the registry does not take."""
        return self._scores(label)[1]

    def _scores(self, label: str) -> tuple[dict[str, float], float]:
        if label not in self._seen:
            near = self._near(label)
            scores = {
                name: best
                for name, aliases in self.aliases.items()
                if (best := max((similarity(label, one) for one in aliases if one in near), default=0.0))
                >= _ALIKE
            }
            other = max((similarity(label, word) for word in self.other if word in near), default=0.0)
            self._seen[label] = ({} if other > max(scores.values(), default=0.0) else scores, other)
        return self._seen[label]

    def _near(self, label: str) -> set[str]:
        """Names worth a closer look: alike as a whole, or with a word in common."""
        from rapidfuzz import fuzz, process

        folded, by_token = self._index
        found: set[str] = set()
        for text in (label, _BRACKETS.sub(" ", label)):
            alike = process.extract(fold(text), folded, scorer=fuzz.ratio, score_cutoff=_NEAR, limit=None)
            found.update(name for *_, name in alike)
            found.update(name for token in tokens(text) for name in by_token.get(token, ()))
        return found

    @cached_property
    def _index(self) -> tuple[dict[str, str], dict[str, set[str]]]:
        """Every name folded, and the names that hold a word."""
        names = dict.fromkeys((*self.other, *(one for aliases in self.aliases.values() for one in aliases)))
        by_token: dict[str, set[str]] = {}
        for name in names:
            for token in tokens(name):
                by_token.setdefault(token, set()).add(name)
        return {name: fold(name) for name in names}, by_token


def load_words(sources: Mapping[str, Any]) -> Words:
    """Names and codes of all table sources of the catalog, and those of `words.toml`."""
    text = files("ncdsurv.draft").joinpath("words.toml").read_text(encoding="utf-8")
    extra = tomllib.loads(text)
    aliases: dict[str, dict[str, None]] = {name: {} for name in FIELDS}
    told: dict[str, dict[str, dict[str, str]]] = {}  # field -> folded spelling -> code -> as written
    ignored: dict[str, None] = {}
    for mapping in sources.values():
        ignored.update(dict.fromkeys(mapping.ignored))
        for name, how in mapping.fields.items():
            aliases[name].update(dict.fromkeys(_headers(how.columns)))
            for code, spellings in how.values.items() if not how.by_words else ():
                for spelling in spellings:
                    told.setdefault(name, {}).setdefault(fold(spelling), {}).setdefault(code, spelling)
    for name, table in extra["fields"].items():
        aliases[name].update(dict.fromkeys(table.get("words", ())))
        for code, spellings in table.get("values", {}).items():
            for spelling in spellings:
                told.setdefault(name, {}).setdefault(fold(spelling), {code: spelling})
    return Words(
        {name: tuple(found) for name, found in aliases.items()},
        {
            name: {text: next(iter(codes)) for text, codes in found.items() if len(codes) == 1}
            for name, found in told.items()
        },
        _by_header(sources),
        _lists(sources),
        (*extra["other"]["words"], *ignored),
        {name: float(table.get("alone", 0.0)) for name, table in extra["fields"].items()},
        {name: (float(low), float(high)) for name, (low, high) in extra["typical"].items()},
    )


def _headers(columns: Iterable[str]) -> Iterator[str]:
    """Names of columns as a table could have them: `HO_TEN` of a place such as `XML1.HO_TEN`."""
    for column in columns:
        name = column.rpartition(".")[2] if _PATH.match(column) else column
        if place_of(column) is None and not _PART.fullmatch(name) and not _PATH.match(name):
            yield name


def _lists(sources: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for mapping in sources.values():
        for name, how in mapping.fields.items():
            if how.code_list:
                found.setdefault(name, {}).update(
                    {fold(header): how.code_list for header in _headers(how.columns)}
                )
    return found


def _by_header(sources: Mapping[str, Any]) -> dict[str, dict[str, dict[str, tuple[str, str]]]]:
    """The codes of each header, of all sources that have it."""
    found: dict[str, dict[str, dict[str, dict[str, str]]]] = {}
    for mapping in sources.values():
        for name, how in mapping.fields.items():
            for header in _headers(how.columns) if how.values and not how.by_words else ():
                codes = found.setdefault(name, {}).setdefault(fold(header), {})
                for code, spellings in how.values.items():
                    for spelling in spellings:
                        codes.setdefault(fold(spelling), {}).setdefault(code, spelling)
    return {
        name: {
            header: {text: next(iter(told.items())) for text, told in codes.items() if len(told) == 1}
            for header, codes in headers.items()
        }
        for name, headers in found.items()
    }


def similarity(label: str, alias: str) -> float:
    """How much a label is like an alias, 0 to 1; accents, case, brackets and the order of words matter little.

    >>> similarity("Systolic BP (mmHg)", "systolic bp"), similarity("Năm", "NAM")
    (1.0, 0.0)
    """
    bare = _BRACKETS.sub(" ", label)
    return max(_alike(text, alias) for text in dict.fromkeys((label, bare)) if text.strip() or text == label)


def _alike(label: str, alias: str) -> float:
    from rapidfuzz import fuzz

    one, two = fold(label), fold(alias)
    if not one or not two:
        return 0.0
    if one == two:
        accents = not label.isascii() and len(one) <= _SHORT and _plain(label) != _plain(alias)
        return 0.0 if accents else 1.0
    if min(len(one), len(two)) <= _SHORT:
        return 0.0
    words, known = tokens(label), tokens(alias)
    best = max(fuzz.ratio(one, two), fuzz.token_sort_ratio(" ".join(words), " ".join(known))) / 100
    telling = len(known) > 1 or len(known[0]) >= _TELLING
    if telling and set(known) <= set(words):
        best = max(best, 0.75 + 0.2 * len(two) / len(one))
    if len(words) > 1 and set(words) < set(known):
        best = max(best, 0.75 + 0.15 * len(one) / len(two))
    return min(best, 0.97)


@lru_cache(maxsize=8192)
def tokens(text: str) -> tuple[str, ...]:
    """Folded words of a label: `MaTheBHYT`, `MA_THE_BHYT` and `Mã thẻ BHYT` are the same.

    >>> tokens("MA_THE BHYT")
    ('ma', 'the', 'bhyt')
    """
    parts = re.split(r"[\W_]+", _CAMEL.sub(" ", unicodedata.normalize("NFC", text)))
    return tuple(folded for part in parts if (folded := fold(part))) or (fold(text),)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()
