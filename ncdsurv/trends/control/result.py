"""A control chart: numbers as attributes, `.data`, `.table()`, `.plot()`, `.explain()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ncdsurv.maps.wording import language, number, period_words, with_unit
from ncdsurv.trends.base import SeriesResult
from ncdsurv.trends.control.limits import Limits
from ncdsurv.trends.control.recent import CRITICAL, Marker
from ncdsurv.trends.method import method, phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class ControlResult(SeriesResult):
    """What `control_chart` returns.

    `.data` columns: period, observed, centre, lower, upper (limits), z (sigmas from the centre, null where nothing
    varies), phase, rules (names of the rules that the month completes), numerator, denominator, flag.
    `charts` has one `Limits` a phase; `marker` is the recent trend over the last five points.
    """

    charts: list[Limits]
    phase_of: Any
    found: list[list[str]]
    kind: str
    laney: bool
    rule_set: str
    baseline: str | None
    marker: Marker
    window: int
    overlap: str

    heading: ClassVar[str] = "control.heading"

    @property
    def signals(self) -> dict[str, list[str]]:
        """Months that stand out, `YYYY-MM`, and the names of the rules that each completes."""
        return {month: names for month, names in zip(self.series.frame["period"], self.found) if names}

    def centre_words(self, lang: str, phase: int = -1) -> str:
        """The centre of a phase with its unit."""
        return with_unit(self.charts[phase].centre * self.series.scale, self.identity["unit"], lang)

    def headline(self, lang: str | None = None) -> str:
        """How many months stand out, and the latest of them with its rules."""
        lang = language(lang or self.lang)
        parts: dict[str, Any] = {"months": self.months, "centre": self.centre_words(lang)}
        signals = self.signals
        if not signals:
            kind = "none" if any(one.varies for one in self.charts) else "flat"
            return phrase(f"control.found.{kind}", lang, **parts)
        month = list(signals)[-1]
        at = self.series.frame["period"].to_list().index(month)
        phase = int(self.phase_of[at])
        z = np.concatenate([one.z for one in self.charts])[at]
        parts |= {
            "n": len(signals),
            "month": period_words(month, lang),
            "side": phrase(f"control.side.{'up' if z > 0 else 'down'}", lang),
            "centre": self.centre_words(lang, phase),
            "rules": "; ".join(phrase(f"control.rule.{name}", lang) for name in signals[month]),
        }
        return phrase("control.found.some", lang, **parts)

    def marker_words(self, lang: str) -> str:
        """The recent trend in words."""
        marker = self.marker
        if marker.direction is None:
            return phrase(f"control.marker.{marker.reason}", lang)
        return phrase(
            f"control.marker.{marker.direction}",
            lang,
            value=number(marker.chi_square, lang, 2),
            critical=number(CRITICAL, lang, 2),
            unsteady="" if marker.steady else phrase("control.marker.unsteady", lang),
        )

    def summary(self) -> dict[str, Any]:
        """The finding as plain values, for tables and HTTP answers."""
        return {
            **self.identity_summary(),
            "chart": self.kind,
            "laney": self.laney,
            "rules": self.rule_set,
            "baseline": self.baseline,
            "phases": [
                {"centre": one.centre * self.series.scale, "sigma_z": one.sigma_z, "corrected": one.corrected}
                for one in self.charts
            ],
            "signals": self.signals,
            "recent_trend": vars(self.marker),
            "window_months": self.window,
            "overlap": self.overlap,
        }

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """Centre of each phase with its narrowest limits, the months that stand out, the recent trend."""
        names = [phrase(f"column.{key}", lang) for key in ("what", "value")]
        names += [
            phrase("control.limits", lang, width=f"{method()['control']['width']:g}") + end
            for end in (" −", " +")
        ]
        names.append(phrase("control.column_rules", lang))
        frame, scale = self.series.frame, self.series.scale
        rows: list[tuple[Any, ...]] = []
        for at, one in enumerate(self.charts):
            first = frame["period"].to_list()[int(np.argmax(self.phase_of == at))]
            label = phrase("control.quantity.centre", lang, month=period_words(first, lang))
            rows.append(
                (label, one.centre * scale, float(one.lower[-1]) * scale, float(one.upper[-1]) * scale, None)
            )
        lower, upper = (
            np.concatenate([getattr(one, end) for one in self.charts]) for end in ("lower", "upper")
        )
        for at, names_found in enumerate(self.found):
            if names_found:
                said = "; ".join(phrase(f"control.rule.{name}", lang) for name in names_found)
                month = period_words(frame["period"][at], lang)
                rows.append(
                    (month, frame["value"][at], float(lower[at]) * scale, float(upper[at]) * scale, said)
                )
        said = self.marker_words(lang)
        rows.append((phrase("control.quantity.marker", lang), self.marker.chi_square, None, None, said))
        return [dict(zip(names, row)) for row in rows]

    def lines(self, ax: Axes, lang: str) -> None:
        """The limits, and the months that stand out marked."""
        from ncdsurv.trends.control.draw import draw_limits

        draw_limits(ax, self, lang)

    def words(self, lang: str) -> str:
        """Definition, chart, correction, rules, recent trend, what was left out and caveats."""
        from ncdsurv.trends.control.explain import explain_control

        return explain_control(self, lang)
