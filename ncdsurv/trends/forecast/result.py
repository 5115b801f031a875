"""A forecast: numbers as attributes, `.data`, `.table()`, `.plot()`, `.explain()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ncdsurv.catalog.vocabulary import Period, month_start
from ncdsurv.maps.style import BAND, FITTED, QUALITATIVE
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
        rows: list[tuple[Any, ...]] = [
            (phrase("forecast.quantity.value", lang, month=period_words(one[0], lang)), *one[1:])
            for one in self.future.rows()
            if one[0].endswith("-12") or one[0] == self.future["period"][-1]
        ]
        if self.probability is not None:
            rows.append((phrase("forecast.quantity.probability", lang), 100 * self.probability, None, None))
        return self.named(rows, lang)

    def lines(self, ax: Axes, lang: str) -> None:
        """The forecast with its interval, and the target."""
        dates: Any = [month_start(Period.parse(one).first_month) for one in self.future["period"]]
        label = phrase("forecast.band", lang, confidence=number(100 * self.confidence, lang))
        ax.fill_between(
            dates, self.future["lower"], self.future["upper"], color=BAND, alpha=0.55, lw=0, label=label
        )
        ax.plot(dates, self.future["forecast"], color=FITTED, lw=1.8, label=phrase("forecast.line", lang))
        if self.target is not None:
            look: dict[str, Any] = {"color": QUALITATIVE[1], "lw": 1.2, "ls": (0, (5, 3))}
            ax.axhline(self.target, label=phrase("forecast.target", lang), **look)

    def labels(self, ax: Axes, lang: str) -> None:
        """A year a tick: the axis goes on into the forecast."""
        from matplotlib.dates import DateFormatter, YearLocator

        ax.xaxis.set_major_locator(YearLocator())
        ax.xaxis.set_major_formatter(DateFormatter("%m/%Y"))

    def words(self, lang: str) -> str:
        """What is forecast, the model, its back-test, what was left out and how far to trust it."""
        from ncdsurv.trends.forecast.explain import explain_forecast

        return explain_forecast(self, lang)
