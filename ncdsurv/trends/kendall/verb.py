"""The verb: values in, a Mann-Kendall test with Sen's slope out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Unpack

import polars as pl

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR
from ncdsurv.errors import StatisticsError, UsageError, unknown
from ncdsurv.trends.kendall.ranks import Kendall, mann_kendall_test
from ncdsurv.trends.kendall.result import KendallResult
from ncdsurv.trends.method import method
from ncdsurv.trends.prepare import SeriesArguments, prepare_series, series_verb, thin
from ncdsurv.trends.series import MonthlySeries

CORRECTIONS = {False: ("none", "hamed_rao", "yue_wang"), True: ("none", "hirsch_slack")}
OVERLAPS = ("auto", "thin", "ignore")


@series_verb
def mann_kendall(
    values: Any,
    area: str | None = None,
    *,
    season: bool | None = None,
    correction: str | None = None,
    lag: int | None = None,
    overlap: str = "auto",
    confidence: float | None = None,
    **given: Unpack[SeriesArguments],
) -> KendallResult:
    """Test whether one area's monthly values rise or fall, and by how much a year (Sen's slope).

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas).
        area: Area code as text; may be left out when the values hold one area.
        area_vintage: Vintage of the code, needed when the values hold both geographies.
        season: Compare only same calendar months (Hirsch, Slack and Smith 1982); by default from ten years on: allowing
            for seasons that depend on each other takes many years to show anything.
        correction: With season `hirsch_slack` (seasons may depend on each other; the default where every month is
            there) or `none`; without `hamed_rao`, `yue_wang` or `none` (the default).
        lag: Most months back that `hamed_rao` and `yue_wang` look; by default a quarter of the series, at most 12.
        overlap: For values that look back several months: `auto` takes one month in each window unless a
            correction allows for the overlap, `thin` always does, `ignore` never.
        confidence: Of the interval; the test is called significant at one less it. 0.95 unless given.
        catalog: Names and definitions; the built-in catalog unless given.
        reference: Where the area's name comes from; the built-in pack unless given.
        lang: Language of figure and explanation, `vi` or `en`.

    Returns:
        A `KendallResult`: `.test`, `.slope`, `.table()`, `.data`, `.plot()`, `.explain()`.

    Raises:
        UsageError: The selection is a mixture, or a setting is out of range.
        StatisticsError: Too few months, or too few are left that do not overlap.
    """
    rules = method()["kendall"]
    if overlap not in OVERLAPS:
        raise unknown("overlap", str(overlap), OVERLAPS)
    prepared = prepare_series(
        values,
        area,
        confidence=confidence,
        **given,
        minimum_months=rules["minimum_months"],
        gaps="keep",
        zeros="keep",
    )
    months = prepared.series.frame["month"]
    span, complete = months[-1] - months[0] + 1, months[-1] - months[0] + 1 == len(months)
    thinned = prepared.window > 1 and overlap == "thin"
    if season is None:
        season = span >= rules["season_from_months"] and not thinned
    if season and span < rules["season_months"]:
        raise StatisticsError(
            "too few years to compare same months",
            got=f"{span} months",
            allowed=f"at least {rules['season_months']}",
            do="pass season=False",
        )
    if correction is None:
        correction = "hirsch_slack" if season and complete else "none"
    if correction not in CORRECTIONS[season]:
        raise unknown(
            f"correction {'with' if season else 'without'} season", str(correction), CORRECTIONS[season]
        )
    if prepared.window > 1 and (thinned or (overlap == "auto" and correction == "none")):
        if season:
            raise UsageError(
                "months that are thinned cannot be compared season by season",
                got=f"season=True with windows of {prepared.window} months",
                do='pass season=False, or correction="hirsch_slack" where every month is there',
            )
        prepared, thinned = thin(prepared, method()["minimum_points"]), True
    series = prepared.series
    n = series.frame.height
    lag = min(n // 4, MONTHS_PER_YEAR) if lag is None else lag
    if not 1 <= lag < n:
        raise UsageError("lag out of range", got=lag, allowed=f"1 to {n - 1} months")
    if correction == "hirsch_slack" and n % MONTHS_PER_YEAR:
        passed = ("part_year", {"n": n % MONTHS_PER_YEAR})
        kept = series.frame.slice(n % MONTHS_PER_YEAR)
        series = replace(series, frame=kept, excluded=[*series.excluded, passed])
        prepared = replace(prepared, series=series)
    test = mann_kendall_test(
        series.frame["month"].to_numpy(),
        series.frame["value"].to_numpy(),
        season=season,
        correction=correction,
        lags=lag,
        confidence=prepared.confidence,
    )
    return KendallResult(
        **prepared.shared(),
        data=prepared.back(_table(series, test)),
        test=test,
        season=season,
        correction=correction,
        lag=lag,
        window=prepared.window,
        thinned=thinned,
    )


def _table(series: MonthlySeries, test: Kendall) -> pl.DataFrame:
    years = (pl.col("month") - pl.col("month").first()) / MONTHS_PER_YEAR
    return series.frame.select(
        "period",
        observed=pl.col("value"),
        line=test.intercept + test.slope * years,
        numerator=pl.col("numerator"),
        denominator=pl.col("denominator"),
        flag=pl.col("flag"),
    )
