"""A funnel plot: numbers as attributes, `.data`, `.table()`, `.plot()`, `.explain()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.areas.funnels.target import AREA, Target
from ncdsurv.areas.result import AreaResult, whole
from ncdsurv.areas.take import USED
from ncdsurv.areas.words import phrase
from ncdsurv.maps.wording import area_name, language, number, with_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ncdsurv.areas.draw import Scene
    from ncdsurv.indicators.rates.funnel import Funnel

BELOW_OUTER, BELOW, WITHIN = "below_outer", "below", "within"
ABOVE, ABOVE_OUTER = "above", "above_outer"
POSITIONS = (BELOW_OUTER, BELOW, WITHIN, ABOVE, ABOVE_OUTER)
OUTER, INNER = (BELOW_OUTER, ABOVE_OUTER), (BELOW, ABOVE)


@dataclass(frozen=True)
class Dispersion:
    """How much more the areas differ than chance allows.

    Attributes:
        asked: `auto`, `none`, `additive` or `multiplicative`.
        used: What was done: `none`, `additive` or `multiplicative`.
        phi: Mean of the squared z-scores, tails drawn in, at least 1; None where there is one area.
        p_value: Chance of such a phi among areas that differ by chance alone.
        tau: Standard deviation between areas, in the unit of the values.
    """

    asked: str
    used: str
    phi: float | None
    p_value: float | None
    tau: float


@dataclass(frozen=True, repr=False)
class FunnelResult(AreaResult):
    """What `ns.funnel` returns.

    Attributes:
        data: One row an area, in the kind of frame that was given: area_code, name, numerator, denominator, value,
            target, lower_95, upper_95, lower_998, upper_998 (in the unit of the values), z (standard errors from the
            target, over-dispersion counted in), position (`below_outer`, `below`, `within`, `above`, `above_outer`;
            `outer` is 99.8 %), flag, status (`used`, `no_value`, `no_people`).
        target: The middle line, and where it comes from.
        found: The funnel of the areas with a figure, as `ncdsurv.rates` gives it.
        dispersion: How much more than chance the areas differ, and what was done.
        method: `exact` or `normal`.
        family: `binomial` or `poisson`.
        winsorise: As used.
        lang: Language of `.plot()`, `.table()` and `.explain()` unless they are told.
    """

    data: Any
    target: Target
    found: Funnel
    dispersion: Dispersion
    method: str
    family: str
    winsorise: float
    lang: str
    _scene: Scene
    _table: pl.DataFrame

    @property
    def placed(self) -> pl.DataFrame:
        """Areas with a figure, the farthest from the target first."""
        used = self._table.filter(pl.col("status") == USED)
        return used.sort(pl.col("z").abs(), "area_code", descending=[True, False])

    @property
    def outside(self) -> list[str]:
        """Codes of the areas outside the 99.8 % limits, the farthest first."""
        return self.placed.filter(pl.col("position").is_in(OUTER))["area_code"].to_list()

    @property
    def counts(self) -> dict[str, int]:
        """Number of areas at every position."""
        found = self._table["position"].to_list()
        return {position: found.count(position) for position in POSITIONS}

    @property
    def alike(self) -> bool:
        """Whether all areas have the same rate."""
        value = self.placed["value"]
        low, high = float(value.min()), float(value.max())  # type: ignore[arg-type]
        return high - low <= 1e-12 * abs(high)

    def shown(self, value: float | None, lang: str) -> str:
        """A value with its unit."""
        return with_unit(value, self._scene.rows.identity["unit"], lang)

    def target_words(self, lang: str) -> str:
        """The middle line with its unit, and the area whose figure it is."""
        said = self.shown(self.target.value, lang)
        if self.target.kind != AREA:
            return said
        return f"{said} ({self.target_area(lang)})"

    def target_area(self, lang: str) -> str:
        """Name of the area whose figure the target is."""
        scene, target = self._scene, self.target
        return area_name(scene.reference, str(target.code), scene.rows.vintage, str(target.level), lang)

    def headline(self, lang: str | None = None) -> str:
        """How many areas lie outside the limits, and on which side."""
        lang = language(lang or self.lang)
        placed, counts = self.placed, self.counts
        first = placed.row(0, named=True)
        target = self.target_words(lang)
        if placed.height == 1:
            name = self._scene.names(lang)[first["area_code"]]
            where = phrase(f"funnel.position.{first['position']}", lang)
            return phrase(
                "funnel.found.one",
                lang,
                name=name,
                value=self.shown(first["value"], lang),
                position=where,
                target=target,
            )
        if self.alike and not self.outside:
            return phrase(
                "funnel.found.alike",
                lang,
                n=number(placed.height, lang),
                value=self.shown(first["value"], lang),
            )
        parts = {
            "n": number(placed.height, lang), "target": target, "outer": number(len(self.outside), lang),
            "above": number(counts[ABOVE_OUTER], lang), "below": number(counts[BELOW_OUTER], lang),
            "inner": number(sum(counts[one] for one in INNER), lang),
        }  # fmt: skip
        return phrase(f"funnel.found.{'some' if self.outside else 'none'}", lang, **parts)

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """Areas with a figure, the farthest from the target first."""
        names = self._scene.names(lang)
        columns = self._columns(
            lang,
            (
                "area",
                "numerator",
                "denominator",
                "rate",
                "lower_95",
                "upper_95",
                "lower_998",
                "upper_998",
                "position",
            ),
        )
        return [
            dict(
                zip(
                    columns,
                    (
                        names[row["area_code"]],
                        whole(row["numerator"]),
                        whole(row["denominator"]),
                        *(row[name] for name in ("value", "lower_95", "upper_95", "lower_998", "upper_998")),
                        phrase(f"funnel.position.{row['position']}", lang),
                    ),
                )
            )
            for row in self.placed.iter_rows(named=True)
        ]

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the areas in the funnel; those outside are named where there is room.

        Args:
            ax: Axes to draw on; a new figure when None.
            lang: `vi` or `en`; the result's own unless given.

        Returns:
            The matplotlib Axes.
        """
        from ncdsurv.areas.funnels.draw import draw_funnel

        return draw_funnel(self, ax=ax, lang=language(lang or self.lang))

    def explain(self, lang: str | None = None) -> str:
        """What was found, target, limits, over-dispersion, what chance alone gives and caveats; a statement a line."""
        from ncdsurv.areas.funnels.explain import explain_funnel

        return explain_funnel(self, language(lang or self.lang))

    def __repr__(self) -> str:
        return f"FunnelResult({self._scene.title('en')}: {self.headline('en')})"
