"""The verb: values in, a trend that plots and explains itself out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.catalog.vocabulary import Language
from ncdsurv.errors import StatisticsError, UsageError
from ncdsurv.maps.frames import take_values
from ncdsurv.maps.wording import area_name, language
from ncdsurv.trends.method import method
from ncdsurv.trends.model import fit_rate_model
from ncdsurv.trends.result import TrendResult
from ncdsurv.trends.series import MonthlySeries, monthly_series

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog


def fit_trend(
    values: Any,
    area: str | None = None,
    *,
    area_vintage: str | None = None,
    season: bool = True,
    harmonics: int | None = None,
    lag: int | None = None,
    confidence: float | None = None,
    catalog: Catalog | None = None,
    reference: Any = None,
    lang: str = "vi",
) -> TrendResult:
    """Fit a quasi-Poisson rate trend to the monthly values of one area.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas; columns of
            `ncdsurv.catalog.tables.VALUES`). Rows of quarters and years are left out and counted.
        area: Area code as text; may be left out when the values hold one area.
        area_vintage: Vintage of the code, needed when the values hold both geographies.
        season: Model the season with two harmonics (or `harmonics`).
        harmonics: Number of seasonal harmonics, at most 5; overrides the method's own number.
        lag: Newey-West lag in months for windows that overlap; None for quasi-likelihood errors.
        confidence: Of the intervals, 0.95 unless given.
        catalog: Names and definitions; the built-in catalog unless given.
        reference: Where the area's name comes from; the built-in pack unless given.
        lang: Language of figure and explanation, `vi` or `en`.

    Returns:
        A `TrendResult`: annual change in percent with its t interval, dispersion, and `.data` in the kind of
        frame that was given.

    Raises:
        UsageError: The selection is a mixture (areas, vintages, ages, ...), or a setting is out of range.
        StatisticsError: Too few months, gaps, no denominator, only zeros.
    """
    rules = method()
    confidence = rules["confidence"] if confidence is None else confidence
    terms = (rules["harmonics"] if harmonics is None else harmonics) if season else 0
    _check_settings(terms, lag, confidence)
    lang = language(lang)
    table, back = take_values(values)
    series = monthly_series(
        table, area=area, area_vintage=area_vintage, minimum_months=rules["minimum_months"]
    )
    needed = rules["minimum_months_for_season"]
    if terms and series.frame.height < needed:
        raise StatisticsError(
            "too few months to tell season from trend",
            got=f"{series.frame.height} months",
            allowed=f"at least {needed} with season, {rules['minimum_months']} without",
            do="pass season=False",
        )
    frame = series.frame
    model = fit_rate_model(
        frame["numerator"].to_numpy(),
        frame["denominator"].to_numpy(),
        frame["month"].to_numpy(),
        harmonics=terms,
        confidence=confidence,
        lag=lag,
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
    return TrendResult(
        series=series,
        model=model,
        data=back(_table(series, model)),
        area_names=names,
        harmonics=terms,
        lag=lag,
        confidence=confidence,
        catalog=catalog,
        lang=lang,
    )


def _check_settings(harmonics: int, lag: int | None, confidence: float) -> None:
    if not 0 <= harmonics <= 5:
        raise UsageError("harmonics out of range", got=harmonics, allowed="0 to 5 for monthly data")
    if lag is not None and not 1 <= lag <= 12:
        raise UsageError("lag out of range", got=lag, allowed="1 to 12 months, or None")
    if not 0.5 <= confidence < 1:
        raise UsageError("confidence out of range", got=confidence, allowed="0.5 up to, not including, 1")


def _table(series: MonthlySeries, model: Any) -> pl.DataFrame:
    return series.frame.select(
        "period",
        observed=pl.col("value"),
        fitted=pl.Series(model.fitted * series.scale),
        lower=pl.Series(model.lower * series.scale),
        upper=pl.Series(model.upper * series.scale),
        trend=pl.Series(model.trend * series.scale),
        numerator=pl.col("numerator"),
        denominator=pl.col("denominator"),
        flag=pl.col("flag"),
    )
