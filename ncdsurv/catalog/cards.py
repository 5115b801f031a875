"""The card of an indicator, in Vietnamese or English: what it counts, why, among whom, and what it does not say."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ncdsurv.catalog.conditions import BOUNDS, Condition
from ncdsurv.catalog.vocabulary import Kind, Language, Unit
from ncdsurv.catalog.whole_periods import WHOLE_PERIOD

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Indicator, Prevalence

MARK = " †"
_SIGNS = dict(zip(BOUNDS, ("<", "≤", ">", "≥"), strict=True))


@cache
def words(lang: str) -> dict[str, str]:
    """The words of the cards in a language (`vi` or `en`).

    >>> words("en")["kind.flow"]
    'flow, months of the period added up'
    """
    text = files("ncdsurv.catalog").joinpath("cards.toml").read_text(encoding="utf-8")
    return {name: entry[str(lang)] for name, entry in tomllib.loads(text).items()}


def card(indicator: Indicator, catalog: Catalog, lang: Language | str = Language.EN) -> dict[str, str]:
    """Every line of an indicator's card: heading -> text, in the order of reading.

    >>> from ncdsurv.catalog import load_catalog
    >>> catalog = load_catalog()
    >>> card(catalog.indicators["overdue_rate"], catalog)["Unit"]
    '%'
    """
    lang = str(lang)
    say = words(lang)
    counted = say["number"] if indicator.among is None else say["counts"]
    lines = {
        say["definition"]: indicator.definition[lang],
        say["rationale"]: indicator.rationale[lang],
        counted: indicator.counts[lang],
        say["among"]: indicator.among[lang] if indicator.among else "",
        say["method"]: method_text(
            indicator,
            next(iter(catalog.publication.values())).confidence,
            lang,
            {name: preset.outcome_of_period for name, preset in catalog.presets.items()},
        ),
        say["unit"]: say[f"unit.{indicator.unit}"],
        say["polarity"]: say[f"polarity.{indicator.polarity}"],
        say["diseases"]: _diseases(indicator, catalog, lang),
        say["levels"]: ", ".join(say[f"level.{level}"] for level in _levels(indicator)),
        say["presets"]: ", ".join(catalog.presets[name].names[lang] for name in indicator.presets),
        say["conditions"]: "; ".join(_counted(indicator)),
        say["caveats"]: " ".join(f"{text[lang]}." for text in indicator.caveats),
        say["prevalence"]: "; ".join(_prevalences(indicator, catalog, lang)),
        say["source"]: source_text(indicator, lang),
        say["version"]: str(indicator.version),
    }
    return {heading: text for heading, text in lines.items() if text}


def card_text(indicator: Indicator, catalog: Catalog, lang: Language | str = Language.EN) -> str:
    """The card as Markdown, ready to be printed or put into a page."""
    mark = "" if indicator.verified else MARK
    lines = [f"### {indicator.names[str(lang)]} (`{indicator.id}`){mark}", ""]
    lines += [f"- **{heading}:** {text}" for heading, text in card(indicator, catalog, lang).items()]
    return "\n".join([*lines, ""])


def _levels(indicator: Indicator) -> list[str]:
    return [*indicator.levels, *([Unit.FACILITY] if indicator.by_facility else [])]


def source_text(indicator: Indicator, lang: Language | str) -> str:
    """Where an indicator comes from, and whether that was checked against the document itself."""
    return f"{indicator.source[str(lang)]} ({words(str(lang))['verified' if indicator.verified else 'unverified']})"


def method_text(
    indicator: Indicator, confidence: float, lang: Language | str, rests_on: Mapping[str, str] | None = None
) -> str:
    """How an indicator is worked out, in a line.

    Args:
        indicator: Its definition.
        confidence: Of the interval, 0 to 1.
        lang: `vi` or `en`.
        rests_on: By preset, what a period longer than a month rests on (`Preset.outcome_of_period`).

    >>> from ncdsurv.catalog import load_catalog
    >>> method_text(load_catalog().indicators["control_rate"], 0.95, "en")
    "stock, as of the period's last month; 95% interval by Wilson"
    """
    say = words(str(lang))
    parts = [say[f"kind.{indicator.kind}"].format(offset=indicator.cohort_offset_months)]
    parts += _longer(indicator, rests_on or {}, str(lang))
    over = f"denominator.{indicator.denominator_source}"
    parts += [say[over]] if over in say else []
    parts += [say[f"ci.{indicator.ci_method}"].format(confidence=confidence)]
    parts += [say["standardised"]] if indicator.age_standardised else []
    return "; ".join(parts)


def _longer(indicator: Indicator, rests_on: Mapping[str, str], lang: str) -> Iterable[str]:
    """What a quarter or a year rests on under each preset; nothing where it is the last month under all of them."""
    by_rule: dict[str, list[str]] = {}
    for name in indicator.presets:
        by_rule.setdefault(rests_on.get(name, ""), []).append(name)
    if indicator.kind is Kind.FLOW or WHOLE_PERIOD not in by_rule or not indicator.judges:
        return
    for rule, names in by_rule.items():
        yield words(lang)[f"longer.{rule}"].format(presets=", ".join(names))


def _diseases(indicator: Indicator, catalog: Catalog, lang: str) -> str:
    say = words(lang)
    if indicator.diseases:
        return ", ".join(catalog.diseases[name].names[lang] for name in indicator.diseases)
    if not _over_estimate(indicator):
        return say["every_disease"]
    surveyed = (one.names[lang] for one in catalog.diseases.values() if catalog.default_prevalence(one.id))
    return say["surveyed"].format(diseases=", ".join(surveyed))


def _over_estimate(indicator: Indicator) -> bool:
    """Whether it needs a survey's prevalence: it is the estimate itself, or stands over it."""
    estimate = (
        indicator.unit == "count" and not indicator.numerator.tests and not indicator.numerator_quantity
    )
    return estimate or indicator.denominator_source == "estimated_cases"


def _prevalences(indicator: Indicator, catalog: Catalog, lang: str) -> Iterable[str]:
    """The survey figures behind estimated cases, each saying whether it was checked."""
    if not _over_estimate(indicator):
        return
    say = words(lang)
    for disease in catalog.diseases.values():
        used = catalog.default_prevalence(disease.id)
        if used is not None:
            yield say["prevalence_line"].format(
                disease=disease.names[lang],
                percent=f"{used.percent:g}".replace(".", say["decimal"]),
                ages=say[_ages(used)].format(first=used.age_from, last=used.age_to),
                year=used.year,
                source=used.source[lang],
                checked=say["verified" if used.verified else "unverified"],
            )


def _ages(prevalence: Prevalence) -> str:
    if prevalence.age_to is not None:
        return "ages.between"
    return "ages.from" if prevalence.age_from else "ages.all"


def _counted(indicator: Indicator) -> Iterable[str]:
    """Numerator and denominator as the engine counts them; presets that agree stand together."""
    if indicator.numerator_quantity is not None:
        over = indicator.denominator_quantity
        yield f"`{indicator.numerator_quantity}`" + (f" / `{over}`" if over else "")
        return
    by_text: dict[str, list[str]] = {}
    for preset in indicator.presets:
        below = indicator.denominator_for(preset)
        text = f"`{_written(indicator.numerator)}`" + (f" / `{_written(below)}`" if below is not None else "")
        by_text.setdefault(text, []).append(preset)
    for text, presets in by_text.items():
        if text != f"`{_written(None)}`":  # counted from no state of a person
            yield text if len(by_text) == 1 else f"{', '.join(presets)}: {text}"


def _written(condition: Condition | None) -> str:
    return written(condition) or "1"


def written(condition: Condition | None) -> str:
    """A condition in a line: `sbp < 140, dbp < 90`.

    >>> written(Condition.parse({"dbp": {"lt": 90}, "sbp": {"lt": 140}}))
    'dbp < 90, sbp < 140'
    """
    tests = condition.tests if condition is not None else ()
    return ", ".join(
        " ".join([test.column, ", ".join(f"{_SIGNS[operator]} {limit:g}" for operator, limit in test.bounds)])
        if test.bounds
        else f"{test.column} = {' | '.join(str(value).lower() for value in test.values)}"
        for test in tests
    )
