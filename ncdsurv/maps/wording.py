"""Words and numbers as a reader in Viet Nam or abroad expects them, for maps and trends alike."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import (
    ALL_AGES,
    BOTH_SEXES,
    NATION,
    Language,
    Period,
)
from ncdsurv.errors import unknown
from ncdsurv.maps.style import nfc

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

_MONTHS_EN = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(files("ncdsurv.maps").joinpath("wording.toml").read_text(encoding="utf-8"))


def language(lang: str) -> str:
    """The language code, checked.

    Raises:
        UsageError: No such language.
    """
    if lang not in [item.value for item in Language]:
        raise unknown("language", str(lang), [item.value for item in Language])
    return str(lang)


def say(key: str, lang: str, **parts: object) -> str:
    """A phrase of `wording.toml` by dotted key, its parts filled in, in composed form.

    >>> say("nation", "vi")
    'Việt Nam'
    """
    node: Any = _words()
    for step in key.split("."):
        node = node[step]
    return nfc(str(node[language(lang)]).format(**parts))


def number(value: float | None, lang: str, decimals: int = 0) -> str:
    """A number with the language's marks: 12.345,6 in Vietnamese, 12,345.6 in English.

    >>> number(12345.6, "vi", 1), number(12345.6, "en", 1), number(None, "vi")
    ('12.345,6', '12,345.6', '–')
    """
    if value is None:
        return "–"
    text = f"{value:,.{decimals}f}".replace("-", "−")
    return text.translate(str.maketrans(",.", ".,")) if language(lang) == Language.VI else text


def with_unit(value: float | None, unit: str, lang: str, decimals: int = 1) -> str:
    """A value with its unit; a percent sign stands without a space, as Vietnamese print has it."""
    digits = number(value, lang, 0 if unit == "count" else decimals)
    shown = say(f"unit.{unit}", lang) if unit != "count" else say("unit_of_count", lang)
    return f"{digits}{shown}" if unit == "percent" else f"{digits} {shown}"


def period_words(period: str, lang: str) -> str:
    """A period in words.

    >>> period_words("2026-06", "vi"), period_words("2026-Q2", "en"), period_words("2026-9M", "vi")
    ('tháng 06/2026', 'quarter 2, 2026', '9 tháng đầu năm 2026')
    """
    span = Period.parse(period)
    name = _MONTHS_EN[span.words["month"] - 1]
    return say(span.phrase, lang, month_name=name, **span.words)


def title_of(row: Mapping[str, Any], catalog: Catalog, lang: str) -> str:
    """`indicator – disease` of one row of values, by the catalog's names."""
    indicator, disease = catalog.indicators.get(row["indicator"]), catalog.diseases.get(row["disease"])
    name = indicator.names[language(lang)] if indicator else str(row["indicator"])
    of = disease.names[lang] if disease else str(row["disease"] or "")
    return nfc(f"{name} – {of}" if of else name)


def symbols_words(column: str, unit: str, lang: str) -> str:
    """What the circles of a map count, as its legend says it.

    >>> symbols_words("numerator", "percent", "en")
    'Area of a circle: numerator (people)'
    """
    people = say("unit_of_count", lang)
    counted = f" ({people})" if unit in ("percent", "per_100000") else ""
    return say("symbols.legend", lang, what=say(f"symbols.{column}", lang) + counted)


def rules_of(row: Mapping[str, Any], catalog: Catalog, lang: str) -> str:
    """Preset, among whom, sex, age band and standardisation of one row: what the title leaves out.

    A preset says among whom control is counted; only indicators whose denominator it decides repeat that.
    """
    preset, indicator = catalog.presets.get(row["preset"]), catalog.indicators.get(row["indicator"])
    decides = bool(preset and indicator and preset.id in indicator.denominator_by_preset)
    name = preset.names[lang] if preset else str(row["preset"] or "")
    parts = [f"{name} ({preset.among[lang]})" if preset and decides else name]
    if row["sex"] != BOTH_SEXES:
        parts.append(say(f"sex.{row['sex']}", lang))
    if row["age_band"] != ALL_AGES:
        parts.append(say("age", lang, band=str(row["age_band"]).replace("-", "–")))
    if row["standardisation"] != "crude":
        parts.append(say("standardised", lang))
    return nfc("; ".join(part for part in parts if part))


def area_name(reference: Any, code: str, vintage: str, level: str, lang: str) -> str:
    """Name of an area in a language; the code itself where no reference pack is given or knows it."""
    if code == NATION:
        return say("nation", lang)
    if reference is None:
        return code
    found = reference.areas(level, vintage)
    found = found.filter(found["code"] == code)
    if found.is_empty():
        return code
    column = "name_en" if lang == Language.EN and "name_en" in found.columns else "name"
    return nfc(found[column][0] or found["name"][0])
