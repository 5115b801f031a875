"""The words of an interrupted series: model, check of the months before, what was left out, caveats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import month_label
from ncdsurv.maps.wording import number, period_words
from ncdsurv.trends.base import p_words, signed
from ncdsurv.trends.explain import explanation, labelled
from ncdsurv.trends.method import method, phrase

if TYPE_CHECKING:
    from ncdsurv.trends.interrupted.result import InterruptedResult


def explain_interrupted(result: InterruptedResult, lang: str) -> str:
    """The whole explanation."""
    return explanation(
        result,
        lang,
        found=[f"{result.headline(lang)}. {phrase('interrupted.relative', lang)}"],
        model=[
            labelled("model_label", _model_line(result, lang), lang),
            labelled("interrupted.placebo_label", _placebo_line(result, lang), lang),
        ],
        caveats=_caveats(result, lang),
        wording="interrupted",
    )


def _model_line(result: InterruptedResult, lang: str) -> str:
    model, when = result.model, result.when(lang)
    return phrase(
        "interrupted.model",
        lang,
        when=when,
        slope=phrase("interrupted.model_slope", lang, when=when) if model.slope_change else "",
        without=phrase("interrupted.model_without", lang) if model.slope_change else "",
        season=phrase("season_term", lang, harmonics=result.harmonics) if result.harmonics else "",
        family=phrase(
            f"family.{model.family}",
            lang,
            dispersion=number(model.dispersion, lang, 2),
            alpha=number(model.alpha, lang, 4),
        ),
        reason=phrase(f"family_reason.{result.family_reason}", lang, p=p_words(result.family_p_value, lang)),
        confidence=number(100 * result.confidence, lang),
        freedom=model.degrees_of_freedom,
        errors=_errors(result, lang),
    )


def _errors(result: InterruptedResult, lang: str) -> str:
    if result.lag:
        return phrase(f"interrupted.errors.{'wider' if result.wider else 'newey_west'}", lang, lag=result.lag)
    if result.window > 1 and result.overlap == "shared":
        return phrase("shared_windows", lang, window=result.window)
    return ""


def _placebo_line(result: InterruptedResult, lang: str) -> str:
    placebo = result.placebo
    if placebo is None:
        return phrase("interrupted.placebo.short", lang)
    return phrase(
        f"interrupted.placebo.{'found' if placebo.found else 'none'}",
        lang,
        month=period_words(month_label(placebo.month), lang),
        level=signed(placebo.level_change.value, lang),
        p_level=p_words(placebo.level_change.p_value, lang),
        slope=signed(placebo.slope_change.value, lang),
        p_slope=p_words(placebo.slope_change.p_value, lang),
    )


def _caveats(result: InterruptedResult, lang: str) -> list[str]:
    found = []
    if result.event:
        event = phrase(f"interrupted.event.{result.event}", lang)
        found.append(phrase("interrupted.caveat.event", lang, event=event))
    found.append(phrase("interrupted.caveat.else", lang))
    if result.window > 1 and result.overlap != "thin":
        kind = "overlap_shared" if result.overlap == "shared" and not result.lag else "overlap"
        found.append(phrase(f"interrupted.caveat.{kind}", lang, window=result.window))
    if result.model.dispersion < method()["no_noise"]:
        found.append(phrase("caveat.no_noise", lang))
    limit = method()["autocorrelation_caveat"]
    made = 0.0 if result.overlap == "thin" else 1 - 1 / result.window  # what shared readings alone give
    if result.model.residual_autocorrelation > limit + made * (1 - limit):
        value = number(result.model.residual_autocorrelation, lang, 2)
        found.append(phrase("interrupted.caveat.correlation", lang, value=value))
    return found
