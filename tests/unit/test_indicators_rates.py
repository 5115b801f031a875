"""The rate functions as a user meets them: frames of either kind, empty denominators, clear errors."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest

from ncdsurv.errors import StatisticsError, UsageError
from ncdsurv.indicators.rates import proportion, rate, standardised_rate, wilson_limits

COUNTS = {"area": ["a", "b", "c"], "n": [65, 0, 0], "d": [100, 10, 0]}


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_a_frame_comes_back_as_the_kind_it_was_and_explains_itself(kind):
    found = proportion(kind(COUNTS), count="n", total="d")
    assert type(found) is kind
    assert list(found.columns) == [
        "area",
        "n",
        "d",
        "value",
        "lower",
        "upper",
        "method",
        "confidence",
    ]
    assert next(iter(found["method"])) == "Wilson"
    assert next(iter(found["value"])) == 65.0
    assert list(found["lower"])[1] == 0.0


def test_an_empty_denominator_gives_null_never_zero():
    found = proportion(pl.DataFrame(COUNTS), count="n", total="d")
    assert found.select("value", "lower", "upper").row(2) == (None, None, None)
    assert rate(pl.DataFrame(COUNTS), count="n", population="d")["value"].to_list() == [65000.0, 0.0, None]


def test_a_count_above_its_total_is_an_error_that_says_how_many_rows_and_no_value():
    with pytest.raises(
        StatisticsError, match=r"^a count exceeds its total: got 1 of 2 rows; do: check the two columns$"
    ):
        wilson_limits([5, 11], [10, 10])


def test_a_negative_count_is_an_error():
    with pytest.raises(StatisticsError, match=r"^a negative count: got 1 row; do: check the column$"):
        wilson_limits([-1, 3], [10, 10])


def test_an_impossible_confidence_is_an_error():
    with pytest.raises(
        StatisticsError, match=r"^confidence out of range: got 95; allowed: between 0 and 1; do: give 0.95$"
    ):
        wilson_limits(1, 10, confidence=95)


def test_an_unknown_column_is_an_error_that_names_the_nearest():
    with pytest.raises(UsageError, match=r"^unknown column: got total; .*do: try"):
        proportion(pl.DataFrame({"n": [1], "totals": [2]}), count="n", total="total")


def test_something_that_is_no_frame_is_an_error():
    with pytest.raises(
        StatisticsError, match=r"^not a frame: got list; allowed: a pandas or polars DataFrame"
    ):
        proportion([1, 2], count="n", total="d")
    with pytest.raises(StatisticsError, match=r"^not a frame: got LazyFrame"):
        proportion(pl.DataFrame(COUNTS).lazy(), count="n", total="d")


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_standardised_rates_of_groups_by_named_weights(kind):
    table = {
        "area": ["a", "a", "b", "b"],
        "age": ["young", "old", "old", "young"],
        "n": [20, 60, 3, 4],
        "p": [1000, 500, 500, 1000],
        "w": [3.0, 1.0, 1.0, 3.0],
    }
    chosen = {"by": ["area"], "age": "age", "count": "n", "population": "p", "per": 100}
    found = standardised_rate(kind(table), standard={"old": 1, "young": 3}, **chosen)
    beside = standardised_rate(kind(table), standard="w", **chosen)
    assert list(beside["value"])[:1] == list(found["value"])[:1], "weights beside the rows say the same"
    assert list(found["area"]) == ["a", "b"]
    assert list(found["events"]) == [80, 7]
    assert next(iter(found["value"])) == pytest.approx(100 * (0.75 * 0.02 + 0.25 * 0.12))
    assert pd.isna(list(found["value"])[1]), "fewer than 10 events: withheld"
