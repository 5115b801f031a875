"""Rates under the BYM2 model: numbers as attributes, `.data`, `.table()`, `.plot()`, `.explain()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import polars as pl

from ncdsurv.areas.draw import draw_rates
from ncdsurv.areas.neighbours import KNN, Neighbours
from ncdsurv.areas.result import AreaResult, whole
from ncdsurv.areas.words import exact, phrase, some
from ncdsurv.areas.words import method as limits
from ncdsurv.errors import unknown
from ncdsurv.maps.asked import RatesAsked, takes
from ncdsurv.maps.wording import language, number, with_unit

if TYPE_CHECKING:
    from ncdsurv.areas.bayes.sample import Posterior
    from ncdsurv.areas.draw import Scene
    from ncdsurv.maps.result import MapResult


@dataclass(frozen=True, repr=False)
class BayesResult(AreaResult):
    """What `ns.smooth(..., method="bym2")` returns.

    Attributes:
        data: One row an area, in the kind of frame that was given: area_code, name, numerator, denominator, raw,
            smoothed (posterior mean), lower, upper (95 % credible interval; all in the unit of the values),
            neighbours, status (`smoothed`, `island`, `no_value`, `no_people`).
        posterior: Spread between areas, the spatial share of it, and the checks of the chains.
        method: `bym2`.
        family: `poisson` or `binomial`.
        neighbours: Who is whose neighbour.
        lang: Language of `.plot()`, `.table()` and `.explain()` unless they are told.
    """

    data: Any
    posterior: Posterior
    method: str
    family: str
    neighbours: Neighbours
    lang: str
    _scene: Scene

    @property
    def trusted(self) -> bool:
        """Whether the chains agree; if not, nothing of this is to be used."""
        return self.posterior.checks.trusted

    def headline(self, lang: str | None = None) -> str:
        """The range of the rates before and after, or that they are not to be trusted."""
        lang = language(lang or self.lang)
        found = self.posterior
        if not self.trusted:
            return self._checks(lang)
        return phrase(
            "bayes.range", lang,
            raw_low=self._shown(found.raw.min(), lang), raw_high=self._shown(found.raw.max(), lang),
            low=self._shown(found.smoothed.min(), lang), high=self._shown(found.smoothed.max(), lang),
            width=self._shown(float(np.median(found.upper - found.lower)), lang),
        )  # fmt: skip

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """Areas with a rate, by code: counts, raw rate, posterior mean and interval."""
        rows, found = self._scene.rows, self.posterior
        names = self._scene.names(lang)
        columns = self._columns(
            lang, ("area", "numerator", "denominator", "raw", "smoothed", "lower_smoothed", "upper_smoothed")
        )
        figures = zip(*(part * rows.scale for part in (found.raw, found.smoothed, found.lower, found.upper)))
        counts = rows.used.select("area_code", "numerator", "denominator").iter_rows()
        return [
            dict(zip(columns, (names[code], whole(n), whole(d), *map(float, of_area))))
            for (code, n, d), of_area in zip(counts, figures)
        ]

    @takes(RatesAsked)
    def plot(
        self, column: str = "smoothed", lang: str | None = None, **asked: Unpack[RatesAsked]
    ) -> MapResult:
        """A map of the rates.

        Args:
            column: `smoothed`, `lower` or `upper` (ends of the interval), or `raw` to compare.
            lang: `vi` or `en`.
            **asked: See `ncdsurv.maps.asked.RatesAsked`.
        """
        if column not in _MAPS:
            raise unknown("column to map", str(column), tuple(_MAPS))
        lang = language(lang or self.lang)
        rows = self._scene.rows
        values = getattr(self.posterior, column) * rows.scale
        table = pl.DataFrame({"area_code": rows.used["area_code"], "value": values})
        notes = []
        if column != "raw":
            family = phrase(f"family.{self.family}", lang)
            notes = [
                phrase("bayes.how", lang, family=family),
                self._checks(lang),
                phrase("smooth.care", lang),
            ]
        text = {one: self.explain(one) for one in ("vi", "en")}
        return draw_rates(self._scene, table, _MAPS[column], notes, text, lang, **asked)

    def explain(self, lang: str | None = None) -> str:
        """What came out, whether to trust it, model, priors, spread, what was set apart; one statement a line."""
        from ncdsurv.areas.smoothing import about_neighbours, set_apart

        lang = language(lang or self.lang)
        lines = [f"{self.title(lang)}: {phrase('bayes.name', lang)}.", self.headline(lang)]
        if self.trusted:
            lines.append(self._checks(lang))
        lines += [
            phrase("smooth.why", lang),
            phrase("bayes.how", lang, family=phrase(f"family.{self.family}", lang)),
            self._priors(lang),
            self._spread(lang),
            *about_neighbours(self.neighbours, lang),
        ]
        if self.neighbours.kind == KNN:
            lines.append(phrase("bayes.symmetric", lang))
        return "\n".join(
            [*lines, self._parts(lang), *set_apart(self._scene.rows, lang), phrase("smooth.care", lang)]
        )

    def _shown(self, value: float, lang: str) -> str:
        rows = self._scene.rows
        return with_unit(float(value) * rows.scale, rows.identity["unit"], lang)

    def _checks(self, lang: str) -> str:
        found, rules = self.posterior, limits()["bayes"]
        checks = found.checks
        return phrase(
            "bayes.trusted" if checks.trusted else "bayes.distrusted", lang, r_hat=number(checks.r_hat, lang, 3),
            bulk=number(checks.bulk, lang), tail=number(checks.tail, lang), chains=found.chains,
            draws=number(found.draws, lang), seed=found.seed, divergences=number(checks.divergences, lang),
            r_hat_limit=number(rules["r_hat_limit"], lang, 2),
            least=number(rules["fewest_effective_per_chain"] * found.chains, lang),
        )  # fmt: skip

    def _priors(self, lang: str) -> str:
        rules = limits()["bayes"]
        return phrase(
            "bayes.priors", lang, upper=exact(rules["sigma_upper"], lang), above=exact(rules["sigma_above"], lang),
            middle=exact(rules["phi_middle"], lang), below=number(rules["phi_below"], lang, 2),
            level=exact(rules["level_spread"], lang), scale=phrase(f"bayes.scale.{self.family}", lang),
        )  # fmt: skip

    def _spread(self, lang: str) -> str:
        parts: dict[str, str] = {}
        for name in ("sigma", "phi"):
            ends = (number(one, lang, 2) for one in getattr(self.posterior, name))
            parts |= dict(zip((name, f"{name}_low", f"{name}_high"), ends))
        return phrase("bayes.spread", lang, scale=phrase(f"bayes.scale.{self.family}", lang), **parts)

    def _parts(self, lang: str) -> str:
        names = self._scene.names(lang)
        codes = self._scene.rows.used["area_code"]
        alone = [names[codes[at]] for at in self.posterior.islands]
        key = "bayes.parts" if alone else "bayes.parts_none"
        return phrase(key, lang, parts=self.posterior.parts, islands=len(alone), names=some(alone, lang))

    def __repr__(self) -> str:
        trust = "trusted" if self.trusted else "NOT to be trusted"
        return f"BayesResult({self._scene.title('en')}, bym2, {len(self.posterior.raw)} areas, {trust})"


_MAPS = {"smoothed": "bayes.name", "lower": "bayes.lower", "upper": "bayes.upper", "raw": "smooth.raw"}
