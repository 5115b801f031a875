"""The verb: values in, a trend that plots and explains itself out."""

from __future__ import annotations

from typing import Any, Unpack

import polars as pl

from ncdsurv.errors import UsageError, unknown
from ncdsurv.trends.counts import NEGATIVE_BINOMIAL, QUASI_POISSON
from ncdsurv.trends.method import method
from ncdsurv.trends.model import RateModel, fit_rate_model
from ncdsurv.trends.prepare import SeriesArguments, prepare_series, require_windows, series_verb, thin
from ncdsurv.trends.refusal import SeriesRefused
from ncdsurv.trends.result import TrendResult
from ncdsurv.trends.series import MonthlySeries

FAMILIES = ("auto", QUASI_POISSON, NEGATIVE_BINOMIAL)
OVERLAPS = ("shared", "newey_west", "thin", "ignore")


@series_verb
def fit_trend(
    values: Any,
    area: str | None = None,
    *,
    season: bool = True,
    harmonics: int | None = None,
    family: str = "auto",
    lag: int | None = None,
    overlap: str = "shared",
    confidence: float | None = None,
    **given: Unpack[SeriesArguments],
) -> TrendResult:
    """Fit a rate trend to the monthly values of one area.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas; columns of
            `ncdsurv.catalog.tables.VALUES`). Rows of quarters and years are left out and counted.
        area: Area code as text; may be left out when the values hold one area.
        area_vintage: Vintage of the code, needed when the values hold both geographies.
        season: Model the season with two harmonics (or `harmonics`).
        harmonics: Number of seasonal harmonics, at most 5; overrides the method's own number.
        family: `quasi_poisson`, `negative_binomial`, or `auto`: the test of Cameron and Trivedi decides whether the
            variance grows with the square of the mean.
        lag: Newey-West lag in months; None for the family's own errors, or what `overlap` asks for.
        overlap: For indicators that look back several months: `shared` counts what windows have in common,
            `thin` takes one month in each window, `newey_west` uses the window as its lag (too narrow in short
            series), `ignore` does nothing.
        confidence: Of the intervals, 0.95 unless given.
        catalog: Names and definitions; the built-in catalog unless given.
        reference: Where the area's name comes from; the built-in pack unless given.
        lang: Language of figure and explanation, `vi` or `en`.

    Returns:
        A `TrendResult`: annual change in percent with its t interval, dispersion, checks, and `.data` in the kind
        of frame that was given.

    Raises:
        UsageError: The selection is a mixture (areas, vintages, ages, ...), or a setting is out of range.
        StatisticsError: Too few months, gaps, no denominator, only zeros, windows that overlap too much;
            `trend_or_series` then shows the months with the reason instead.
    """
    rules = method()
    terms = (rules["harmonics"] if harmonics is None else harmonics) if season else 0
    _check_settings(terms, lag, family, overlap)
    prepared = prepare_series(
        values,
        area,
        confidence=confidence,
        minimum_events=rules["minimum_events"],
        **given,
    )
    months, needed = prepared.series.frame.height, rules["minimum_months_for_season"]
    if terms and months < needed:
        raise SeriesRefused(
            "too few months to tell season from trend",
            reason="season",
            parts={"months": months, "needed": needed},
            got=f"{months} months",
            allowed=f"at least {needed} with season, {rules['minimum_months']} without",
            do="pass season=False",
        )
    if overlap == "thin" and prepared.window > 1:
        prepared, terms = thin(prepared, rules["minimum_points"]), 0
    elif overlap != "ignore" and lag is None and prepared.window > 1:
        require_windows(prepared)
        lag = prepared.window if overlap == "newey_west" else None
    series = prepared.series
    shared = prepared.window if overlap == "shared" else 1
    model, reason = _choose_family(series, family, terms, prepared.confidence, lag, shared)
    return TrendResult(
        **prepared.shared(),
        data=prepared.back(_table(series, model)),
        model=model,
        harmonics=terms,
        lag=lag,
        window=prepared.window,
        overlap=overlap,
        family_reason=reason,
    )


def _choose_family(
    series: MonthlySeries, family: str, harmonics: int, confidence: float, lag: int | None, window: int
) -> tuple[RateModel, str]:
    """The model of the family asked for or chosen by the test, and why it is this one."""
    frame = series.frame
    counts = [frame[name].to_numpy() for name in ("numerator", "denominator", "month")]
    settings: dict[str, Any] = {
        "harmonics": harmonics,
        "confidence": confidence,
        "lag": lag,
        "window": window,
    }
    model = fit_rate_model(*counts, **settings)
    quadratic = model.checks.quadratic_p_value <= method()["family_alpha"]
    if family == QUASI_POISSON or (family == "auto" and not quadratic):
        return model, "given" if family == QUASI_POISSON else "test_linear"
    model = fit_rate_model(*counts, **settings, family=NEGATIVE_BINOMIAL)
    if model.family == QUASI_POISSON:
        return model, "no_excess"
    return model, "given" if family == NEGATIVE_BINOMIAL else "test_quadratic"


def _check_settings(harmonics: int, lag: int | None, family: str, overlap: str) -> None:
    if not 0 <= harmonics <= 5:
        raise UsageError("harmonics out of range", got=harmonics, allowed="0 to 5 for monthly data")
    if lag is not None and not 1 <= lag <= 12:
        raise UsageError("lag out of range", got=lag, allowed="1 to 12 months, or None")
    if family not in FAMILIES:
        raise unknown("family", str(family), FAMILIES)
    if overlap not in OVERLAPS:
        raise unknown("overlap", str(overlap), OVERLAPS)


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
