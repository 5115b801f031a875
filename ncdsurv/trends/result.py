"""A fitted trend: numbers as attributes, `.data`, `.table()`, `.plot()`, `.explain()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ncdsurv.maps.wording import language, number, period_words
from ncdsurv.trends.base import SeriesResult, signed
from ncdsurv.trends.method import phrase
from ncdsurv.trends.model import RateModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class TrendResult(SeriesResult):
    """What `fit_trend` returns; changes are in percent per year, `.data` in the values' unit.

    `.data` columns: period, observed, fitted, lower, upper (interval of the model's mean), trend (season
    removed), numerator, denominator, flag. `window` is how many months one value looks back, `overlap` what was
    done about it; `model.residuals` are the standardised residuals.
    """

    model: RateModel
    harmonics: int
    lag: int | None
    window: int
    overlap: str
    family_reason: str

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
        """Pearson chi-square of the Poisson model over residual degrees of freedom."""
        return self.model.pearson_dispersion

    def summary(self) -> dict[str, Any]:
        """The headline as plain values, for tables and HTTP answers."""
        return {
            **self.identity_summary(),
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
            "family": self.model.family,
            "alpha": self.model.alpha,
            "checks": vars(self.model.checks),
        }

    def headline(self, lang: str | None = None) -> str:
        """The annual change with its interval, in words."""
        lang = language(lang or self.lang)
        return phrase(
            "change",
            lang,
            change=signed(self.annual_change, lang),
            lower=signed(self.lower, lang),
            upper=signed(self.upper, lang),
            confidence=number(100 * self.confidence, lang),
        )

    def lines(self, ax: Axes, lang: str) -> None:
        """The model with its band, and the trend without season."""
        from ncdsurv.trends.draw import draw_model

        draw_model(ax, self, lang)

    def words(self, lang: str) -> str:
        """Definition, model, formula, what was left out and how far to trust it."""
        from ncdsurv.trends.explain import explain_trend

        return explain_trend(self, lang)

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """The annual change, and the model's first and last month; columns in words."""
        change = (phrase("quantity.change", lang), self.annual_change, self.lower, self.upper)
        rates = [
            (
                phrase("quantity.fitted", lang, month=period_words(period, lang)),
                *(
                    float(part[at]) * self.series.scale
                    for part in (self.model.fitted, self.model.lower, self.model.upper)
                ),
            )
            for at, period in ((0, self.first), (-1, self.last))
        ]
        return self.named([change, *rates], lang)
