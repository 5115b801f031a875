"""The verb: values and a year in, a forecast with a checked interval out."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import polars as pl

from ncdsurv.catalog.vocabulary import Period, month_label
from ncdsurv.errors import StatisticsError, UsageError, unknown
from ncdsurv.trends.forecast.model import fit_forecast, from_scale, to_scale
from ncdsurv.trends.forecast.result import ForecastResult
from ncdsurv.trends.method import method
from ncdsurv.trends.prepare import SeriesArguments, prepare_series, series_verb

BETTER = ("higher", "lower")


@series_verb
def forecast_rate(
    values: Any,
    until: str,
    area: str | None = None,
    *,
    target: float | None = None,
    better: str = "higher",
    confidence: float | None = None,
    **given: Unpack[SeriesArguments],
) -> ForecastResult:
    """Forecast one area's monthly rate to a month or the end of a year.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas).
        until: Last month of the forecast, `YYYY-MM`, or a year, `YYYY`, for its December.
        area: Area code as text; may be left out when the values hold one area.
        target: Value to be met in that month, in the values' unit; its probability is given.
        better: `higher` where the target is a least value, `lower` where it is a most.
        area_vintage: Vintage of the code, needed when the values hold both geographies.
        confidence: Of the prediction interval, 0.95 unless given.
        catalog: Names and definitions; the built-in catalog unless given.
        reference: Where the area's name comes from; the built-in pack unless given.
        lang: Language of figure and explanation, `vi` or `en`.

    Returns:
        A `ForecastResult`: `.value`, `.lower`, `.upper`, `.probability`, `.backtest`, `.data`, `.plot()`,
        `.explain()`.

    Raises:
        UsageError: The selection is a mixture, the month is not after the series, a setting is out of range.
        StatisticsError: A short series, gaps, only zeros, all equal, or a month too far ahead.
    """
    rules = method()["forecast"]
    if better not in BETTER:
        raise unknown("better", str(better), BETTER)
    prepared = prepare_series(
        values,
        area,
        confidence=confidence,
        **given,
        minimum_events=method()["minimum_events"],
        minimum_months=rules["minimum_months"],
    )
    frame, scale = prepared.series.frame, prepared.series.scale
    last, end = int(frame["month"][-1]), Period.parse(until).last_month
    ahead, most = end - last, rules["longest_factor"] * frame.height
    if ahead < 1:
        raise UsageError("nothing to forecast", got=until, allowed=f"after {month_label(last)}")
    if ahead > most:
        raise StatisticsError(
            "too far ahead for this series",
            got=f"{ahead} months ahead of {frame.height} months",
            allowed=f"at most {most}",
            do="take an earlier year, or a longer run of months",
        )
    numerator, denominator = frame["numerator"].to_numpy(), frame["denominator"].to_numpy()
    share = prepared.series.identity["unit"] == "percent" and bool((numerator <= denominator).all())
    least = method()["minimum_events"]
    if share and (denominator - numerator).sum() < least:
        raise StatisticsError(
            "nearly everybody is in the numerator, so nothing says how far a forecast may be out",
            got=f"{(denominator - numerator).sum():.0f} people outside it in {frame.height} months",
            allowed=f"at least {least}",
            do="state the value; it has no interval",
        )
    if target is not None and not 0 < target < (scale if share else np.inf):
        raise UsageError(
            "target out of range", got=target, allowed=f"between 0 and {scale:g}" if share else "above 0"
        )
    found = fit_forecast(
        to_scale(numerator, denominator, share),
        ahead,
        first_origin=rules["first_origin"],
        origins=rules["origins"],
        confidence=prepared.confidence,
        alpha=rules["misfit_alpha"],
    )
    half = prepared.confidence / 2
    rates = [from_scale(found.quantile(p), share) * scale for p in (0.5, 0.5 - half, 0.5 + half)]
    if not np.isfinite(rates).all():
        raise StatisticsError(
            "the forecast has no finite interval",
            got=f"{numerator.sum():.0f} events in {frame.height} months",
            do="take a larger area, or an earlier month",
        )
    probability = None
    if target is not None:
        bound = np.log(target / (scale - target)) if share else np.log(target / scale)
        below = float(found.below(bound)[-1])
        probability = 1 - below if better == "higher" else below
    months = list(range(last + 1, end + 1))
    table = pl.DataFrame(
        {
            "period": [month_label(one) for one in months],
            "forecast": rates[0],
            "lower": rates[1],
            "upper": rates[2],
        }
    )
    return ForecastResult(
        **prepared.shared(),
        data=prepared.back(table),
        future=table,
        backtest=found.backtest,
        target=target,
        better=better,
        probability=probability,
        share=share,
        window=prepared.window,
    )
