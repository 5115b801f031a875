"""The words of a forecast: model, back-test, caveats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.maps.wording import number
from ncdsurv.trends.base import p_words
from ncdsurv.trends.explain import explanation, labelled
from ncdsurv.trends.method import phrase

if TYPE_CHECKING:
    from ncdsurv.trends.forecast.result import ForecastResult


def explain_forecast(result: ForecastResult, lang: str) -> str:
    """The whole explanation."""
    test, caveats = result.backtest, []
    model = phrase("forecast.model", lang, scale="logit" if result.share else "log")
    checked = phrase(
        "forecast.backtest",
        lang,
        origins=test.origins,
        n=test.compared,
        horizon=test.horizon,
        confidence=number(100 * result.confidence, lang),
        raw=number(100 * test.covered_raw, lang) + "%",
        misfit=phrase(
            f"forecast.misfit.{'widened' if test.factor > 1 else 'none'}",
            lang,
            p=p_words(test.p_value, lang),
            covered=number(100 * test.covered, lang) + "%",
            factor=number(test.factor, lang, 2),
        ),
    )
    if result.future.height > test.horizon:
        caveats.append(
            phrase("forecast.caveat.beyond", lang, horizon=test.horizon, ahead=result.future.height)
        )
    if result.window > 1:
        caveats.append(phrase("forecast.caveat.overlap", lang, window=result.window))
    return explanation(
        result,
        lang,
        found=[f"{result.headline(lang)}."],
        model=[labelled("model_label", f"{model} {checked}", lang)],
        caveats=[*caveats, phrase("forecast.caveat.same", lang)],
    )
