"""The verb: values in, a control chart of one area or station out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import polars as pl

from ncdsurv.catalog.vocabulary import Period, month_label
from ncdsurv.errors import StatisticsError, UsageError, unknown
from ncdsurv.trends.control.limits import PROPORTION, RATE, Limits, chart_limits
from ncdsurv.trends.control.recent import POINTS, Marker, marker_of_proportions, marker_of_values
from ncdsurv.trends.control.result import ControlResult
from ncdsurv.trends.control.runs import find_signals
from ncdsurv.trends.control.stations import WithStations, is_station, station_names
from ncdsurv.trends.method import method
from ncdsurv.trends.prepare import SeriesArguments, prepare_series, series_verb, thin

KINDS = ("auto", PROPORTION, RATE)
OVERLAPS = ("thin", "ignore")


@series_verb
def control_chart(
    values: Any,
    area: str | None = None,
    *,
    kind: str = "auto",
    laney: bool = True,
    rules: str | None = None,
    phases: Sequence[str] = (),
    baseline: str | None = None,
    overlap: str = "thin",
    **given: Unpack[SeriesArguments],
) -> ControlResult:
    """Draw up a p or u chart of one area's or station's monthly values.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas).
        area: Code of the area or station as text; may be left out when the values hold one.
        area_vintage: Vintage of the code, needed when the values hold both geographies.
        kind: `p` for shares of people, `u` for events per person-time, `auto` by the unit (a share that passes
            100 % in some month is no share of the same people and gets a u chart).
        laney: Laney's correction (p' or u' chart).
        rules: Set of runs rules: `western_electric` (the default), `nelson` or `shewhart` (limits alone).
        phases: First month of each later phase, `YYYY-MM`; every phase has its own centre and limits, and no run
            reaches across two.
        baseline: Last month that centre and limits are estimated from, `YYYY-MM`; later months are judged by them.
        overlap: For indicators that look back several months: `thin` takes one month in each window, `ignore` all.
        catalog: Names and definitions; the built-in catalog unless given.
        reference: Where the area's name comes from; the built-in pack unless given.
        lang: Language of figure and explanation, `vi` or `en`.

    Returns:
        A `ControlResult`: `.signals`, `.marker` (recent trend), `.table()`, `.data`, `.plot()`, `.explain()`.

    Raises:
        UsageError: The selection is a mixture, a month is not in the series, a setting is out of range.
        StatisticsError: Too few months in the series or in a phase.
    """
    limits = method()["control"]
    chosen = limits["rules"] if rules is None else rules
    if chosen not in limits["set"]:
        raise unknown("set of rules", str(chosen), limits["set"])
    if kind not in KINDS:
        raise unknown("kind of chart", str(kind), KINDS)
    if overlap not in OVERLAPS:
        raise unknown("overlap", str(overlap), OVERLAPS)
    if isinstance(phases, str) or (phases and baseline is not None):
        raise UsageError(
            "phases are a list of months, without a baseline",
            got=repr(phases) + (f" and baseline={baseline!r}" if baseline else ""),
            allowed='phases=["YYYY-MM", ...] or baseline="YYYY-MM"',
        )
    reference = given.get("reference")
    if reference is None:
        from ncdsurv.reference import load_reference

        reference = load_reference()
    given["reference"] = WithStations(reference)
    prepared = prepare_series(
        values,
        area,
        **given,
        minimum_months=limits["minimum_points"],
        gaps="keep",
        zeros="keep",
    )
    identity = prepared.series.identity
    if is_station(identity["area_level"]):
        prepared = replace(prepared, area_names=station_names(identity["area_code"]))
    step = prepared.window if overlap == "thin" else 1
    if overlap == "thin":
        prepared = thin(prepared, limits["minimum_points"])
    series = prepared.series
    frame = series.frame
    months = frame["month"].to_numpy()
    counts = (frame["numerator"].to_numpy(), frame["denominator"].to_numpy())
    kind = _kind(kind, series.identity["unit"], counts)
    phase = _phases(months, phases)
    base = _baseline(months, baseline)
    charts = [
        chart_limits(
            *(one[phase == at] for one in (*counts, months)),
            kind=kind,
            laney=laney,
            width=limits["width"],
            step=step,
            baseline=base[phase == at],
        )
        for at in range(int(phase[-1]) + 1)
    ]
    z = np.concatenate([one.z for one in charts])
    breaks = np.diff(months, prepend=months[0] - step) != step
    parts = np.cumsum(breaks | (np.diff(phase, prepend=0) != 0))
    signals = find_signals(z, parts, limits["set"][chosen])
    return ControlResult(
        **prepared.shared(),
        data=prepared.back(_table(frame, charts, phase, signals, series.scale)),
        charts=charts,
        phase_of=phase,
        found=signals,
        kind=kind,
        laney=laney,
        rule_set=chosen,
        baseline=baseline,
        marker=_marker(frame, kind, step),
        window=prepared.window,
        overlap=overlap,
    )


def _kind(kind: str, unit: str, counts: tuple[Any, Any]) -> str:
    over = bool((counts[0] > counts[1]).any())
    if kind == PROPORTION and over:
        raise StatisticsError(
            "a p chart needs a share of people",
            got="a month whose numerator is larger than its denominator",
            do='pass kind="u"',
        )
    if kind != "auto":
        return kind
    return PROPORTION if unit == "percent" and not over else RATE


def _month(text: str, months: Any, what: str, first: int) -> int:
    period = Period.parse(text)
    if period.n_months != 1 or not months[0] + first <= period.first_month <= months[-1]:
        raise UsageError(
            f"the {what} is no month of the series",
            got=text,
            allowed=f"{month_label(int(months[0]) + first)} to {month_label(int(months[-1]))}",
        )
    return int(period.first_month)


def _phases(months: Any, phases: Sequence[str]) -> Any:
    """Number of the phase of every month."""
    least = method()["control"]["minimum_phase"]
    starts = sorted({_month(text, months, "start of a phase", 1) for text in phases})
    phase = np.searchsorted(np.array(starts, dtype=np.int64), months, side="right")
    sizes = np.bincount(phase, minlength=len(starts) + 1)
    if len(starts) and sizes.min() < least:
        raise StatisticsError(
            "too few months in a phase",
            got=", ".join(str(size) for size in sizes),
            allowed=f"at least {least} in each",
            do="take fewer phases",
        )
    return phase


def _baseline(months: Any, baseline: str | None) -> Any:
    """Which months centre and limits are estimated from."""
    if baseline is None:
        return np.ones(len(months), dtype=bool)
    base, least = (
        months <= _month(baseline, months, "end of the baseline", 0),
        method()["control"]["minimum_points"],
    )
    if base.sum() < least:
        raise StatisticsError(
            "too few months in the baseline", got=f"{base.sum()} months", allowed=f"at least {least}"
        )
    return base


def _marker(frame: pl.DataFrame, kind: str, step: int) -> Marker:
    """The recent-trend marker of the last five points, which must follow each other."""
    last = frame.tail(POINTS)
    months = last["month"].to_numpy()
    if (np.diff(months) != step).any():
        last = last.clear()
    if kind == PROPORTION:
        return marker_of_proportions(last["numerator"].to_numpy(), last["denominator"].to_numpy())
    columns = (
        last[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in ("value", "lower", "upper")
    )
    return marker_of_values(*columns)


def _table(
    frame: pl.DataFrame, charts: list[Limits], phase: Any, signals: list[list[str]], scale: float
) -> pl.DataFrame:
    centre = np.array([charts[at].centre for at in phase])
    z = pl.Series("z", np.concatenate([one.z for one in charts]))
    return frame.select(
        "period",
        observed=pl.col("value"),
        centre=pl.Series(centre * scale),
        lower=pl.Series(np.concatenate([one.lower for one in charts]) * scale),
        upper=pl.Series(np.concatenate([one.upper for one in charts]) * scale),
        z=pl.when(z.is_finite()).then(z),
        phase=pl.Series(phase + 1),
        rules=pl.Series([", ".join(names) for names in signals], dtype=pl.String),
        numerator=pl.col("numerator"),
        denominator=pl.col("denominator"),
        flag=pl.col("flag"),
    )
