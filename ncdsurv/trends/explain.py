"""The words of a trend: definition, model, what was left out, caveats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import number, rules_of, say
from ncdsurv.trends.base import p_words
from ncdsurv.trends.method import method, phrase

if TYPE_CHECKING:
    from ncdsurv.trends.base import SeriesResult
    from ncdsurv.trends.result import TrendResult


def counts_line(result: SeriesResult, lang: str) -> str:
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


def source_line(result: SeriesResult, lang: str) -> str:
    """Release and geography."""
    identity = result.identity
    vintage = say(f"vintage.{identity['area_vintage']}", lang)
    return phrase("source", lang, release=identity["release"] or "–", vintage=vintage)


def definition_lines(result: SeriesResult, lang: str) -> list[str]:
    """What the indicator is and by which rules it was counted."""
    indicator = result.catalog.indicators.get(result.identity["indicator"])
    lines = [f"{phrase('definition_label', lang)}: {nfc(indicator.definition[lang])}"] if indicator else []
    return [*lines, f"{phrase('rules_label', lang)}: {rules_of(result.identity, result.catalog, lang)}"]


def left_out_line(result: SeriesResult, lang: str, wording: str = "") -> str:
    """What was left out and why; `wording` names a method with phrases of its own for it."""
    own = method()[wording].get("excluded", {}) if wording else {}
    said = [
        phrase(f"{wording}.excluded.{reason}" if reason in own else f"excluded.{reason}", lang, **parts)
        for reason, parts in result.series.excluded
    ]
    return f"{phrase('excluded_label', lang)}: {'; '.join(said) or phrase('excluded.none', lang)}"


def caveats_of_all(result: SeriesResult, lang: str) -> list[str]:
    """Caveats of every monthly series: small numbers, the reform, what was observed."""
    found = []
    if result.series.small_months:
        found.append(phrase("caveat.small", lang, n=result.series.small_months))
    vintage = say(f"vintage.{result.identity['area_vintage']}", lang)
    return [*found, phrase("caveat.reform", lang, vintage=vintage), phrase("caveat.observed", lang)]


def explanation(
    result: SeriesResult,
    lang: str,
    *,
    found: list[str],
    model: list[str],
    caveats: list[str],
    wording: str = "",
) -> str:
    """The whole explanation, one statement a line, in the order that all results share.

    Args:
        result: What is explained.
        lang: `vi` or `en`.
        found: What was found, after the title.
        model: How it was found, after definition and counts.
        caveats: The method's own, before those of every series.
        wording: As for `left_out_line`.

    Returns:
        The text.
    """
    lines = [result.title(lang), *found, *definition_lines(result, lang), counts_line(result, lang), *model]
    lines.append(left_out_line(result, lang, wording))
    every = " ".join([*caveats, *caveats_of_all(result, lang)])
    return "\n".join([*lines, f"{phrase('caveats_label', lang)}: {every}", source_line(result, lang)])


def labelled(key: str, text: str, lang: str) -> str:
    """A statement with its label: `Model: ...`."""
    return f"{phrase(key, lang)}: {text}"


def explain_trend(result: TrendResult, lang: str) -> str:
    """The whole explanation of a trend."""
    return explanation(
        result,
        lang,
        found=[f"{result.headline(lang)}. {phrase('relative', lang)}"],
        model=[
            labelled("model_label", _model_line(result, lang), lang),
            labelled("checks_label", _checks_line(result, lang), lang),
        ],
        caveats=_caveats(result, lang),
    )


def _model_line(result: TrendResult, lang: str) -> str:
    model = result.model
    family = phrase(
        f"family.{model.family}",
        lang,
        dispersion=number(model.dispersion, lang, 2),
        alpha=number(model.alpha, lang, 4),
    )
    reason = phrase(
        f"family_reason.{result.family_reason}", lang, p=p_words(model.checks.quadratic_p_value, lang)
    )
    fitted = phrase(
        "model",
        lang,
        season=phrase("season_term", lang, harmonics=result.harmonics) if result.harmonics else "",
        family=family,
        confidence=number(100 * result.confidence, lang),
        freedom=model.degrees_of_freedom,
        errors=_errors(result, lang),
    )
    return f"{fitted} {reason}"


def _errors(result: TrendResult, lang: str) -> str:
    if result.lag:
        return phrase("newey_west", lang, lag=result.lag)
    if result.window > 1 and result.overlap == "shared":
        return phrase("shared_windows", lang, window=result.window)
    return ""


def _checks_line(result: TrendResult, lang: str) -> str:
    """Dispersion and residuals: what was looked at, and what it showed."""
    checks = result.model.checks
    at = result.series.frame["period"][checks.largest_at]
    parts = [
        phrase(
            "check.dispersion",
            lang,
            dispersion=number(result.model.pearson_dispersion, lang, 2),
            p=p_words(checks.overdispersion_p_value, lang),
        ),
        phrase("check.largest", lang, value=number(checks.largest_residual, lang, 1), month=_short(at)),
    ]
    correlation = number(result.model.residual_autocorrelation, lang, 2)
    if checks.portmanteau_p_value is None:
        parts.append(phrase("check.correlation", lang, value=correlation))
    else:
        p = p_words(checks.portmanteau_p_value, lang)
        parts.append(phrase("check.portmanteau", lang, value=correlation, lags=checks.portmanteau_lags, p=p))
    return "; ".join(parts) + "."


def _caveats(result: TrendResult, lang: str) -> list[str]:
    rules, model = method(), result.model
    found = []
    if result.window > 1 and result.overlap != "thin":
        corrected = "overlap_shared" if result.overlap == "shared" else "overlap"
        kind = "overlap_corrected" if result.lag else corrected
        found.append(phrase(f"caveat.{kind}", lang, window=result.window, lag=result.lag))
    if model.pearson_dispersion < rules["no_noise"]:
        found.append(phrase("caveat.no_noise", lang))
    limit = rules["autocorrelation_caveat"]
    made = 0.0 if result.overlap == "thin" else 1 - 1 / result.window  # what shared readings alone give
    if model.residual_autocorrelation > limit + made * (1 - limit):
        found.append(phrase("caveat.shape", lang, value=number(model.residual_autocorrelation, lang, 2)))
    if result.harmonics and result.months < rules["full_seasons_months"]:
        found.append(phrase("caveat.short_season", lang, full=rules["full_seasons_months"]))
    return found


def _short(period: str) -> str:
    year, _, month = period.partition("-")
    return f"{month}/{year}"
