"""Every verb about months, given series that are hard: a clear answer or a clear error, and never anything else."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.errors import NcdsurvError
from ncdsurv.trends import trend_or_series
from tests.trend_support import monthly_values

N = 48
RNG = np.random.default_rng(11)
USUAL = RNG.binomial(2000, 0.4, N)


def but(change: Callable[[np.ndarray], object]) -> np.ndarray:
    counts = USUAL.astype(float)
    change(counts)
    return counts


def without(months: slice | list[int]) -> pl.DataFrame:
    frame = monthly_values(USUAL)
    left_out = set(np.arange(N)[months].tolist())
    return frame.filter(pl.Series([at not in left_out for at in range(N)]))


def empty(months: slice) -> pl.DataFrame:
    people = np.full(N, 2000.0)
    people[months] = 0
    return monthly_values(np.where(people > 0, USUAL, 0), people)


SERIES = {
    "usual": monthly_values(USUAL),
    "one month": monthly_values(USUAL[:1]),
    "two months": monthly_values(USUAL[:2]),
    "eleven months": monthly_values(USUAL[:11]),
    "thirteen months": monthly_values(USUAL[:13]),
    "all equal": monthly_values(np.full(N, 800.0)),
    "all zero": monthly_values(np.zeros(N)),
    "always full": monthly_values(np.full(N, 2000.0)),
    "always full, people change": monthly_values(1000.0 + np.arange(N), 1000.0 + np.arange(N)),
    "one event": monthly_values(np.eye(1, N)[0]),
    "one event late": monthly_values(np.eye(1, N, N - 3)[0]),
    "zeros then ones": monthly_values(np.repeat([0.0, 1.0], N // 2)),
    "zeros then all": monthly_values(np.repeat([0.0, 2000.0], N // 2)),
    "zero months": monthly_values(but(lambda counts: counts.__setitem__(slice(3, None, 5), 0))),
    "single people": monthly_values(RNG.integers(0, 2, N), 1.0),
    "few people": monthly_values(RNG.binomial(7, 0.4, N), 7.0),
    "people vary a thousandfold": monthly_values(RNG.binomial(10, 0.4, N), 10.0 ** RNG.uniform(1, 4, N)),
    "more events than people": monthly_values(np.full(N, 2500.0) + np.arange(N)),
    "a gap": without([20, 21]),
    "every second month": without(slice(1, None, 2)),
    "one month missing at the end": without([N - 2]),
    "a month without people": empty(slice(10, 11)),
    "no people at first": empty(slice(0, 30)),
    "no people at all": empty(slice(0, N)),
    "a line without noise": monthly_values(np.linspace(400, 900, N)),
    "a step without noise": monthly_values(np.repeat([400.0, 900.0], N // 2)),
    "one wild month": monthly_values(but(lambda counts: counts.__setitem__(30, 2000))),
    "yearly windows": monthly_values(USUAL, indicator="lost_to_follow_up_rate", preset="hearts"),
    "no value published": monthly_values(USUAL).with_columns(value=pl.lit(None, dtype=pl.Float64)),
}
VERBS: dict[str, Callable[[pl.DataFrame], Any]] = {
    "trend": lambda values: ns.trend(values, lang="en"),
    "trend, no season": lambda values: ns.trend(values, season=False, lang="en"),
    "trend, negative binomial": lambda values: ns.trend(values, family="negative_binomial", lang="en"),
    "trend, thinned": lambda values: ns.trend(values, overlap="thin", season=False, lang="en"),
    "joinpoint": lambda values: ns.joinpoint(values, permutations=99, lang="en"),
    "joinpoint, linear": lambda values: ns.joinpoint(values, log=False, choose="wbic", lang="en"),
    "joinpoint, autocorrelated": lambda values: ns.joinpoint(
        values, choose="bic", autocorrelation="estimate", lang="en"
    ),
    "interrupted": lambda values: ns.interrupted(values, "2025-01", lang="en"),
    "interrupted, no season": lambda values: ns.interrupted(values, "2025-01", season=False, lang="en"),
    "control chart": lambda values: ns.control_chart(values, lang="en"),
    "control chart, u": lambda values: ns.control_chart(values, kind="u", lang="en"),
    "Mann-Kendall": lambda values: ns.mann_kendall(values, lang="en"),
    "Mann-Kendall, Hamed-Rao": lambda values: ns.mann_kendall(values, correction="hamed_rao", lang="en"),
    "Mann-Kendall, Yue-Wang": lambda values: ns.mann_kendall(values, correction="yue_wang", lang="en"),
    "forecast": lambda values: ns.forecast(values, "2027", target=50.0, lang="en"),
    "description": lambda values: ns.describe_series(values, lang="en"),
    "trend or series": lambda values: trend_or_series(values, lang="en"),
}
FINITE = {  # numbers that every answer of the verb must have
    "trend": ("annual_change", "lower", "upper"),
    "Mann-Kendall": ("slope", "lower", "upper"),
    "forecast": ("value", "lower", "upper", "probability"),
}


def answer(verb: str, series: str) -> Any:
    """The result, or the error that was raised instead."""
    try:
        return VERBS[verb](SERIES[series])
    except NcdsurvError as error:
        return error


def numbers(node: Any) -> list[float]:
    """Every number of a summary."""
    if isinstance(node, dict):
        return [found for part in node.values() for found in numbers(part)]
    if isinstance(node, list | tuple):
        return [found for part in node for found in numbers(part)]
    return [float(node)] if isinstance(node, float | np.floating) else []


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("verb", VERBS)
def test_a_clear_answer_or_a_clear_error(verb: str, series: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = answer(verb, series)
        if isinstance(result, NcdsurvError):
            assert result.got is not None, result.what
            assert not re.search(r"\bnan\b|\binf\b", str(result)), str(result)
            return
        for lang in ("vi", "en"):
            text = result.explain(lang)
            assert not re.search(r"\bnan\b|\binf\b|None|[{}]", text), text
        assert not any(math.isnan(one) for one in numbers(result.summary())), result.summary()
        for row in result.rows("en"):
            assert all(not isinstance(cell, float) or math.isfinite(cell) for cell in row.values()), row
        for name in FINITE.get(verb.partition(",")[0], ()):
            assert math.isfinite(getattr(result, name)), name
        columns = [one for one, kind in result.data.schema.items() if kind.is_float()]
        for column in columns:
            values = result.data[column].drop_nulls()
            assert values.is_finite().all(), column


DRAWN = [
    *(("trend or series", series) for series in ("one event late", "zero months", "all equal", "a gap")),
    *(("joinpoint", series) for series in ("zero months", "all equal", "a gap")),
    *(("control chart", series) for series in ("one event late", "all equal", "single people", "all zero")),
    *(("Mann-Kendall", series) for series in ("all equal", "all zero", "single people")),
    *(("forecast", series) for series in ("zero months", "single people", "zeros then all")),
    ("interrupted", "all equal"),
    ("interrupted", "zero months"),
]


@pytest.mark.parametrize(("verb", "series"), DRAWN)
def test_what_is_answered_can_be_drawn(verb: str, series: str):
    import matplotlib.pyplot as plt

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = answer(verb, series).plot()
        ax.figure.canvas.draw()
        low, high = ax.get_ylim()
        plt.close(ax.figure)
    assert math.isfinite(low)
    assert low < high


def test_the_table_holds_series_that_are_answered_and_series_that_are_refused():
    def answered(series: str) -> list[str]:
        asked = ("trend", "forecast", "control chart", "Mann-Kendall", "trend or series")
        return [verb for verb in asked if not isinstance(answer(verb, series), NcdsurvError)]

    assert answered("usual") == ["trend", "forecast", "control chart", "Mann-Kendall", "trend or series"]
    assert answered("one month") == ["trend or series"]
    assert answered("all zero") == ["control chart", "Mann-Kendall", "trend or series"]
    assert answered("no people at all") == []


SAID = [
    (
        "trend",
        "one event late",
        "too few events for a relative change: got 1 in 48 months; allowed: at least 10",
    ),
    ("forecast", "one event late", "too few events for a relative change: got 1 in 48 months"),
    ("joinpoint", "one event late", "too few events for a relative change: got 1 in 48 months"),
    (
        "forecast",
        "always full, people change",
        "nearly everybody is in the numerator, so nothing says how far",
    ),
    ("forecast", "all equal", "months are all equal"),
    ("Mann-Kendall", "two months", "got 2 months; allowed: at least 8; do: take a longer run of months"),
]


@pytest.mark.parametrize(("verb", "series", "sentence"), SAID)
def test_the_reason_is_said(verb: str, series: str, sentence: str):
    assert sentence in str(answer(verb, series))


@pytest.mark.parametrize("verb", ["trend", "interrupted", "joinpoint"])
@pytest.mark.parametrize("series", ["all equal", "always full"])
def test_an_interval_without_width_is_called_no_certainty(verb: str, series: str):
    assert "that is no certainty" in answer(verb, series).explain("en")
    assert "đó không phải là sự chắc chắn" in answer(verb, series).explain("vi")
    assert "that is no certainty" not in answer(verb, "usual").explain("en")


def test_too_few_events_are_shown_with_the_reason():
    said = answer("trend or series", "one event late").headline("en")
    assert "too few events for a relative change (1 in 48 months, 10 are needed)" in said
