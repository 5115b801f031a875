"""An interrupted series: numbers as attributes, `.data`, `.table()`, `.plot()`, `.explain()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import month_label
from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import language, number, period_words, title_of
from ncdsurv.trends.base import SeriesResult, signed
from ncdsurv.trends.interrupted.check import Placebo
from ncdsurv.trends.interrupted.model import Estimate, Segmented
from ncdsurv.trends.method import phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class InterruptedResult(SeriesResult):
    """What `fit_interrupted` returns; changes are relative, in percent.

    `.data` columns: period, observed, fitted, lower, upper, counterfactual, counterfactual_lower,
    counterfactual_upper (null before the date), used (False in the transition), numerator, denominator, flag.
    `month` is the index of the first month after; `placebo` the check of the months before, None where they are
    too few; `transition` how many months from the date on were left out.
    """

    model: Segmented
    month: int
    event: str | None
    placebo: Placebo | None
    harmonics: int
    lag: int
    wider: bool
    window: int
    overlap: str
    transition: int
    family_reason: str
    family_p_value: float

    @property
    def level_change(self) -> Estimate:
        """Step of the rate in the month of the intervention, percent."""
        return self.model.level_change

    @property
    def slope_change(self) -> Estimate | None:
        """Ratio of the yearly changes after and before, less 1, percent; None for a step alone."""
        return self.model.slope_change

    def when(self, lang: str) -> str:
        """The date as it is printed, `07/2025`."""
        year, _, month = month_label(self.month).partition("-")
        return f"{month}/{year}"

    def title(self, lang: str | None = None) -> str:
        """Date, indicator, disease and area in words."""
        lang = language(lang or self.lang)
        frame = phrase("interrupted.heading", lang, when=self.when(lang))
        return nfc(
            frame.format(title=title_of(self.identity, self.catalog, lang), area=self.area_names[lang])
        )

    def headline(self, lang: str | None = None) -> str:
        """The change of level and of slope with their intervals, in words."""
        lang = language(lang or self.lang)
        level, change = self.level_change, self.slope_change
        said = phrase(
            "interrupted.found",
            lang,
            when=self.when(lang),
            level=signed(level.value, lang),
            lower=signed(level.lower, lang),
            upper=signed(level.upper, lang),
            confidence=number(100 * self.confidence, lang),
        )
        if change is None:
            return said
        return said + phrase(
            "interrupted.found_slope",
            lang,
            before=signed(self.model.slope_before.value, lang),
            after=signed(self.model.slope_after.value, lang),
            change=signed(change.value, lang),
            low=signed(change.lower, lang),
            high=signed(change.upper, lang),
        )

    def summary(self) -> dict[str, Any]:
        """The finding as plain values, for tables and HTTP answers."""
        model = self.model
        return {
            **self.identity_summary(),
            "at": month_label(self.month),
            "event": self.event,
            "level_change": vars(model.level_change),
            "slope_before": vars(model.slope_before),
            "slope_after": vars(model.slope_after),
            "slope_change": vars(model.slope_change) if model.slope_change else None,
            "effect_last": vars(model.effect_last),
            "confidence": self.confidence,
            "family": model.family,
            "dispersion": model.dispersion,
            "degrees_of_freedom": model.degrees_of_freedom,
            "newey_west_lag": self.lag or None,
            "wider_error": self.wider,
            "transition_months": self.transition,
            "placebo_month": month_label(self.placebo.month) if self.placebo else None,
            "placebo_found": self.placebo.found if self.placebo else None,
        }

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """Level, slopes, their change and the last month against the counterfactual; columns in words."""
        names = [phrase(f"column.{key}", lang) for key in ("what", "value", "lower", "upper")]
        names.append(phrase("interrupted.column_p", lang))
        model, last = self.model, period_words(self.last, lang)
        found = {"level": model.level_change, "before": model.slope_before}
        if model.slope_change:
            found |= {"after": model.slope_after, "slope": model.slope_change}
        found["effect"] = model.effect_last
        return [
            dict(
                zip(
                    names,
                    (
                        phrase(f"interrupted.quantity.{key}", lang, month=last),
                        one.value,
                        one.lower,
                        one.upper,
                        one.p_value,
                    ),
                )
            )
            for key, one in found.items()
        ]

    def lines(self, ax: Axes, lang: str) -> None:
        """The model on both sides of the date, and the counterfactual."""
        from ncdsurv.trends.interrupted.draw import draw_sides

        draw_sides(ax, self, lang)

    def words(self, lang: str) -> str:
        """Definition, model, check of the months before, what was left out and how far to trust it."""
        from ncdsurv.trends.interrupted.explain import explain_interrupted

        return explain_interrupted(self, lang)
