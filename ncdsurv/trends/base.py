"""What every result of a monthly series has: identity, `.data`, `.table()`, `.plot()`, `.explain()`, HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ncdsurv.catalog.vocabulary import month_start
from ncdsurv.maps.style import figure_style
from ncdsurv.maps.wording import language, number, period_words, title_of
from ncdsurv.trends.answer import Answer
from ncdsurv.trends.method import phrase
from ncdsurv.trends.series import MonthlySeries

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes

    from ncdsurv.catalog import Catalog


@dataclass(frozen=True, repr=False)
class SeriesResult(Answer):
    """Base of results about one monthly series.

    A result adds its own fields and overrides `headline`, `summary`, `rows`, `lines` and `words`.
    `heading` is the key of its title in the method's wording.
    """

    series: MonthlySeries
    data: Any
    area_names: dict[str, str]
    catalog: Catalog
    lang: str
    confidence: float
    back: Callable[[pl.DataFrame], Any]

    heading: ClassVar[str] = "heading"

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

    def identity_summary(self) -> dict[str, Any]:
        """Identity and span as plain values, the first part of every summary."""
        names = ("indicator", "preset", "disease", "area_code", "area_vintage", "area_level")
        return {
            **{name: self.identity[name] for name in (*names, "sex", "age_band", "release")},
            "first": self.first,
            "last": self.last,
            "months": self.months,
        }

    def summary(self) -> dict[str, Any]:
        """The finding as plain values, for tables and HTTP answers."""
        raise NotImplementedError

    def lines(self, ax: Axes, lang: str) -> None:
        """Draw what the result itself adds below the observed months."""
        raise NotImplementedError

    def labels(self, ax: Axes, lang: str) -> None:
        """Draw what needs the final scale of the axes; nothing unless a result has such."""

    def words(self, lang: str) -> str:
        """The explanation in one language."""
        raise NotImplementedError

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Draw the result over the observed months, with title, headline, rules, counts and source.

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
            self.lines(ax, lang)
            draw_observed(ax, self, lang)
            finish_axes(ax, self, lang)
            self.labels(ax, lang)
        return ax

    def explain(self, lang: str | None = None) -> str:
        """What was found, definition, method, what was left out and how far to trust it, as text."""
        return self.words(language(lang or self.lang))

    def _kind_given(self, table: pl.DataFrame) -> Any:
        return self.back(table)

    def title(self, lang: str | None = None) -> str:
        """Indicator, disease and area in words."""
        lang = language(lang or self.lang)
        title = title_of(self.identity, self.catalog, lang)
        return phrase(self.heading, lang, title=title, area=self.area_names[lang])

    def span(self, lang: str) -> tuple[str, str]:
        """First and last month in words."""
        return period_words(self.first, lang), period_words(self.last, lang)

    def dates(self) -> list[Any]:
        """First day of every month, for an axis."""
        return [month_start(month) for month in self.series.frame["month"].to_list()]

    def named(self, rows: list[tuple[Any, ...]], lang: str) -> list[dict[str, Any]]:
        """Rows of (quantity, value, lower, upper) with the names of their columns in words."""
        names = [phrase(f"column.{key}", lang) for key in ("what", "value", "lower", "upper")]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.identity['indicator']}, {self.identity['disease']}, area "
            f"{self.identity['area_code']} of {self.identity['area_vintage']}, {self.first} to {self.last}: "
            f"{self.headline('en')})"
        )


def signed(value: float | None, lang: str, decimals: int = 1, unit: str = "%") -> str:
    """A change with its sign: +3.2%; an en dash where there is none.

    >>> signed(3.21, "vi"), signed(-0.5, "en", unit=""), signed(-0.01, "en"), signed(None, "vi")
    ('+3,2%', '−0.5', '0.0%', '–')
    """
    if value is None:
        return "–"
    value = round(value, decimals) or 0.0  # what is printed as 0 has no sign
    return ("+" if value > 0 else "") + number(value, lang, decimals) + unit


def p_words(value: float, lang: str, decimals: int = 3) -> str:
    """A p value as it is printed: never as 0.

    >>> p_words(0.0123, "en"), p_words(1e-9, "vi")
    ('= 0.012', '< 0,001')
    """
    least = 10.0**-decimals
    return f"< {number(least, lang, decimals)}" if value < least else f"= {number(value, lang, decimals)}"
