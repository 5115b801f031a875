"""The verb: values and a date in, what changed at that date out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Unpack

import polars as pl

from ncdsurv.catalog.vocabulary import Period, month_label
from ncdsurv.errors import StatisticsError, UsageError, unknown
from ncdsurv.trends.counts import NEGATIVE_BINOMIAL, QUASI_POISSON
from ncdsurv.trends.dispersion import check_counts
from ncdsurv.trends.interrupted.check import check_before
from ncdsurv.trends.interrupted.model import Segmented, fit_segmented
from ncdsurv.trends.interrupted.result import InterruptedResult
from ncdsurv.trends.method import method
from ncdsurv.trends.prepare import (
    Prepared,
    SeriesArguments,
    prepare_series,
    require_windows,
    series_verb,
    thin,
)

FAMILIES = ("auto", QUASI_POISSON, NEGATIVE_BINOMIAL)
OVERLAPS = ("shared", "newey_west", "thin", "ignore")


@series_verb
def fit_interrupted(
    values: Any,
    at: str,
    area: str | None = None,
    *,
    season: bool = True,
    slope_change: bool = True,
    transition: int | None = None,
    family: str = "auto",
    lag: int | None = None,
    overlap: str = "shared",
    confidence: float | None = None,
    **given: Unpack[SeriesArguments],
) -> InterruptedResult:
    """Estimate how level and slope of one area's monthly rate changed at a date.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas).
        at: First month after the change, `YYYY-MM`, or the name of an event of `interrupted.toml`.
        area: Area code as text; may be left out when the values hold one area.
        area_vintage: Vintage of the code, needed when the values hold both geographies.
        season: Model the season with two harmonics.
        slope_change: Let the yearly slope change too; False estimates a step alone.
        transition: Months from `at` that are left out of the fit, because they belong to neither side; by default
            one less than the months that a value looks back, so that no value mixes both sides.
        family: `quasi_poisson`, `negative_binomial`, or `auto`: the test of Cameron and Trivedi decides.
        lag: Newey-West lag in months; 0 for the family's own errors. None takes floor(4 (n / 100)^(2/9)) (Newey
            and West 1994) and, for each interval, the family's own error where that is the larger one.
        overlap: For indicators that look back several months: `shared` counts what windows have in common,
            `thin` takes one month in each window, `newey_west` uses the window as its lag, `ignore` does nothing.
        confidence: Of the intervals, 0.95 unless given.
        catalog: Names and definitions; the built-in catalog unless given.
        reference: Where the area's name comes from; the built-in pack unless given.
        lang: Language of figure and explanation, `vi` or `en`.

    Returns:
        An `InterruptedResult`: `.level_change`, `.slope_change`, `.placebo`, `.table()`, `.data`, `.plot()`,
        `.explain()`; changes in percent.

    Raises:
        UsageError: The selection is a mixture, the date is no month of the series, a setting is out of range.
        StatisticsError: Too few months or events on a side, gaps, only zeros, windows that overlap too much.
    """
    rules = method()["interrupted"]
    month, event = _month_of(at)
    if family not in FAMILIES:
        raise unknown("family", str(family), FAMILIES)
    if overlap not in OVERLAPS:
        raise unknown("overlap", str(overlap), OVERLAPS)
    if lag is not None and not 0 <= lag <= 12:
        raise UsageError("lag out of range", got=lag, allowed="0 to 12 months, or None")
    if transition is not None and not 0 <= transition <= 24:
        raise UsageError("transition out of range", got=transition, allowed="0 to 24 months, or None")
    prepared = prepare_series(
        values,
        area,
        confidence=confidence,
        **given,
    )
    window = prepared.window
    thinned = overlap == "thin" and window > 1
    if thinned:
        prepared = thin(prepared, rules["minimum_points"])
    elif window > 1 and overlap != "ignore" and lag is None:
        require_windows(prepared)
        lag = window if overlap == "newey_west" else 0
    left_out = (window - 1 if overlap != "ignore" else 0) if transition is None else transition
    used = _split(prepared, month, left_out, season and not thinned, slope_change, thinned)
    harmonics = method()["harmonics"] if season and not thinned else 0
    wider = lag is None
    if lag is None:
        lag = int(4 * (used.height / 100) ** (2 / 9))
    settings: dict[str, Any] = {
        "harmonics": harmonics,
        "confidence": prepared.confidence,
        "lag": lag,
        "wider": wider,
        "window": window if overlap == "shared" else 1,
    }
    counts = tuple(used[name].to_numpy() for name in ("numerator", "denominator", "month"))
    shown = prepared.series.frame["month"].to_numpy()
    model, reason, p_value = _choose(counts, month, shown, slope_change, family, settings)
    placebo = check_before(
        counts,  # type: ignore[arg-type]
        month,
        least=rules["minimum_placebo_season" if harmonics else "minimum_placebo"]
        if not thinned
        else rules["minimum_points"] * 2,
        family=model.family,
        **settings,
    )
    series = prepared.series
    if passed := series.frame.height - used.height:
        series = replace(series, excluded=[*series.excluded, ("transition", {"n": passed})])
        prepared = replace(prepared, series=series)
    return InterruptedResult(
        **prepared.shared(),
        data=prepared.back(_table(prepared, used, model, month)),
        model=model,
        month=month,
        event=event,
        placebo=placebo,
        harmonics=harmonics,
        lag=lag,
        wider=wider,
        window=window,
        overlap=overlap,
        transition=left_out,
        family_reason=reason,
        family_p_value=p_value,
    )


def _month_of(at: str) -> tuple[int, str | None]:
    """Month index of a date or named event, and the event's name."""
    events = method()["interrupted"]["event"]
    if at in events:
        return Period.parse(events[at]["month"]).first_month, at
    if isinstance(at, str) and at[:1].isdigit():
        period = Period.parse(at)
        if period.n_months == 1:
            return period.first_month, None
    raise UsageError(
        "no such month or event",
        got=repr(at),
        allowed="YYYY-MM, or " + ", ".join(events),
        do="give the first month after",
    )


def _split(
    prepared: Prepared, month: int, left_out: int, season: bool, slope_change: bool, thinned: bool
) -> pl.DataFrame:
    """The months of the fit, enough of them and of events on either side."""
    rules, frame = method()["interrupted"], prepared.series.frame
    first, last = frame["month"][0], frame["month"][-1]
    if not first < month <= last:
        raise UsageError(
            "the intervention does not lie within the series",
            got=month_label(month),
            allowed=f"{month_label(first + 1)} to {month_label(last)}",
        )
    used = frame.filter(~pl.col("month").is_between(month, month + left_out - 1))
    sides = {"before": used.filter(pl.col("month") < month), "after": used.filter(pl.col("month") >= month)}
    needed = {
        "before": rules["minimum_before_season" if season else "minimum_before"],
        "after": rules["minimum_after" if slope_change else "minimum_after_step"],
    }
    if thinned:
        needed = dict.fromkeys(sides, rules["minimum_side_thinned"])
    for side, part in sides.items():
        if part.height < needed[side]:
            raise StatisticsError(
                f"too few months {side} the intervention",
                got=f"{part.height} months" + (f", {left_out} left out as transition" if left_out else ""),
                allowed=f"at least {needed[side]}",
                do="take a longer run of months, season=False, or slope_change=False",
            )
        if part["numerator"].sum() < rules["minimum_events"]:
            raise StatisticsError(
                f"too few events {side} the intervention for a relative change",
                got=f"{part['numerator'].sum():.0f} in {part.height} months",
                allowed=f"at least {rules['minimum_events']}",
                do="take a larger area, or show the counts",
            )
    if season and used.height < rules["minimum_months_season"]:
        raise StatisticsError(
            "too few months to tell season from an intervention",
            got=f"{used.height} months",
            allowed=f"at least {rules['minimum_months_season']}",
            do="pass season=False",
        )
    return used


def _choose(
    counts: Any, month: int, shown: Any, slope_change: bool, family: str, settings: dict[str, Any]
) -> tuple[Segmented, str, float]:
    """The model of the family asked for or chosen by the test, why, and the test's p value."""
    import numpy as np

    numerator, denominator, months = counts
    wanted: dict[str, Any] = {"shown": shown, "slope_change": slope_change, **settings}
    model = fit_segmented(numerator, denominator, months, month, **wanted)
    mean = model.fitted[np.isin(shown, months)] * denominator
    scale = np.sqrt(max(model.dispersion, np.finfo(float).eps))
    checks = check_counts(numerator, mean, (numerator - mean) / np.sqrt(mean) / scale)
    p_value = checks.quadratic_p_value
    if family == QUASI_POISSON or (family == "auto" and p_value > method()["family_alpha"]):
        return model, "given" if family == QUASI_POISSON else "test_linear", p_value
    model = fit_segmented(numerator, denominator, months, month, **wanted, family=NEGATIVE_BINOMIAL)
    if model.family == QUASI_POISSON:
        return model, "no_excess", p_value
    return model, "given" if family == NEGATIVE_BINOMIAL else "test_quadratic", p_value


def _table(prepared: Prepared, used: pl.DataFrame, model: Segmented, month: int) -> pl.DataFrame:
    frame, scale = prepared.series.frame, prepared.series.scale
    curves = ("fitted", "lower", "upper", "counterfactual", "counterfactual_lower", "counterfactual_upper")
    table = frame.select(
        "period",
        "month",
        observed=pl.col("value"),
        **{name: pl.Series(getattr(model, name) * scale) for name in curves},
        used=pl.col("month").is_in(used["month"].to_list()),
        numerator=pl.col("numerator"),
        denominator=pl.col("denominator"),
        flag=pl.col("flag"),
    )
    # Before the date the model is its own counterfactual; shown only where it says something else.
    hidden = [pl.when(pl.col("month") >= month).then(pl.col(name)).alias(name) for name in curves[3:]]
    return table.with_columns(hidden).drop("month")
