"""The words of a trend: definition, model, what was left out, caveats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import SpellColumn
from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import number, rules_of, say
from ncdsurv.trends.method import method, phrase

if TYPE_CHECKING:
    from ncdsurv.trends.result import TrendResult


def counts_line(result: TrendResult, lang: str) -> str:
    """Months, and the range of monthly numerators and denominators."""
    frame = result.series.frame

    def span(column: str) -> str:
        low, high = frame[column].min(), frame[column].max()
        ends = dict.fromkeys(number(float(end), lang) for end in (low, high))  # type: ignore[arg-type]
        return "–".join(ends)

    return phrase(
        "counts",
        lang,
        months=result.months,
        first=_short(result.first),
        last=_short(result.last),
        numerator=span("numerator"),
        denominator=span("denominator"),
    )


def source_line(result: TrendResult, lang: str) -> str:
    """Release and geography."""
    identity = result.identity
    vintage = say(f"vintage.{identity['area_vintage']}", lang)
    return phrase("source", lang, release=identity["release"] or "–", vintage=vintage)


def explain_trend(result: TrendResult, lang: str) -> str:
    """The whole explanation, one statement a line."""
    identity = result.identity
    indicator = result.catalog.indicators.get(identity["indicator"])
    lines = [result.title(lang), result.headline(lang) + ". " + phrase("relative", lang)]
    if indicator:
        lines.append(f"{phrase('definition_label', lang)}: {nfc(indicator.definition[lang])}")
    lines.append(f"{phrase('rules_label', lang)}: {rules_of(identity, result.catalog, lang)}")
    lines.append(counts_line(result, lang))
    lines.append(f"{phrase('model_label', lang)}: {_model_line(result, lang)}")
    left_out = [phrase(f"excluded.{reason}", lang, **parts) for reason, parts in result.series.excluded]
    lines.append(f"{phrase('excluded_label', lang)}: {'; '.join(left_out) or phrase('excluded.none', lang)}")
    lines.append(f"{phrase('caveats_label', lang)}: {' '.join(_caveats(result, lang))}")
    lines.append(source_line(result, lang))
    return "\n".join(lines)


def window_months(result: TrendResult) -> int:
    """How many months one value of the series looks back, by the preset and what the numerator tests."""
    identity = result.identity
    indicator = result.catalog.indicators.get(identity["indicator"])
    preset = result.catalog.presets.get(identity["preset"])
    if indicator is None or preset is None:
        return 1
    looks_back = {
        SpellColumn.OUTCOME: preset.outcome_window_months,
        SpellColumn.TREATMENT: preset.treated_window_months,
        SpellColumn.CARE_STATE: preset.lost_after_months,
    }
    named = indicator.numerator.columns
    return max((months for column, months in looks_back.items() if column in named), default=1)


def _model_line(result: TrendResult, lang: str) -> str:
    return phrase(
        "model",
        lang,
        season=phrase("season_term", lang, harmonics=result.harmonics) if result.harmonics else "",
        dispersion=number(result.dispersion, lang, 2),
        confidence=number(100 * result.confidence, lang),
        freedom=result.model.degrees_of_freedom,
        errors=phrase("newey_west", lang, lag=result.lag) if result.lag else "",
    )


def _caveats(result: TrendResult, lang: str) -> list[str]:
    rules, model = method(), result.model
    found = []
    window = window_months(result)
    if window > 1:
        found.append(phrase("caveat.overlap", lang, window=window))
    if result.lag is None and model.residual_autocorrelation > rules["autocorrelation_caveat"]:
        value = number(model.residual_autocorrelation, lang, 2)
        found.append(phrase("caveat.autocorrelation", lang, value=value))
    if result.harmonics and result.months < rules["full_seasons_months"]:
        found.append(phrase("caveat.short_season", lang, full=rules["full_seasons_months"]))
    if result.series.small_months:
        found.append(phrase("caveat.small", lang, n=result.series.small_months))
    vintage = say(f"vintage.{result.identity['area_vintage']}", lang)
    found.append(phrase("caveat.reform", lang, vintage=vintage))
    found.append(phrase("caveat.observed", lang))
    return found


def _short(period: str) -> str:
    year, _, month = period.partition("-")
    return f"{month}/{year}"
