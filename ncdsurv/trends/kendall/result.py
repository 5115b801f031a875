"""A Mann-Kendall test: numbers as attributes, `.data`, `.table()`, `.plot()`, `.explain()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ncdsurv.maps.style import FITTED
from ncdsurv.maps.wording import language, number
from ncdsurv.trends.base import SeriesResult, p_words, signed
from ncdsurv.trends.kendall.ranks import Kendall
from ncdsurv.trends.method import phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class KendallResult(SeriesResult):
    """What `mann_kendall` returns; slopes are in the unit of the values a year.

    `.data` columns: period, observed, line (Sen's, through the median), numerator, denominator, flag.
    """

    test: Kendall
    season: bool
    correction: str
    lag: int
    window: int
    thinned: bool

    heading: ClassVar[str] = "kendall.heading"

    @property
    def slope(self) -> float:
        """Sen's slope, units of the value a year."""
        return self.test.slope

    @property
    def lower(self) -> float:
        """Lower limit of the slope."""
        return self.test.lower

    @property
    def upper(self) -> float:
        """Upper limit of the slope."""
        return self.test.upper

    @property
    def direction(self) -> str:
        """`up`, `down`, or `none` where the test is not significant."""
        if self.test.p_value >= 1 - self.confidence:
            return "none"
        return "up" if self.test.score > 0 else "down"

    def headline(self, lang: str | None = None) -> str:
        """Whether the series rises or falls, p, and the slope with its interval."""
        lang = language(lang or self.lang)
        unit = phrase(f"joinpoint.points.{self.identity['unit']}", lang)
        decimals = 1 if abs(self.slope) >= 1 else 2
        slopes = {
            name: signed(value, lang, decimals, "")
            for name, value in (("slope", self.slope), ("lower", self.lower), ("upper", self.upper))
        }
        return phrase(
            f"kendall.found.{self.direction}",
            lang,
            p=p_words(self.test.p_value, lang),
            unit=unit.strip(),
            confidence=number(100 * self.confidence, lang),
            **slopes,
        )

    def summary(self) -> dict[str, Any]:
        """The finding as plain values."""
        return (
            self.identity_summary()
            | vars(self.test)
            | {
                "direction": self.direction,
                "confidence": self.confidence,
                "season": self.season,
                "correction": self.correction,
                "lag": self.lag if self.correction in ("hamed_rao", "yue_wang") else None,
                "thinned": self.thinned,
            }
        )

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """Slope with interval, tau, S and p; columns in words."""
        unit = phrase(f"joinpoint.points.{self.identity['unit']}", lang).strip()
        rows: list[tuple[Any, ...]] = [
            (phrase("kendall.quantity.slope", lang, unit=unit), self.slope, self.lower, self.upper),
            (phrase("kendall.quantity.tau", lang), self.test.tau, None, None),
            (phrase("kendall.quantity.score", lang), self.test.score, None, None),
            (phrase("kendall.quantity.p", lang), self.test.p_value, None, None),
        ]
        return self.named(rows, lang)

    def lines(self, ax: Axes, lang: str) -> None:
        """Sen's line, broken where the test is not significant."""
        look: dict[str, Any] = {"color": FITTED, "lw": 1.8, "ls": "-"}
        if self.direction == "none":
            look["ls"] = (0, (5, 3))
        ax.plot(self.dates(), list(self.data["line"]), label=phrase("kendall.line", lang), **look)

    def words(self, lang: str) -> str:
        """What was found, the test, its correction and lag, what was left out and how far to trust it."""
        from ncdsurv.trends.kendall.explain import explain_kendall

        return explain_kendall(self, lang)
