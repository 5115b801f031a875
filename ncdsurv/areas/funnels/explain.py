"""The words of a funnel plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ncdsurv.areas.funnels.result import ABOVE_OUTER, BELOW_OUTER
from ncdsurv.areas.rates import BINOMIAL
from ncdsurv.areas.smoothing import set_apart
from ncdsurv.areas.words import method as limits
from ncdsurv.areas.words import p_words, phrase, some
from ncdsurv.indicators.rates.dispersion import NONE
from ncdsurv.indicators.rates.given import CONFIDENCE, CONTROL
from ncdsurv.indicators.rates.limits import NORMAL
from ncdsurv.maps.selection import is_small
from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import number, period_words, rules_of, say

if TYPE_CHECKING:
    from ncdsurv.areas.funnels.result import FunnelResult


def explain_funnel(result: FunnelResult, lang: str) -> str:
    """The whole explanation, one statement a line."""
    scene = result._scene
    lines = [
        f"{result.title(lang)}: {phrase('funnel.name', lang)}. {where_and_when(result, lang)}.",
        f"{result.headline(lang)}.",
        *_outside(result, lang),
        *definition_lines(result, lang),
        phrase(
            f"funnel.target.{result.target.kind}", lang, target=result.shown(result.target.value, lang),
            area=result.target_area(lang) if result.target.code else "",
        ),
        limits_line(result, lang),
        dispersion_line(result, lang),
        *_chance(result, lang),
        *_rough(result, lang),
        *set_apart(scene.rows, lang),
        phrase("funnel.care", lang),
        source_line(result, lang),
    ]  # fmt: skip
    return "\n".join(line for line in lines if line)


def where_and_when(result: FunnelResult, lang: str) -> str:
    """Place and period."""
    from ncdsurv.areas.funnels.target import parent_of

    scene = result._scene
    level, code = parent_of(scene.rows, scene.reference)
    return scene.place_and_period(code, level, lang)


def together_of(result: FunnelResult, lang: str) -> list[str]:
    """Names and the period in title, headline and notes, which no line parts."""
    names, placed = result._scene.names(lang), result.placed
    held = [names[code] for code in placed["area_code"]] if placed.height == 1 else []
    held += [result.target_area(lang)] if result.target.code else []
    where, period = where_and_when(result, lang), result._scene.rows.period
    when = [period_words(period, lang)] if period else []
    return [*held, where.removesuffix(f", {when[0]}") if when else where, *when]


def definition_lines(result: FunnelResult, lang: str) -> list[str]:
    """What the indicator is, by which rules it was counted, and which way is good."""
    scene = result._scene
    indicator = scene.catalog.indicators.get(scene.rows.identity["indicator"])
    if indicator is None:
        return []
    return [
        say("definition", lang, text=nfc(indicator.definition[lang])),
        rules_of(scene.rows.identity, scene.catalog, lang),
        scene.sides.explain(lang),
    ]


def limits_line(result: FunnelResult, lang: str) -> str:
    """How the limits were made."""
    law = phrase(f"funnel.law.{result.family}", lang)
    return phrase(f"funnel.method.{result.method}", lang, law=law)


def dispersion_line(result: FunnelResult, lang: str) -> str:
    """Whether the areas differ more than chance, and what was done about it."""
    seen = result.dispersion
    if seen.phi is None or seen.p_value is None:
        return phrase("funnel.dispersion.few", lang)
    rules = limits()["funnel"]
    kind = seen.used
    if seen.used == NONE and seen.asked != NONE:
        few = result.placed.height < rules["fewest_to_judge_dispersion"]
        kind = "few" if few else "not_seen"
    elif seen.used != NONE and seen.p_value >= rules["dispersion_level"]:
        kind = "asked"
    return phrase(
        f"funnel.dispersion.{kind}", lang, phi=number(seen.phi, lang, 2), p=p_words(seen.p_value, lang),
        share=number(100 * result.winsorise, lang), spread=result.shown(seen.tau, lang),
        times=number(seen.phi**0.5, lang, 2),
    )  # fmt: skip


def source_line(result: FunnelResult, lang: str) -> str:
    """Release and geography."""
    rows = result._scene.rows
    vintage = say(f"vintage.{rows.vintage}", lang)
    return phrase("source", lang, release=rows.identity["release"] or "–", vintage=vintage)


def small_line(result: FunnelResult, lang: str) -> list[str]:
    """How many areas have small numbers; nothing where none has."""
    small = sum(is_small(flag) for flag in result.placed["flag"])
    return [phrase("funnel.small", lang, n=number(small, lang))] if small else []


def _outside(result: FunnelResult, lang: str) -> list[str]:
    names, lines = result._scene.names(lang), []
    for key, position in (("above", ABOVE_OUTER), ("below", BELOW_OUTER)):
        codes = result.placed.filter(pl.col("position") == position)["area_code"]
        if len(codes) and result.placed.height > 1:
            lines.append(phrase(f"funnel.{key}", lang, names=some([names[code] for code in codes], lang)))
    return lines


def _chance(result: FunnelResult, lang: str) -> list[str]:
    n = result.placed.height
    if n == 1:
        return []
    inner, outer = n * (1 - CONFIDENCE), n * (1 - CONTROL)
    return [
        phrase(
            "funnel.chance",
            lang,
            n=number(n, lang),
            inner=number(inner, lang, 1),
            outer=number(outer, lang, 1),
        )
    ]


def _rough(result: FunnelResult, lang: str) -> list[str]:
    lines, least = small_line(result, lang), limits()["funnel"]["rough_below"]
    if result.method == NORMAL:
        share = result.target.value / result._scene.rows.scale
        people = result.placed["denominator"].to_numpy()
        least_likely = min(share, 1 - share) if result.family == BINOMIAL else share
        rough = int(np.sum(least_likely * people < least))
        if rough:
            lines.append(phrase("funnel.rough", lang, n=number(rough, lang), least=least))
    return lines
