"""The words of joinpoints: when, how the number was chosen, the model, what was left out, caveats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.maps.wording import number
from ncdsurv.trends.base import p_words
from ncdsurv.trends.explain import explanation, labelled
from ncdsurv.trends.joinpoint.result import short
from ncdsurv.trends.method import method, phrase

if TYPE_CHECKING:
    from ncdsurv.trends.joinpoint.result import JoinpointResult


def explain_joinpoints(result: JoinpointResult, lang: str) -> str:
    """The whole explanation."""
    scale = "relative" if result.choices.log else "absolute"
    found = [f"{result.headline(lang)}. {phrase(f'joinpoint.{scale}', lang)}"]
    if result.joinpoints:
        found.append("; ".join(segment_words(result, lang)) + ".")
        found.append("; ".join(joinpoint_words(result, lang)) + ".")
    return explanation(
        result,
        lang,
        found=found,
        model=[
            labelled("model_label", _model_line(result, lang), lang),
            labelled("joinpoint.choice_label", _choice_line(result, lang), lang),
            labelled("joinpoint.interval_label", _interval_line(result, lang), lang),
        ],
        caveats=_caveats(result, lang),
        wording="joinpoint",
    )


def segment_words(result: JoinpointResult, lang: str) -> list[str]:
    """Each segment in words."""
    return [
        phrase(
            "joinpoint.segment",
            lang,
            first=short(one.first),
            last=short(one.last),
            direction=phrase(f"joinpoint.direction.{one.direction}", lang),
            **result.said(one, lang),
        )
        for one in result.segments
    ]


def joinpoint_words(result: JoinpointResult, lang: str) -> list[str]:
    """Each joinpoint with its interval in words."""
    confidence = number(100 * result.confidence, lang)
    return [
        phrase("joinpoint.joinpoint_alone", lang, month=short(month))
        if limits is None
        else phrase(
            "joinpoint.joinpoint",
            lang,
            month=short(month),
            lower=short(limits[0]),
            upper=short(limits[1]),
            confidence=confidence,
        )
        for month, limits in zip(result.joinpoints, result.joinpoint_limits)
    ]


def _model_line(result: JoinpointResult, lang: str) -> str:
    choices = result.choices
    season = phrase("season_term", lang, harmonics=choices.harmonics) if choices.harmonics else ""
    parts = {
        "season": season,
        "weights": phrase(f"joinpoint.weights.{choices.weights}", lang),
        "noise": phrase(
            f"joinpoint.noise.{choices.noise}",
            lang,
            rho=number(result.model.rho, lang, 2),
            window=choices.window,
        ),
    }
    return phrase("joinpoint.model.log" if choices.log else "joinpoint.model.linear", lang, **parts)


def _choice_line(result: JoinpointResult, lang: str) -> str:
    settings = result.choices.settings
    grid = phrase("joinpoint.grid", lang, end=settings.minimum_end, between=settings.minimum_between)
    if settings.choose == "fixed":
        return f"{phrase('joinpoint.choice.fixed', lang, most=settings.most)} {grid}"
    if settings.most == 0:
        return phrase("joinpoint.choice.nothing", lang)
    if settings.choose == "permutation":
        tests = "; ".join(
            phrase(
                "joinpoint.test",
                lang,
                null=test.null,
                other=test.other,
                p=p_words(test.p_value, lang, 4),
                sign="≤" if test.rejected else ">",
                level=number(test.level, lang, 4),
            )
            for test in result.model.tests
        )
        line = phrase(
            "joinpoint.choice.permutation",
            lang,
            permutations=number(settings.permutations, lang),
            alpha=number(settings.alpha, lang, 2),
            seed=settings.seed,
            most=settings.most,
            tests=tests,
        )
    else:
        scores = "; ".join(
            f"{score['joinpoints']}: {number(score[settings.choose], lang, 3)}"
            for score in result.model.criteria
        )
        name = settings.choose.upper()
        line = phrase("joinpoint.choice.criterion", lang, name=name, most=settings.most, scores=scores)
    return f"{line} {grid}"


def _interval_line(result: JoinpointResult, lang: str) -> str:
    places = result.model.places
    freedom = result.model.line.freedom if places is None else places.freedom
    parts = {"freedom": freedom, "samples": result.choices.settings.samples}
    return phrase(f"joinpoint.interval.{result.choices.interval}", lang, **parts)


def _caveats(result: JoinpointResult, lang: str) -> list[str]:
    choices = result.choices
    found = []
    if choices.window > 1 and choices.overlap != "thin":
        kept = choices.interval == "averaged"
        month = "" if kept else phrase("joinpoint.caveat.overlap_month", lang)
        found.append(phrase("joinpoint.caveat.overlap", lang, window=choices.window, month=month))
    if not choices.harmonics and choices.overlap != "thin":
        months = method()["joinpoint"]["years_per_harmonic_months"]
        found.append(phrase("joinpoint.caveat.season", lang, months=months))
    if result.joinpoints:
        found.append(phrase("joinpoint.caveat.place", lang))
    if result.series.frame["value"].n_unique() == 1:
        found.append(phrase("caveat.no_noise", lang))
    return found
