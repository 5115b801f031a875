"""What every trend begins with: one checked monthly series, names in both languages, and the way back to the frame
that was given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import polars as pl

from ncdsurv.catalog.vocabulary import Language, SpellColumn
from ncdsurv.catalog.windows import OF_PEOPLE_UNDER_CARE, WINDOWS
from ncdsurv.errors import UsageError
from ncdsurv.maps.frames import take_values
from ncdsurv.maps.wording import area_name, language
from ncdsurv.trends.method import method
from ncdsurv.trends.refusal import SeriesRefused
from ncdsurv.trends.series import MonthlySeries, monthly_series

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog


@dataclass(frozen=True)
class Prepared:
    """A series and what its result needs to speak of it; `window` is how many months one value looks back."""

    series: MonthlySeries
    window: int
    area_names: dict[str, str]
    catalog: Catalog
    lang: str
    confidence: float
    back: Callable[[pl.DataFrame], Any]

    def shared(self) -> dict[str, Any]:
        """The fields of `SeriesResult` that come from here, by name."""
        return {
            "series": self.series,
            "area_names": self.area_names,
            "catalog": self.catalog,
            "lang": self.lang,
            "confidence": self.confidence,
            "back": self.back,
        }


class SeriesArguments(TypedDict, total=False):
    """The arguments by which every verb of this package is told whose series it is and how to speak of it."""

    area_vintage: str | None
    catalog: Catalog | None
    reference: Any
    lang: str


Verb = TypeVar("Verb", bound=Callable[..., Any])


def series_verb(verb: Verb) -> Verb:
    """Show the arguments of `SeriesArguments` by name in a verb's signature, as help and completion read it."""
    own = inspect.signature(verb)
    named = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
    known = inspect.signature(prepare_series).parameters
    named += [known[name] for name in SeriesArguments.__annotations__]
    verb.__signature__ = own.replace(parameters=named)  # type: ignore[attr-defined]
    return verb


def prepare_series(
    values: Any,
    area: str | None = None,
    *,
    area_vintage: str | None = None,
    confidence: float | None = None,
    catalog: Catalog | None = None,
    reference: Any = None,
    lang: str = "vi",
    minimum_months: int | None = None,
    gaps: str = "refuse",
    zeros: str = "refuse",
    minimum_events: int = 0,
) -> Prepared:
    """Check the arguments that all trend verbs share, and pick the series.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas).
        area: Area code as text, or None when the values hold one area.
        area_vintage: Vintage of the code, needed when the values hold both geographies.
        confidence: Of the intervals; the method's own unless given.
        catalog: Names and definitions; the built-in catalog unless given.
        reference: Where the area's name comes from; the built-in pack unless given.
        lang: `vi` or `en`.
        minimum_months: Fewer months with a value are refused; the method's own unless given.
        gaps: `refuse`, or `keep` for methods that need no value in every month.
        zeros: `refuse` a series of zeros only, or `keep` it.
        minimum_events: A series with fewer events in all is refused.

    Returns:
        The prepared series.

    Raises:
        UsageError: The selection is a mixture, or a setting is out of range.
        StatisticsError: The series cannot carry the method; the message says why.
    """
    rules = method()
    confidence = rules["confidence"] if confidence is None else confidence
    if not 0.5 <= confidence < 1:
        raise UsageError("confidence out of range", got=confidence, allowed="0.5 up to, not including, 1")
    lang = language(lang)
    table, back = take_values(values)
    series = monthly_series(
        table,
        area=area,
        area_vintage=area_vintage,
        minimum_months=rules["minimum_months"] if minimum_months is None else minimum_months,
        gaps=gaps,
        zeros=zeros,
        minimum_events=minimum_events,
    )
    if catalog is None:
        from ncdsurv.catalog import load_catalog

        catalog = load_catalog()
    if reference is None:
        from ncdsurv.reference import load_reference

        reference = load_reference()
    identity = series.identity
    place = (identity["area_code"], identity["area_vintage"], identity["area_level"])
    names = {str(one): area_name(reference, *place, str(one)) for one in Language}
    return Prepared(series, window_of(identity, catalog), names, catalog, lang, confidence, back)


def require_windows(prepared: Prepared) -> None:
    """Refuse a series that holds too few windows of the indicator for any correction of their overlap.

    Raises:
        StatisticsError: Fewer separate windows than the method asks for.
    """
    window, needed = prepared.window, method()["separate_windows"]
    months = prepared.series.frame.height
    if window > 1 and months < needed * window:
        raise SeriesRefused(
            "windows overlap too much for an interval",
            reason="overlap",
            parts={"window": window, "months": months, "needed": needed * window},
            got=f"{months} months of values that each look back {window} months",
            allowed=f"at least {needed} separate windows, that is {needed * window} months",
            do="take a longer run of months, or show the months without an annual change (describe_series)",
        )


def thin(prepared: Prepared, minimum_points: int) -> Prepared:
    """One month in each window, the last one kept, so that no two values share readings.

    Args:
        prepared: A series whose values look back `window` months.
        minimum_points: Fewer months left are refused.

    Returns:
        The thinned series; what was passed over stands in `excluded`. The same series where nothing overlaps.

    Raises:
        StatisticsError: Too few months would be left.
    """
    window, series = prepared.window, prepared.series
    if window == 1:
        return prepared
    last = series.frame["month"][-1]
    kept = series.frame.filter((pl.lit(last) - pl.col("month")) % window == 0)
    if kept.height < minimum_points:
        raise SeriesRefused(
            "too few months are left that do not overlap",
            reason="thinned",
            parts={"window": window, "months": kept.height, "needed": minimum_points},
            got=f"{kept.height} of {series.frame.height} months, one in each window of {window}",
            allowed=f"at least {minimum_points}",
            do="take a longer run of months, or an indicator with a shorter window",
        )
    passed = ("thinned", {"n": series.frame.height - kept.height, "step": window})
    return replace(prepared, series=replace(series, frame=kept, excluded=[*series.excluded, passed]))


def window_of(identity: Mapping[str, Any], catalog: Catalog) -> int:
    """How many months one value looks back, by the preset and what the numerator tests.

    Args:
        identity: Of the series: `indicator` and `preset` are read.
        catalog: Where both are defined.

    Returns:
        1 where every month stands for itself.
    """
    indicator = catalog.indicators.get(identity["indicator"])
    preset = catalog.presets.get(identity["preset"])
    if indicator is None or preset is None:
        return 1
    named = set(indicator.numerator.columns)
    if named & OF_PEOPLE_UNDER_CARE:
        named.discard(SpellColumn.CARE_STATE)
    return max((getattr(preset, rule) for column, rule in WINDOWS.items() if column in named), default=1)
