"""Joinpoints found: numbers as attributes, `.data`, `.table()`, `.plot()`, `.explain()`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ncdsurv.catalog.vocabulary import Period, month_label
from ncdsurv.errors import UsageError
from ncdsurv.maps.wording import language, number
from ncdsurv.trends.base import SeriesResult, signed
from ncdsurv.trends.joinpoint.model import JoinpointModel, Span
from ncdsurv.trends.method import phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ncdsurv.trends.joinpoint.verb import Choices


@dataclass(frozen=True)
class Change:
    """Change per year between two months: percent of a log model, units of the indicator of a linear one."""

    first: str
    last: str
    change: float
    lower: float | None
    upper: float | None
    p_value: float | None

    @property
    def direction(self) -> str:
        """`up`, `down`, `unclear`, or `unknown` where no interval can be given."""
        if self.lower is None or self.upper is None:
            return "unknown"
        return "up" if self.lower > 0 else "down" if self.upper < 0 else "unclear"


@dataclass(frozen=True, repr=False)
class JoinpointResult(SeriesResult):
    """What `fit_joinpoints` returns.

    `.data` columns: period, observed, fitted (with season), trend (without), lower, upper (interval of the trend),
    segment (from 1), numerator, denominator, flag.
    """

    model: JoinpointModel
    choices: Choices

    heading: ClassVar[str] = "joinpoint.heading"

    @property
    def joinpoints(self) -> list[str]:
        """Months in which the trend changed, `YYYY-MM`."""
        return [month_label(round(at)) for at in self.model.joinpoints]

    @property
    def joinpoint_limits(self) -> list[tuple[str, str] | None]:
        """Interval of each joinpoint, rounded outwards to months; None where the data cannot give it."""
        return [
            None
            if limits is None
            else (month_label(math.floor(limits[0])), month_label(math.ceil(limits[1])))
            for limits in self.model.joinpoint_limits
        ]

    @property
    def segments(self) -> list[Change]:
        """Annual change (APC) of every segment."""
        return [self._change(span) for span in self.model.segments]

    def average(self, first: str | None = None, last: str | None = None) -> Change:
        """Average annual change (AAPC) between two months, the joinpoints counted as estimated.

        Args:
            first: Month `YYYY-MM`; the first of the series unless given.
            last: Month `YYYY-MM`; the last unless given.

        Returns:
            The change.

        Raises:
            UsageError: Not two months of the series in their order.
        """
        ends = [
            Period.parse(given or own).last_month for given, own in ((first, self.first), (last, self.last))
        ]
        if not self.model.months[0] <= ends[0] < ends[1] <= self.model.months[-1]:
            raise UsageError(
                "no interval to average over",
                got=f"{first or self.first} to {last or self.last}",
                allowed=f"two months in their order between {self.first} and {self.last}",
            )
        return self._change(self.model.average(*ends))

    def _change(self, span: Span) -> Change:
        def told(slope: float | None) -> float | None:
            if slope is None:
                return None
            return 100 * math.expm1(slope) if self.choices.log else slope * self.series.scale

        first, last = (month_label(round(at)) for at in (span.first, span.last))
        change = told(span.change) or 0.0
        return Change(first, last, change, told(span.lower), told(span.upper), span.p_value)

    def unit(self, lang: str) -> str:
        """The unit of a change, with its space: percent, or units of the indicator."""
        return "%" if self.choices.log else phrase(f"joinpoint.points.{self.identity['unit']}", lang)

    def said(self, change: Change, lang: str) -> dict[str, str]:
        """A change's numbers in words, for phrases."""
        names = {"change": change.change, "lower": change.lower, "upper": change.upper}
        decimals = 1 if self.choices.log or abs(change.change) >= 1 else 2
        shown = {name: signed(value, lang, decimals, self.unit(lang)) for name, value in names.items()}
        return shown | {"confidence": number(100 * self.confidence, lang)}

    def headline(self, lang: str | None = None) -> str:
        """How often and when the trend changed, and the average annual change."""
        lang = language(lang or self.lang)
        said = self.said(self.average(), lang)
        if not self.joinpoints:
            return phrase("joinpoint.none_found", lang, **said)
        k = len(self.joinpoints)
        times = phrase("joinpoint.times.one" if k == 1 else "joinpoint.times.more", lang, k=k)
        months = ", ".join(short(month) for month in self.joinpoints)
        return phrase("joinpoint.found", lang, k=k, times=times, months=months, **said)

    def summary(self) -> dict[str, Any]:
        """The finding as plain values."""
        average = self.average()
        return self.identity_summary() | {
            "joinpoints": self.joinpoints,
            "joinpoint_limits": self.joinpoint_limits,
            "segments": [vars(segment) for segment in self.segments],
            "average_annual_change": average.change,
            "lower": average.lower,
            "upper": average.upper,
            "confidence": self.confidence,
            "scale": "log" if self.choices.log else "linear",
            "chosen_by": self.choices.choose,
            "tests": [vars(test) for test in self.model.tests],
            "criteria": self.model.criteria,
            "autocorrelation": self.model.rho,
            "harmonics": self.choices.harmonics,
            "interval": self.choices.interval,
        }

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """A row a segment, then the average; columns in words."""
        scale = "log" if self.choices.log else "linear"
        keys = ("part", "first", "last", f"change.{scale}", "lower", "upper", "p")
        names = [phrase(f"joinpoint.column.{key}", lang) for key in keys]
        changes = [
            (phrase("joinpoint.part.segment", lang, number=at), change)
            for at, change in enumerate(self.segments, start=1)
        ]
        changes.append((phrase("joinpoint.part.average", lang), self.average()))
        return [
            dict(zip(names, (part, one.first, one.last, one.change, one.lower, one.upper, one.p_value)))
            for part, one in changes
        ]

    def lines(self, ax: Axes, lang: str) -> None:
        """The joined segments with their band."""
        from ncdsurv.trends.joinpoint.draw import draw_segments

        draw_segments(ax, self, lang)

    def labels(self, ax: Axes, lang: str) -> None:
        """Each joinpoint with its interval, each segment with its change."""
        from ncdsurv.trends.joinpoint.draw import label_joinpoints

        label_joinpoints(ax, self, lang)

    def words(self, lang: str) -> str:
        """What was found, how the number was chosen, the model, what was left out and how far to trust it."""
        from ncdsurv.trends.joinpoint.explain import explain_joinpoints

        return explain_joinpoints(self, lang)


def short(period: str) -> str:
    """`MM/YYYY` of a month.

    >>> short("2026-06")
    '06/2026'
    """
    year, _, month = period.partition("-")
    return f"{month}/{year}"
