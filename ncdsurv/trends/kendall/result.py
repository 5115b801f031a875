"""A Mann-Kendall test: numbers as attributes, `.data`, `.table()`, `.plot()`, `.explain()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ncdsurv.maps.style import FITTED, figure_style
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
        names = [phrase(f"column.{key}", lang) for key in ("what", "value", "lower", "upper")]
        unit = phrase(f"joinpoint.points.{self.identity['unit']}", lang).strip()
        rows: list[tuple[Any, ...]] = [
            (phrase("kendall.quantity.slope", lang, unit=unit), self.slope, self.lower, self.upper),
            (phrase("kendall.quantity.tau", lang), self.test.tau, None, None),
            (phrase("kendall.quantity.score", lang), self.test.score, None, None),
            (phrase("kendall.quantity.p", lang), self.test.p_value, None, None),
        ]
        return [dict(zip(names, row)) for row in rows]

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw observed months and Sen's line.

        Args:
            ax: Axes to draw on; a new figure when None.
            lang: `vi` or `en`; the result's own unless given.

        Returns:
            The matplotlib Axes.
        """
        from ncdsurv.trends.draw import draw_observed, finish_axes, new_axes

        lang = language(lang or self.lang)
        with figure_style():
            ax = new_axes() if ax is None else ax
            look: dict[str, Any] = {
                "color": FITTED,
                "lw": 1.8,
                "ls": "-" if self.direction != "none" else (0, (5, 3)),
            }
            ax.plot(self.dates(), list(self.data["line"]), label=phrase("kendall.line", lang), **look)
            draw_observed(ax, self, lang)
            finish_axes(ax, self, lang)
        return ax

    def explain(self, lang: str | None = None) -> str:
        """What was found, the test, its correction and lag, what was left out and how far to trust it."""
        from ncdsurv.trends.explain import (
            caveats_of_all,
            counts_line,
            definition_lines,
            left_out_line,
            source_line,
        )

        lang = language(lang or self.lang)
        test = self.test
        kind = phrase(f"kendall.kind.{'season' if self.season else 'plain'}", lang)
        score = phrase(
            "kendall.score",
            lang,
            score=number(test.score, lang),
            tau=number(test.tau, lang, 2),
            z=number(test.statistic, lang, 2),
        )
        lags = ", ".join(str(lag) for lag in test.lags) or phrase("kendall.no_lag", lang)
        correction = phrase(
            f"kendall.correction.{self.correction}",
            lang,
            most=self.lag,
            lags=lags,
            factor=number(test.factor, lang, 2),
        )
        own = ["kendall.exact"] if test.exact else []
        lines = [self.title(lang), f"{self.headline(lang)}. {phrase('joinpoint.absolute', lang)}"]
        lines += definition_lines(self, lang)
        lines.append(counts_line(self, lang))
        model = " ".join([kind, score, *(phrase(key, lang) for key in own), correction])
        lines.append(f"{phrase('model_label', lang)}: {model}")
        lines.append(left_out_line(self, lang, wording="kendall"))
        caveats = caveats_of_all(self, lang)
        if self.window > 1 and not self.thinned:
            key = "overlap_allowed" if self.correction != "none" else "overlap"
            caveats.insert(0, phrase(f"kendall.caveat.{key}", lang, window=self.window))
        lines.append(
            f"{phrase('caveats_label', lang)}: {' '.join([phrase('kendall.caveat.lag', lang), *caveats])}"
        )
        lines.append(source_line(self, lang))
        return "\n".join(lines)
