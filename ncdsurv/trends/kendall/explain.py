"""The words of a Mann-Kendall test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.maps.wording import number
from ncdsurv.trends.explain import explanation, labelled
from ncdsurv.trends.method import phrase

if TYPE_CHECKING:
    from ncdsurv.trends.kendall.result import KendallResult


def explain_kendall(result: KendallResult, lang: str) -> str:
    """The whole explanation."""
    caveats = [phrase("kendall.caveat.lag", lang)]
    if result.window > 1 and not result.thinned:
        key = "overlap_allowed" if result.correction != "none" else "overlap"
        caveats.append(phrase(f"kendall.caveat.{key}", lang, window=result.window))
    return explanation(
        result,
        lang,
        found=[f"{result.headline(lang)}. {phrase('joinpoint.absolute', lang)}"],
        model=[labelled("model_label", " ".join(_test(result, lang)), lang)],
        caveats=caveats,
        wording="kendall",
    )


def _test(result: KendallResult, lang: str) -> list[str]:
    test = result.test
    score = phrase(
        "kendall.score",
        lang,
        score=number(test.score, lang),
        tau=number(test.tau, lang, 2),
        z=number(test.statistic, lang, 2),
    )
    correction = phrase(
        f"kendall.correction.{result.correction}",
        lang,
        most=result.lag,
        lags=", ".join(str(lag) for lag in test.lags) or phrase("kendall.no_lag", lang),
        factor=number(test.factor, lang, 2),
    )
    exact = [phrase("kendall.exact", lang)] if test.exact else []
    return [
        phrase(f"kendall.kind.{'season' if result.season else 'plain'}", lang),
        score,
        *exact,
        correction,
    ]
