"""A fitted trend: numbers as attributes, `.data`, `.plot()`, `.explain()`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import month_start
from ncdsurv.maps.wording import language, number, period_words, title_of
from ncdsurv.trends.method import phrase
from ncdsurv.trends.model import RateModel
from ncdsurv.trends.series import MonthlySeries

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ncdsurv.catalog import Catalog


@dataclass(frozen=True)
class TrendResult:
    """What `fit_trend` returns; changes are in percent per year, `.data` in the values' unit.

    `.data` columns: period, observed, fitted, lower, upper (interval of the model's mean), trend (season
    removed), numerator, denominator, flag.
    """

    series: MonthlySeries
    model: RateModel
    data: Any
    area_names: dict[str, str]
    harmonics: int
    lag: int | None
    confidence: float
    catalog: Catalog
    lang: str

    interval = "t"

    @property
    def annual_change(self) -> float:
        """Relative change of the rate per year, percent."""
        return self.model.annual_change

    @property
    def lower(self) -> float:
        """Lower limit of the annual change, percent."""
        return self.model.annual_change_lower

    @property
    def upper(self) -> float:
        """Upper limit of the annual change, percent."""
        return self.model.annual_change_upper

    @property
    def dispersion(self) -> float:
        """Pearson chi-square over residual degrees of freedom."""
        return self.model.dispersion

    @property
    def months(self) -> int:
        """Number of months in the model."""
        return self.series.frame.height

    @property
    def first(self) -> str:
        """First month, `YYYY-MM`."""
        return str(self.series.frame["period"][0])

    @property
    def last(self) -> str:
        """Last month, `YYYY-MM`."""
        return str(self.series.frame["period"][-1])

    @property
    def area_name(self) -> str:
        """Name of the area in the result's language."""
        return self.area_names[self.lang]

    @property
    def identity(self) -> dict[str, Any]:
        """What the series is: indicator, preset, disease, area, vintage, sex, age band, release, unit."""
        return dict(self.series.identity)

    def summary(self) -> dict[str, Any]:
        """The headline as plain values, for tables and HTTP answers."""
        return {
            **{key: self.identity[key] for key in ("indicator", "preset", "disease", "area_code")},
            **{
                key: self.identity[key]
                for key in ("area_vintage", "area_level", "sex", "age_band", "release")
            },
            "first": self.first,
            "last": self.last,
            "months": self.months,
            "annual_change_percent": self.annual_change,
            "lower": self.lower,
            "upper": self.upper,
            "confidence": self.confidence,
            "interval": self.interval,
            "p_value": self.model.p_value,
            "dispersion": self.dispersion,
            "degrees_of_freedom": self.model.degrees_of_freedom,
            "harmonics": self.harmonics,
            "newey_west_lag": self.lag,
            "residual_autocorrelation": self.model.residual_autocorrelation,
        }

    def headline(self, lang: str | None = None) -> str:
        """The annual change with its interval, in words."""
        lang = language(lang or self.lang)
        return phrase(
            "change",
            lang,
            change=_signed(self.annual_change, lang),
            lower=_signed(self.lower, lang),
            upper=_signed(self.upper, lang),
            confidence=number(100 * self.confidence, lang),
        )

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw observed months, the model with its band and the trend without season.

        Args:
            ax: Axes to draw on; a new figure when None.
            lang: `vi` or `en`; the result's own unless given.

        Returns:
            The matplotlib Axes.
        """
        from ncdsurv.trends.draw import draw_trend

        return draw_trend(self, ax=ax, lang=language(lang or self.lang))

    def explain(self, lang: str | None = None) -> str:
        """Definition, model, formula, what was left out and how far to trust it, as text."""
        from ncdsurv.trends.explain import explain_trend

        return explain_trend(self, language(lang or self.lang))

    def title(self, lang: str | None = None) -> str:
        """Indicator, disease and area in words."""
        lang = language(lang or self.lang)
        title = title_of(self.identity, self.catalog, lang)
        return phrase("heading", lang, title=title, area=self.area_names[lang])

    def span(self, lang: str) -> tuple[str, str]:
        """First and last month in words."""
        return period_words(self.first, lang), period_words(self.last, lang)

    def dates(self) -> list[Any]:
        """First day of every month, for an axis."""
        return [month_start(month) for month in self.series.frame["month"].to_list()]

    def __repr__(self) -> str:
        return (
            f"TrendResult({self.identity['indicator']}, {self.identity['disease']}, area "
            f"{self.identity['area_code']} of {self.identity['area_vintage']}, {self.first} to {self.last}: "
            f"{self.annual_change:+.1f} % per year, {self.lower:+.1f} to {self.upper:+.1f})"
        )

    def _repr_html_(self) -> str:
        lines = [line for line in self.explain().splitlines() if line]
        body = "".join(f"<p style='margin:.2em 0'>{escape(line)}</p>" for line in lines[1:])
        return (
            f"<section lang='{self.lang}'><h4 style='margin:.2em 0'>{escape(lines[0])}</h4>"
            f"<p style='font-size:1.15em;margin:.3em 0'><strong>{escape(self.headline())}</strong></p>"
            f"<details><summary>.explain()</summary>{body}</details></section>"
        )


def _signed(value: float, lang: str) -> str:
    return ("+" if value > 0 else "") + number(value, lang, 1) + "%"
