"""A forecast: numbers as attributes, `.data`, `.table()`, `.plot()`, `.explain()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ncdsurv.catalog.vocabulary import Period, month_start
from ncdsurv.maps.style import BAND, FITTED, QUALITATIVE, figure_style
from ncdsurv.maps.wording import language, number, period_words, with_unit
from ncdsurv.trends.base import SeriesResult
from ncdsurv.trends.forecast.model import BackTest
from ncdsurv.trends.method import phrase

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class ForecastResult(SeriesResult):
    """What `forecast_rate` returns, in the values' unit.

    `.data` columns: period, forecast, lower, upper (prediction interval). `probability` is that of meeting the
    target in the last month, between 0 and 1; `backtest` how the intervals did on the series itself.
    """

    future: pl.DataFrame
    backtest: BackTest
    target: float | None
    better: str
    probability: float | None
    share: bool
    window: int

    heading: ClassVar[str] = "forecast.heading"

    @property
    def value(self) -> float:
        """Forecast of the last month."""
        return float(self.future["forecast"][-1])

    @property
    def lower(self) -> float:
        """Lower limit of the last month."""
        return float(self.future["lower"][-1])

    @property
    def upper(self) -> float:
        """Upper limit of the last month."""
        return float(self.future["upper"][-1])

    def headline(self, lang: str | None = None) -> str:
        """The last month with its interval, and the probability of meeting the target."""
        lang = language(lang or self.lang)
        unit = self.identity["unit"]
        ends = {name: with_unit(getattr(self, name), unit, lang) for name in ("value", "lower", "upper")}
        said = phrase(
            "forecast.found",
            lang,
            month=period_words(self.future["period"][-1], lang),
            confidence=number(100 * self.confidence, lang),
            **ends,
        )
        if self.probability is None:
            return said
        target, percent = with_unit(self.target, unit, lang), round(100 * self.probability)
        # A model never knows for certain.
        shown = (
            f"> {number(99, lang)}%"
            if percent > 99
            else f"< {number(1, lang)}%"
            if percent < 1
            else f"{percent}%"
        )
        return said + phrase(f"forecast.found_target.{self.better}", lang, target=target, probability=shown)

    def summary(self) -> dict[str, Any]:
        """The finding as plain values."""
        return {
            **self.identity_summary(),
            "until": self.future["period"][-1],
            "forecast": self.value,
            "lower": self.lower,
            "upper": self.upper,
            "confidence": self.confidence,
            "target": self.target,
            "probability": self.probability,
            "backtest": vars(self.backtest),
        }

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """Every December and the last month, and the probability; columns in words."""
        names = [phrase(f"column.{key}", lang) for key in ("what", "value", "lower", "upper")]
        rows: list[tuple[Any, ...]] = [
            (phrase("forecast.quantity.value", lang, month=period_words(one[0], lang)), *one[1:])
            for one in self.future.rows()
            if one[0].endswith("-12") or one[0] == self.future["period"][-1]
        ]
        if self.probability is not None:
            rows.append((phrase("forecast.quantity.probability", lang), 100 * self.probability, None, None))
        return [dict(zip(names, row)) for row in rows]

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw observed months, the forecast with its interval, and the target.

        Args:
            ax: Axes to draw on; a new figure when None.
            lang: `vi` or `en`; the result's own unless given.

        Returns:
            The matplotlib Axes.
        """
        from matplotlib.dates import DateFormatter, YearLocator

        from ncdsurv.trends.draw import draw_observed, finish_axes, new_axes

        lang = language(lang or self.lang)
        dates: Any = [month_start(Period.parse(one).first_month) for one in self.future["period"]]
        with figure_style():
            ax = new_axes() if ax is None else ax
            label = phrase("forecast.band", lang, confidence=number(100 * self.confidence, lang))
            ax.fill_between(
                dates, self.future["lower"], self.future["upper"], color=BAND, alpha=0.55, lw=0, label=label
            )
            ax.plot(dates, self.future["forecast"], color=FITTED, lw=1.8, label=phrase("forecast.line", lang))
            if self.target is not None:
                look: dict[str, Any] = {"color": QUALITATIVE[1], "lw": 1.2, "ls": (0, (5, 3))}
                ax.axhline(self.target, label=phrase("forecast.target", lang), **look)
            draw_observed(ax, self, lang)
            finish_axes(ax, self, lang)
            ax.xaxis.set_major_locator(YearLocator())
            ax.xaxis.set_major_formatter(DateFormatter("%m/%Y"))
        return ax

    def explain(self, lang: str | None = None) -> str:
        """What is forecast, the model, its back-test, what was left out and how far to trust it."""
        from ncdsurv.trends.explain import (
            caveats_of_all,
            counts_line,
            definition_lines,
            left_out_line,
            source_line,
        )

        lang = language(lang or self.lang)
        test, percent = self.backtest, {}
        for name in ("covered_raw", "covered"):
            percent[name] = number(100 * getattr(test, name), lang) + "%"
        model = phrase("forecast.model", lang, scale="logit" if self.share else "log")
        checked = phrase(
            "forecast.backtest",
            lang,
            origins=test.origins,
            n=test.compared,
            horizon=test.horizon,
            confidence=number(100 * self.confidence, lang),
            raw=percent["covered_raw"],
            covered=percent["covered"],
            factor=number(test.factor, lang, 2),
        )
        caveats = [phrase("forecast.caveat.same", lang), *caveats_of_all(self, lang)]
        if self.window > 1:
            caveats.insert(0, phrase("forecast.caveat.overlap", lang, window=self.window))
        if self.future.height > test.horizon:
            beyond = phrase("forecast.caveat.beyond", lang, horizon=test.horizon, ahead=self.future.height)
            caveats.insert(0, beyond)
        lines = [
            self.title(lang),
            f"{self.headline(lang)}.",
            *definition_lines(self, lang),
            counts_line(self, lang),
        ]
        lines.append(f"{phrase('model_label', lang)}: {model} {checked}")
        lines += [left_out_line(self, lang), f"{phrase('caveats_label', lang)}: {' '.join(caveats)}"]
        return "\n".join([*lines, source_line(self, lang)])
