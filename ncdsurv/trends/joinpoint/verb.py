"""The verb: values in, joinpoints that plot and explain themselves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import polars as pl

from ncdsurv.errors import StatisticsError, UsageError, unknown
from ncdsurv.trends.joinpoint.grid import most_joinpoints
from ncdsurv.trends.joinpoint.model import Settings, fit_joinpoint_model
from ncdsurv.trends.joinpoint.result import JoinpointResult
from ncdsurv.trends.method import method
from ncdsurv.trends.prepare import SeriesArguments, prepare_series, series_verb, thin
from ncdsurv.trends.series import MonthlySeries

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CHOICES = ("permutation", "wbic", "bic", "bic3")
INTERVALS = ("averaged", "delta", "resample")
WEIGHTS = ("counts", "interval", "equal")
OVERLAPS = ("autocorrelation", "thin", "ignore")


@dataclass(frozen=True)
class Choices:
    """What was asked for, in the words of the verb."""

    log: bool
    weights: str
    choose: str
    interval: str
    noise: str
    harmonics: int
    window: int
    overlap: str
    settings: Settings


@series_verb
def fit_joinpoints(
    values: Any,
    area: str | None = None,
    *,
    log: bool = True,
    choose: str = "permutation",
    joinpoints: int | None = None,
    max_joinpoints: int | None = None,
    minimum_end: int | None = None,
    minimum_between: int | None = None,
    weights: str = "counts",
    autocorrelation: float | str | None = None,
    overlap: str = "autocorrelation",
    harmonics: int | None = None,
    interval: str = "averaged",
    alpha: float | None = None,
    permutations: int | None = None,
    seed: int | None = None,
    confidence: float | None = None,
    **given: Unpack[SeriesArguments],
) -> JoinpointResult:
    """Find when the trend of one area's monthly rate changed, and by how much.

    Joined straight segments are fitted to the logarithm of the rate (or the rate) by weighted least squares over
    every place of the joinpoints; a sequential permutation test or a criterion chooses their number (Kim and others
    2000, Statistics in Medicine 19:335; details and sources in the modules of `ncdsurv.trends.joinpoint`).

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas). Months may be missing.
        area: Area code as text; may be left out when the values hold one area.
        area_vintage: Vintage of the code, needed when the values hold both geographies.
        log: Model the logarithm, so that changes are percent per year (APC, AAPC); False models the rate.
        choose: `permutation`, or the least `wbic`, `bic` or `bic3`.
        joinpoints: Fit exactly so many instead of choosing.
        max_joinpoints: The most to consider; by default what the length of the series bears, at most 4.
        minimum_end: Months before the first and after the last joinpoint, one on it not counted.
        minimum_between: Months between two joinpoints, those on them not counted.
        weights: `counts` (Poisson variance of the numerator), `interval` (standard errors read off the published
            interval) or `equal`.
        autocorrelation: Correlation of errors one month apart: a number, or `estimate`. By default what the
            overlap of the indicator's windows implies, (window - 1) / window, 0 without overlap.
        overlap: `autocorrelation` as above, `thin` to take one month in each window, or `ignore`.
        harmonics: Seasonal harmonics; by default 1 from two years on, else none.
        interval: `averaged` (over the places that the joinpoints may have, by their weight in the data), `delta`
            (joinpoints counted as estimated) or `resample` (search repeated on resampled residuals).
        alpha: Chance of finding a joinpoint where there is none (`permutation`).
        permutations: Shuffles of each test.
        seed: Of the random numbers; the same seed gives the same result.
        confidence: Of the intervals, 0.95 unless given.
        catalog: Names and definitions; the built-in catalog unless given.
        reference: Where the area's name comes from; the built-in pack unless given.
        lang: Language of figure and explanation, `vi` or `en`.

    Returns:
        A `JoinpointResult`: `.joinpoints`, `.segments`, `.average()`, `.table()`, `.data`, `.plot()`, `.explain()`.

    Raises:
        UsageError: The selection is a mixture, or a setting is out of range.
        StatisticsError: Too few months, too many zeros, windows that overlap too much.
    """
    rules = method()["joinpoint"]
    _check_words(choose=(choose, CHOICES), weights=(weights, WEIGHTS), overlap=(overlap, OVERLAPS))
    _check_words(interval=(interval, INTERVALS))
    alpha = rules["alpha"] if alpha is None else alpha
    permutations = rules["permutations"] if permutations is None else permutations
    ends = rules["minimum_end"] if minimum_end is None else minimum_end
    between = rules["minimum_between"] if minimum_between is None else minimum_between
    _check_numbers(alpha, permutations, ends, between, joinpoints, max_joinpoints, harmonics)
    prepared = prepare_series(
        values,
        area,
        confidence=confidence,
        **given,
        gaps="keep",
        zeros="refuse" if log else "keep",
        minimum_events=method()["minimum_events"] if log else 0,
    )
    if overlap == "thin":
        prepared = thin(prepared, method()["minimum_points"])
    series = prepared.series
    months = series.frame.height
    span = int(series.frame["month"][-1]) - int(series.frame["month"][0]) + 1
    if harmonics is None:
        harmonics = int(span >= rules["years_per_harmonic_months"] and overlap != "thin")
    room = min(most_joinpoints(months, ends, between), (months - 2) // rules["points_per_joinpoint"])
    most = min(rules["max_joinpoints"], room) if max_joinpoints is None else min(max_joinpoints, room)
    rho, noise = _noise(autocorrelation, overlap, prepared.window)
    settings = Settings(
        most=most if joinpoints is None else joinpoints,
        choose=choose if joinpoints is None else "fixed",
        minimum_end=ends,
        minimum_between=between,
        harmonics=harmonics,
        rho=rho,
        alpha=alpha,
        permutations=permutations,
        samples=rules["samples"] if interval == "resample" else 0,
        averaged=interval == "averaged",
        seed=rules["seed"] if seed is None else seed,
    )
    choices = Choices(
        log, weights, settings.choose, interval, noise, harmonics, prepared.window, overlap, settings
    )
    response, weight = _response(series, log, weights)
    at = series.frame["month"].to_numpy().astype(float)
    model = fit_joinpoint_model(at, response, weight, settings, confidence=prepared.confidence)
    data = prepared.back(_table(series, model, log))
    return JoinpointResult(**prepared.shared(), data=data, model=model, choices=choices)


def _noise(autocorrelation: float | str | None, overlap: str, window: int) -> tuple[float | None, str]:
    if autocorrelation == "estimate":
        return None, "estimated"
    if isinstance(autocorrelation, str):
        raise unknown("autocorrelation", autocorrelation, ["estimate"])
    if autocorrelation is not None:
        if not -1 < autocorrelation < 1:
            raise UsageError("autocorrelation out of range", got=autocorrelation, allowed="between -1 and 1")
        return float(autocorrelation), "given" if autocorrelation else "none"
    if overlap == "autocorrelation" and window > 1:
        return (window - 1) / window, "overlap"
    return 0.0, "none"


def _response(series: MonthlySeries, log: bool, weights: str) -> tuple[Array, Array]:
    """The modelled response and its weights; zeros are put as half a count before a logarithm."""
    import numpy as np

    rules = method()["joinpoint"]
    counts = series.frame["numerator"].to_numpy().astype(float)
    people = series.frame["denominator"].to_numpy().astype(float)
    zeros = int((counts <= 0).sum())
    if log and zeros > rules["most_zero_share"] * len(counts):
        raise StatisticsError(
            "too many months of 0 for a logarithm",
            got=f"{zeros} of {len(counts)} months",
            allowed=f"at most {rules['most_zero_share']:.0%} of the months",
            do="pass log=False, use ns.trend, or take a larger area",
        )
    put = np.where(counts > 0, counts, rules["zero_count"])
    if log and zeros:
        series.excluded.append(("zeros", {"n": zeros, "put": rules["zero_count"]}))
    rate = (put if log else counts) / people
    if weights == "equal":
        return np.log(rate) if log else rate, np.ones_like(rate)
    if weights == "interval":
        error = _published_error(series)
        return (np.log(rate), (rate / error) ** 2) if log else (rate, error**-2)
    return (np.log(rate), put) if log else (rate, people**2 / put)


def _published_error(series: MonthlySeries) -> Array:
    """Standard error of the rate, from the width of its published 95 % interval."""
    from scipy import stats

    width = ((series.frame["upper"] - series.frame["lower"]) / series.scale).to_numpy()
    if series.frame["upper"].null_count() or series.frame["lower"].null_count() or not (width > 0).all():
        raise StatisticsError(
            "weights from intervals need an interval in every month",
            got="months without one, or of no width",
            do='pass weights="counts"',
        )
    return width / (2 * float(stats.norm.ppf(0.975)))


def _table(series: MonthlySeries, model: Any, log: bool) -> pl.DataFrame:
    import numpy as np

    back = np.exp if log else np.asarray

    def column(values: Any) -> pl.Series:
        if values is None:
            return pl.Series([None] * len(model.months), dtype=pl.Float64)
        return pl.Series(back(values) * series.scale)

    segment = 1 + np.searchsorted(model.joinpoints, model.months, side="left")
    return series.frame.select(
        "period",
        observed=pl.col("value"),
        fitted=column(model.fitted),
        trend=column(model.trend),
        lower=column(model.lower),
        upper=column(model.upper),
        segment=pl.Series(segment),
        numerator=pl.col("numerator"),
        denominator=pl.col("denominator"),
        flag=pl.col("flag"),
    )


def _check_words(**given: tuple[str, tuple[str, ...]]) -> None:
    for name, (word, known) in given.items():
        if word not in known:
            raise unknown(name, str(word), known)


def _check_numbers(
    alpha: float,
    permutations: int,
    ends: int,
    between: int,
    joinpoints: int | None,
    most: int | None,
    harmonics: int | None,
) -> None:
    ranges = {
        "alpha": (alpha, 0 < alpha < 1, "between 0 and 1"),
        "permutations": (permutations, permutations >= 99, "99 or more"),
        "minimum_end": (ends, ends >= 1, "1 or more"),
        "minimum_between": (between, between >= 1, "1 or more"),
        "joinpoints": (joinpoints, joinpoints is None or 0 <= joinpoints <= 6, "0 to 6"),
        "max_joinpoints": (most, most is None or 0 <= most <= 6, "0 to 6"),
        "harmonics": (harmonics, harmonics is None or 0 <= harmonics <= 5, "0 to 5 for monthly data"),
    }
    for name, (got, fits, allowed) in ranges.items():
        if not fits:
            raise UsageError(f"{name} out of range", got=got, allowed=allowed)
