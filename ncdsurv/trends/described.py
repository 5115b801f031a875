"""A series shown as it was published, with the reason why no annual change is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np
import polars as pl

from ncdsurv.errors import StatisticsError
from ncdsurv.maps.style import FITTED, OBSERVED, SOFT_INK
from ncdsurv.maps.wording import language, period_words, with_unit
from ncdsurv.trends.base import SeriesResult
from ncdsurv.trends.fit import fit_trend
from ncdsurv.trends.method import phrase
from ncdsurv.trends.prepare import SeriesArguments, prepare_series, series_verb
from ncdsurv.trends.refusal import SeriesRefused
from ncdsurv.trends.result import TrendResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class DescribedSeries(SeriesResult):
    """What `describe_series` returns: no model, no annual change, and the reason.

    `.data` columns: period, observed, lower, upper (published interval, null where none was), separate (months that
    share no readings with each other, counted back from the last), numerator, denominator, flag. `refused` is the
    error of the model that was asked for, None where only a description was.
    """

    refused: StatisticsError | None
    window: int

    heading: ClassVar[str] = "described.heading"
    annual_change: ClassVar[None] = None
    lower: ClassVar[None] = None
    upper: ClassVar[None] = None

    @property
    def separate(self) -> pl.DataFrame:
        """Months to compare: those that share no readings, or first and last where every month stands alone."""
        frame = self.series.frame
        if self.window > 1:
            return frame.filter(separate_months(self.window))
        return frame.filter(pl.col("month").is_in([frame["month"][0], frame["month"][-1]]))

    def why(self, lang: str | None = None) -> str | None:
        """The reason in words, None where nothing was refused."""
        lang = language(lang or self.lang)
        if self.refused is None:
            return None
        if isinstance(self.refused, SeriesRefused):
            return phrase(f"described.why.{self.refused.reason}", lang, **self.refused.parts)
        return phrase("described.why.other", lang)

    def headline(self, lang: str | None = None) -> str:
        """Why no annual change is given, and the values that may be compared."""
        lang = language(lang or self.lang)
        why, rows = self.why(lang), self.separate
        begin = (
            phrase("described.found.refused", lang, why=why) if why else phrase("described.found.asked", lang)
        )
        unit = self.identity["unit"]
        points = [
            phrase(
                "described.point",
                lang,
                value=with_unit(value, unit, lang),
                month=period_words(period, lang),
            )
            for period, value in rows.select("period", "value").rows()
        ]
        kind = "one" if len(points) == 1 else "separate" if self.window > 1 else "ends"
        return begin + phrase(f"described.points.{kind}", lang, points="; ".join(points))

    def summary(self) -> dict[str, Any]:
        """The finding as plain values; the annual change and its limits are null, `reason` says why."""
        reason = getattr(self.refused, "reason", "other") if self.refused else None
        return {
            **self.identity_summary(),
            "annual_change_percent": None,
            "lower": None,
            "upper": None,
            "reason": reason,
            "why": self.why("en"),
            "window_months": self.window,
            "separate": self.separate.select("period", "value").to_dicts(),
        }

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """The months to compare with their published intervals; columns in words."""
        return self.named(
            [
                (phrase("described.quantity", lang, month=period_words(period, lang)), *numbers)
                for period, *numbers in self.separate.select("period", "value", "lower", "upper").rows()
            ],
            lang,
        )

    def lines(self, ax: Axes, lang: str) -> None:
        """The published months with their intervals; those that share no readings stand out."""
        frame, dates = self.series.frame, np.array(self.dates())
        value, low, high = (
            frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
            for name in ("value", "lower", "upper")
        )
        apart = np.nonzero(np.diff(frame["month"].to_numpy()) > 1)[0] + 1
        for run in np.split(np.arange(len(dates)), apart):  # no line across a gap
            ax.plot(dates[run], value[run], color=SOFT_INK, lw=0.8, ls=(0, (1, 1.5)))
        known = np.isfinite(low) & np.isfinite(high)
        if known.any():
            label = phrase("described.interval", lang)
            ax.vlines(dates[known], low[known], high[known], color=OBSERVED, lw=0.9, alpha=0.45, label=label)
        if self.window > 1:
            chosen = frame.select(separate_months(self.window)).to_series().to_numpy()
            look: dict[str, Any] = {"ls": "none", "marker": "o", "ms": 9, "mfc": "none", "mew": 1.6}
            label = phrase("described.separate", lang)
            ax.plot(dates[chosen], value[chosen], color=FITTED, label=label, clip_on=False, zorder=4, **look)

    def words(self, lang: str) -> str:
        """Why there is no annual change, what is shown, what was left out and how far to trust it."""
        from ncdsurv.trends.explain import explanation, labelled

        kind = "separate" if self.window > 1 else "none"
        model = phrase(f"described.model.{kind}", lang, window=self.window)
        return explanation(
            self,
            lang,
            found=[f"{self.headline(lang)}."],
            model=[labelled("model_label", model, lang)],
            caveats=[phrase("described.caveat.people", lang)],
        )


def separate_months(window: int) -> pl.Expr:
    """Months that share no readings when each value looks back `window` months, counted back from the last."""
    return (pl.col("month").last() - pl.col("month")) % window == 0


@series_verb
def describe_series(
    values: Any,
    area: str | None = None,
    *,
    refused: StatisticsError | None = None,
    **given: Unpack[SeriesArguments],
) -> DescribedSeries:
    """Show one area's monthly values as published, without an annual change.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas); months may be missing.
        area: Area code as text; may be left out when the values hold one area.
        refused: Why a model was refused; its reason is told in both languages.
        area_vintage: Vintage of the code, needed when the values hold both geographies.
        catalog: Names and definitions; the built-in catalog unless given.
        reference: Where the area's name comes from; the built-in pack unless given.
        lang: Language of figure and explanation, `vi` or `en`.

    Returns:
        A `DescribedSeries` with `.data`, `.table()`, `.plot()`, `.explain()`; its annual change is None.

    Raises:
        UsageError: The selection is a mixture.
        StatisticsError: No month has a value and a denominator: there is nothing to show.
    """
    prepared = prepare_series(
        values,
        area,
        **given,
        minimum_months=1,
        gaps="keep",
        zeros="keep",
    )
    table = prepared.series.frame.select(
        "period",
        pl.col("value").alias("observed"),
        "lower",
        "upper",
        separate_months(prepared.window).alias("separate"),
        "numerator",
        "denominator",
        "flag",
    )
    return DescribedSeries(
        **prepared.shared(), data=prepared.back(table), refused=refused, window=prepared.window
    )


def trend_or_series(
    values: Any,
    area: str | None = None,
    *,
    confidence: float | None = None,
    season: bool = True,
    **series: Any,
) -> TrendResult | DescribedSeries:
    """The trend of a series, or the series itself with the reason where it cannot carry one.

    For reports and pages that must never be empty: `.annual_change` is None where no model was possible, and
    `.headline()`, `.plot()`, `.table()`, `.data` and `.explain()` then show the published months and say why.

    Args:
        values: As for `fit_trend`.
        area: As for `fit_trend`.
        confidence: Of the trend's interval.
        season: Model the season.
        series: `area_vintage`, `catalog`, `reference` and `lang`, as for `fit_trend`.

    Returns:
        A `TrendResult`, or a `DescribedSeries`.

    Raises:
        UsageError: The selection is a mixture.
        StatisticsError: There is no month to show.
    """
    try:
        return fit_trend(values, area, confidence=confidence, season=season, **series)
    except StatisticsError as refused:
        return describe_series(values, area, refused=refused, **series)
