"""The verb `ns.funnel`: published values of areas against the limits that chance sets for their size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import polars as pl

from ncdsurv.areas.draw import Scene
from ncdsurv.areas.funnels.result import POSITIONS, Dispersion, FunnelResult
from ncdsurv.areas.funnels.target import Target, find_target
from ncdsurv.areas.rates import BINOMIAL
from ncdsurv.areas.smoothing import open_scene
from ncdsurv.areas.take import USED
from ncdsurv.areas.words import method as limits
from ncdsurv.errors import StatisticsError, unknown
from ncdsurv.indicators.rates import funnel_proportions, funnel_rates
from ncdsurv.indicators.rates.dispersion import (
    ADDITIVE,
    NONE,
    WAYS,
    WINSORISE,
    dispersion_p_value,
)
from ncdsurv.indicators.rates.dispersion import overdispersion as judge_dispersion
from ncdsurv.indicators.rates.funnel import ABOVE, ABOVE_OUTER, BELOW, BELOW_OUTER, WITHIN, Funnel
from ncdsurv.indicators.rates.limits import EXACT, NORMAL, RATE, SHARE, variance_at
from ncdsurv.maps.asked import AreasAsked, settle, takes
from ncdsurv.maps.wording import language

if TYPE_CHECKING:
    from numpy.typing import NDArray

AUTO = "auto"
_POSITIONS = dict(zip((BELOW_OUTER, BELOW, WITHIN, ABOVE, ABOVE_OUTER), POSITIONS))


@takes(AreasAsked)
def funnel(
    values: Any,
    *,
    target: float | str | None = None,
    overdispersion: str = AUTO,
    winsorise: float = WINSORISE,
    method: str | None = None,
    family: str | None = None,
    **asked: Unpack[AreasAsked],
) -> FunnelResult:
    """Funnel plot of areas: which differ from a target by more than chance and their size allow.

    Args:
        values: polars or pandas frame with area_code, area_vintage, numerator, denominator (what
            `release.values(...)` returns has them); shares in percent or rates per 100,000. Where a level is chosen,
            rows of other levels serve as target.
        target: In the unit of the values, or the code of an area among them. None: the figure of the smallest area
            that holds all of them, where the values have it, else all counts over all people.
        overdispersion: `auto` widens the limits (additive) where the areas differ more than chance, judged at 5 % on
            ten areas or more; `none`, `additive` or `multiplicative` as asked (Spiegelhalter 2005).
        winsorise: Share of the z-scores drawn in at either end before dispersion is judged.
        method: `exact` or `normal` limits; None: exact, and normal with over-dispersion or a denominator that is not
            whole.
        family: `binomial` or `poisson`; None: binomial for percent, else Poisson.
        **asked: See `ncdsurv.maps.asked.AreasAsked`.

    Returns:
        A `FunnelResult`: `.outside`, `.data`, `.table()`, `.plot()`, `.explain()`. An area without a figure or with
        a denominator of 0 stays in `.data` with a null value and its status.

    Raises:
        UsageError: Columns missing, a mixture, unknown codes or settings.
        StatisticsError: No area with a rate, a target of 0 or 100 %, exact limits with over-dispersion, or counts that
            are no rates.

    >>> import polars as pl
    >>> v = pl.DataFrame({"area_code": ["01", "79", "48"], "area_vintage": "2025", "numerator": [10, 120, 18],
    ...                   "denominator": [100, 200, 40], "unit": "percent"})
    >>> funnel(v, target=45, lang="en").data["position"].to_list()
    ['below_outer', 'within', 'above_outer']
    """
    one = settle(AreasAsked, asked)
    lang = language(one["lang"])
    if overdispersion not in (AUTO, *WAYS):
        raise unknown("way with over-dispersion", str(overdispersion), (AUTO, *WAYS))
    if method not in (None, EXACT, NORMAL):
        raise unknown("method of limits", str(method), (EXACT, NORMAL))
    scene, family = open_scene(values, one, family=family, fewest=1, alike=True)
    rows = scene.rows
    middle = find_target(rows, scene.reference, family, target)
    counts = _counts(rows.used, rows.scale, family)
    seen = _judge(counts, middle.value, overdispersion, winsorise)
    if method == EXACT and seen.used != NONE:
        raise StatisticsError(
            "exact limits with over-dispersion",
            got=f"phi = {seen.phi:.2f}",
            allowed="the normal method",
            do='leave method out, or say overdispersion="none"',
        )
    if method is None:
        whole = not bool((counts.people % 1).any())
        method = EXACT if seen.used == NONE and (whole or family != BINOMIAL) else NORMAL
    found = counts.funnel(middle.value, method, seen.used, winsorise)
    table = _table(scene, counts, found, middle, seen, lang)
    return FunnelResult(rows.back(table), middle, found, seen, method, family, winsorise, lang, scene, table)


@dataclass(frozen=True)
class _Counts:
    """Cases and people of the areas with a rate, and the functions that suit them."""

    cases: NDArray[np.float64]
    people: NDArray[np.float64]
    scale: float
    family: str

    @property
    def statistic(self) -> str:
        return SHARE if self.family == BINOMIAL else RATE

    def variance(self, target: float) -> NDArray[np.float64]:
        """By chance alone, of the rate per person."""
        return variance_at(target / self.scale, self.people, self.statistic)

    def funnel(self, target: float, method: str, way: str, winsorise: float) -> Funnel:
        options: dict[str, Any] = {
            "benchmark": target, "method": method, "overdispersion": way, "winsorise": winsorise,
        }  # fmt: skip
        if self.family == BINOMIAL:
            return funnel_proportions(count=self.cases, total=self.people, multiplier=self.scale, **options)
        return funnel_rates(count=self.cases, population=self.people, per=self.scale, **options)


def _counts(used: pl.DataFrame, scale: float, family: str) -> _Counts:
    cases, people = (used[name].to_numpy().astype(float) for name in ("numerator", "denominator"))
    return _Counts(cases, people, scale, family)


def _judge(counts: _Counts, target: float, asked: str, winsorise: float) -> Dispersion:
    """Dispersion about the target, and what is to be done about it."""
    n, rules = len(counts.people), limits()["funnel"]
    if n < 2 and asked in (AUTO, NONE):
        return Dispersion(asked, NONE, None, None, 0.0)
    phi, tau2 = judge_dispersion(
        counts.cases / counts.people, counts.variance(target), target / counts.scale, winsorise
    )
    p_value = dispersion_p_value(phi, n)
    used = asked
    if asked == AUTO:
        seen = n >= rules["fewest_to_judge_dispersion"] and p_value < rules["dispersion_level"]
        used = ADDITIVE if seen else NONE
    return Dispersion(asked, used, phi, p_value, tau2**0.5 * counts.scale)


def _table(
    scene: Scene, counts: _Counts, found: Funnel, target: Target, seen: Dispersion, lang: str
) -> pl.DataFrame:
    rows = scene.rows
    spread = counts.variance(target.value) * counts.scale**2
    if seen.used == ADDITIVE:
        spread = spread + seen.tau**2
    elif seen.used != NONE:
        spread = spread * (seen.phi or 1.0)
    figures = pl.DataFrame(
        {
            "area_code": rows.used["area_code"],
            "value": found.value,
            "lower_95": found.lower_95,
            "upper_95": found.upper_95,
            "lower_998": found.lower_998,
            "upper_998": found.upper_998,
            "z": (found.value - target.value) / np.sqrt(spread),
            "position": [_POSITIONS[str(word)] for word in found.position],
        }
    )
    joined = rows.frame.join(figures, on="area_code", how="left", maintain_order="left")
    name = pl.col("area_code").replace_strict(scene.names(lang), default=None, return_dtype=pl.String)
    target_of = pl.when(pl.col("status") == USED).then(pl.lit(target.value))
    return joined.with_columns(name=name, target=target_of).select(
        "area_code", "name", "numerator", "denominator", "value", "target", "lower_95", "upper_95", "lower_998",
        "upper_998", "z", "position", "flag", "status",
    )  # fmt: skip
