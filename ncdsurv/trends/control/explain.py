"""The words of a control chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ncdsurv.maps.wording import number, period_words
from ncdsurv.trends.control.limits import PROPORTION
from ncdsurv.trends.counts import lag_one
from ncdsurv.trends.explain import explanation, labelled
from ncdsurv.trends.method import method, phrase

if TYPE_CHECKING:
    from ncdsurv.trends.control.result import ControlResult


def explain_control(result: ControlResult, lang: str) -> str:
    """The whole explanation."""
    return explanation(
        result,
        lang,
        found=[
            f"{result.headline(lang)}.",
            labelled("control.marker_label", f"{result.marker_words(lang)}.", lang),
        ],
        model=[labelled("control.model_label", " ".join(_chart(result, lang)), lang)],
        caveats=_caveats(result, lang),
    )


def _chart(result: ControlResult, lang: str) -> list[str]:
    said = [phrase(f"control.kind.{result.kind}", lang)]
    if any(one.corrected for one in result.charts):
        factors = "; ".join(number(one.sigma_z, lang, 2) for one in result.charts)
        said.append(phrase("control.laney.on", lang, kind=result.kind, sigma_z=factors))
    else:
        said.append(phrase(f"control.laney.{'flat' if result.laney else 'off'}", lang))
    if result.baseline:
        said.append(phrase("control.baseline", lang, month=period_words(result.baseline, lang)))
    if len(result.charts) > 1:
        periods = result.series.frame["period"].to_list()
        starts = [periods[int(np.argmax(result.phase_of == at))] for at in range(len(result.charts))]
        months = ", ".join(period_words(one, lang) for one in starts)
        said.append(phrase("control.phases", lang, months=months))
    names = method()["control"]["set"][result.rule_set]
    rules = "; ".join(phrase(f"control.rule.{name}", lang) for name in names)
    name = phrase(f"control.set_name.{result.rule_set}", lang)
    return [*said, phrase("control.rules_used", lang, name=name, rules=rules)]


def _caveats(result: ControlResult, lang: str) -> list[str]:
    rules, frame = method()["control"], result.series.frame
    found = [phrase("control.caveat.cause", lang)]
    if result.window > 1 and result.overlap != "thin":
        found.append(phrase("control.caveat.overlap", lang, window=result.window))
    base = np.bincount(result.phase_of).min()
    if result.baseline:
        base = int((frame["period"] <= result.baseline).sum())
    if base < rules["provisional_points"]:
        found.append(phrase("control.caveat.provisional", lang, full=rules["provisional_points"]))
    centre = np.array([result.charts[at].centre for at in result.phase_of])
    people = frame["denominator"].to_numpy()
    expected = centre * people
    if result.kind == PROPORTION:
        expected = np.minimum(expected, (1 - centre) * people)
    least = rules["minimum_expected"]
    if rough := int((expected < least).sum()):
        found.append(phrase("control.caveat.expected", lang, n=rough, least=least))
    z = np.concatenate([one.z for one in result.charts])
    if np.isfinite(z).all() and (value := lag_one(z)) > method()["autocorrelation_caveat"]:
        found.append(phrase("control.caveat.correlation", lang, value=number(value, lang, 2)))
    return found
