"""What the rate functions refuse, word for word: what was wrong, what was got, what is allowed, what to do."""

from __future__ import annotations

import math

import duckdb
import pandas as pd
import polars as pl
import pytest

from ncdsurv.errors import StatisticsError, UsageError
from ncdsurv.indicators import rates
from tests.rates_support import AREAS, BANDS, GROUP, GROUPS, REFERENCE, refused, two

SENTENCES = [
    # numbers
    (
        two("proportion", count=[5, 11], total=[10, 10]),
        "a count exceeds its total: got 1 of 2 rows; do: check the two columns",
    ),
    (two("proportion", count=[-1, 3], total=[10, 10]), "a negative count: got 1 row; do: check the column"),
    (two("proportion", count=[1, 3], total=[-10, -10]), "a negative total: got 2 rows; do: check the column"),
    (
        two("proportion", count=[1, math.inf], total=[10, 10]),
        "an infinite count: got 1 row; do: check the column",
    ),
    (two("proportion", count=["5"], total=[10]), "a count that is no number: do: give a column of numbers"),
    (two("proportion", count=[True], total=[10]), "a count that is no number: do: give a column of numbers"),
    (
        two("proportion", count=[1, 2, 3], total=[10, 10]),
        "arrays of different lengths: got count (3,), total (2,); do: give one entry a row in each",
    ),
    (
        two("proportion", count=[1], total=[2], multiplier=0),
        "multiplier out of range: got 0; allowed: a number above 0",
    ),
    (
        two("rate", count=[0, 3], population=[0, 0]),
        "events in an empty population: got 1 row; do: check the population",
    ),
    (two("rate", count=[1], population=[2], per=-5), "per out of range: got -5; allowed: a number above 0"),
    (
        two("ratio_to_expected", count=[1], expected=[0]),
        "events where none are expected: do: check the reference rates",
    ),
    (
        two("proportion", count=pd.Series([1, 2]), total=pd.Series([4, 5], index=[1, 0])),
        "Series whose rows are not the same: do: put them into one frame first",
    ),
    # sums of standardised rates
    (
        two("dobson", value=[math.inf], variance=[1], total=[20]),
        "an infinite value: got 1 row; do: check the column",
    ),
    (
        two("dobson", value=[0.1], variance=[-1], total=[20]),
        "a negative variance: got 1 row; do: check the column",
    ),
    (
        two("dobson", value=["0.1"], variance=[1], total=[20]),
        "a value that is no number: do: give a column of numbers",
    ),
    (
        two("dobson", value=[0.1], variance=[1], total=[20], fewest_events="ten"),
        "fewest_events out of range: got 'ten'; allowed: 0 or more",
    ),
    (
        two("fay_feuer", value=[0.1], variance=[1], largest=[-1], total=[20]),
        "a negative largest: got 1 row; do: check the column",
    ),
    (
        two("fay_feuer", value=[0.1, 0.2], variance=[1], largest=[1], total=[20]),
        "arrays of different lengths: got value (2,), variance (1,), largest (1,), total (1,); do: give one entry a "
        "row in each",
    ),
    (
        two("standardised_rate", **GROUP, standard=BANDS, fewest_events=math.nan),
        "fewest_events out of range: got nan; allowed: 0 or more",
    ),
    (
        two(
            "standardised_rate",
            frame=pl.DataFrame({"n": [1], "p": [2], "a": ["y"]}).head(0),
            count="n",
            population="p",
            age="a",
            standard={"y": 1},
        ),
        "a group lacks age bands of the standard population: got 0 of 1; do: give every band a row, or a standard of "
        "the bands there are",
    ),
    # standard populations
    (
        two("standardised_rate", **{**GROUP, "age": ["young", "olden"]}, standard=BANDS),
        "unknown age band: got olden; allowed: young, old; do: try old",
    ),
    (
        two("standardised_rate", **{**GROUP, "age": ["young", None]}, standard=BANDS),
        "unknown age band: got null; allowed: young, old; do: name the bands as the standard does",
    ),
    (
        two("standardised_rate", **GROUP, standard={**BANDS, "oldest": 1}),
        "a group lacks age bands of the standard population: got 2 of 3; do: give every band a row, or a standard of "
        "the bands there are",
    ),
    (
        two("standardised_rate", **{**GROUP, "age": ["old", "old"]}, standard=BANDS),
        "an age band that stands twice in a group: do: sum its rows first, or name the groups in `by`",
    ),
    (
        two("standardised_rate", **GROUP, standard=[3, 1]),
        "a standard population without names: got list; allowed: age band -> weight, or the name of a column of "
        "weights",
    ),
    (
        two("standardised_rate", **GROUP, standard={"young": 3, "old": "one"}),
        "a weight that is no number: do: give a column of numbers",
    ),
    (
        two("standardised_rate", **GROUP, standard={"young": 3, "old": 0}),
        "a weight that is not above 0: do: give every age band a weight",
    ),
    (
        two("standardised_rate", **{**GROUP, "population": [1000, 0]}, standard=BANDS),
        "an age band without population: do: merge it with the next or drop it",
    ),
    (
        two("standardised_rate", **{**GROUP, "count": [20, None]}, standard=BANDS),
        "an age band without its number: got 1 of 2 rows null; do: write 0 where nothing happened",
    ),
    (
        two("standardised_rate", **{**GROUP, "count": [20]}, standard=BANDS),
        "arrays of different lengths: got count (1,), population (2,); do: give one entry a row in each",
    ),
    (
        two("standardised_rate", **{**GROUP, "age": ["old"]}, standard=BANDS),
        "arrays of different lengths: got count (2,), population (2,), age (1,); do: give one entry a row in each",
    ),
    (
        two("standardised_rate", **GROUP, standard=BANDS, by=["area"]),
        "groups of arrays: got `by` without a frame; do: give a frame",
    ),
    (
        two("standardised_rate", **GROUP, standard=BANDS, method="gamma"),
        "unknown method: got gamma; allowed: dobson, fay-feuer",
    ),
    (
        two("standardised_ratio", **GROUP, reference={"young": 3, "old": 1}),
        "a reference population without names or without two numbers a band: got dict; allowed: age band -> (events, "
        "persons)",
    ),
    (
        two("standardised_ratio", **GROUP, reference={**REFERENCE, "old": (1, 0)}),
        "a reference band without population: do: merge it with the next band",
    ),
    (
        two("indirect_rate", **GROUP, reference={"young": (10, 1000)}),
        "unknown age band: got old; allowed: young; do: name the bands as the standard does",
    ),
    (
        two("world_standard", bands=["adults"]),
        "a name that is no age band: got adults; allowed: names like 40-49 or 80+",
    ),
    (
        two("world_standard", bands=["40-30"]),
        "a name that is no age band: got 40-30; allowed: names like 40-49 or 80+",
    ),
    (two("world_standard", bands=["40-49", "45+"]), "age bands that overlap: got 40-49 and 45+"),
    (two("world_standard", bands=[]), "no age bands to weight: got none; do: give names like 40-49 or 80+"),
    # groups
    (
        two("standardised_rate", **GROUPS, by=["area", "area"]),
        "a column named twice in `by`: got area, area; do: name it once",
    ),
    (
        two("standardised_rate", **GROUPS, by="age"),
        "ages among the groups: got age; do: leave the column of ages out of `by`",
    ),
    # inequality
    (
        two(
            "inequality",
            frame=pl.DataFrame({"g": ["a"], "x": [1.0]}).head(0),
            by="g",
            value="x",
            population="x",
            rank="x",
            lower="x",
            upper="x",
        ),
        "a frame without rows: do: give a row an area",
    ),
    (
        two("inequality", **AREAS, by="province"),
        "groups of arrays: got `by` without a frame; do: give a frame",
    ),
    (
        two("inequality", **{**AREAS, "value": [1, None, 3]}),
        "an area without its number: do: drop it first, and say so",
    ),
    (
        two("inequality", **{**AREAS, "population": [1, 0, 3]}),
        "an area without population: do: drop it first, and say so",
    ),
    (
        two("inequality", **{**AREAS, "rank": [1, 1, 1]}),
        "too few areas to rank: got 3; allowed: 3 or more, of two ranks or more",
    ),
    (
        two("inequality", **{**AREAS, "lower": [2, 1, 2]}),
        "limits that do not hold their value: do: check the order of the columns",
    ),
    (two("inequality", **AREAS, scale="log"), "a value or limit outside the log scale: allowed: above 0"),
    (
        two("inequality", **AREAS, scale="logit", multiplier=2),
        "a value or limit outside the logit scale: allowed: above 0 and below the multiplier",
    ),
    (two("inequality", **AREAS, scale="root"), "unknown scale: got root; allowed: plain, log, logit"),
    (two("inequality", **AREAS, interval="guess"), "unknown interval: got guess; allowed: delta, simulated"),
]


@pytest.mark.parametrize(("call", "sentence"), SENTENCES, ids=[sentence[:60] for _, sentence in SENTENCES])
def test_what_is_refused_is_said_in_these_words(call, sentence):
    assert refused(call) == sentence


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.1, math.nan, "0.95", True, None])
@pytest.mark.parametrize(
    "call",
    [
        two("proportion", count=[1], total=[10]),
        two("rate", count=[1], population=[10]),
        two("ratio_to_expected", count=[1], expected=[10]),
        two("standardised_rate", **GROUP, standard=BANDS),
        two("standardised_rate", **GROUP, standard=BANDS, method="fay-feuer"),
        two("standardised_ratio", **GROUP, reference=REFERENCE),
        two("funnel_limits", size=[10], benchmark=0.5),
        two("proportion_difference", count=[1], total=[10], other_count=[1], other_total=[10]),
        two("proportion_ratio", count=[1], total=[10], other_count=[1], other_total=[10]),
        two("inequality", **AREAS),
    ],
    ids=lambda call: call[0].__name__,
)
def test_a_confidence_outside_0_and_1_is_refused_everywhere(call, confidence):
    function, given = call
    with pytest.raises(StatisticsError) as caught:
        function(**given, confidence=confidence)
    said = f"confidence out of range: got {confidence!r}; allowed: between 0 and 1; do: give 0.95"
    assert str(caught.value) == said.replace("got None; ", "")


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_frames_are_refused_in_these_words(kind):
    frame = kind({"n": [1], "totals": [2], "word": ["one"], "value": [5.0]})
    with pytest.raises(UsageError) as caught:
        rates.proportion(frame, count="n", total="total")
    assert str(caught.value) == "unknown column: got total; allowed: n, totals, value, word; do: try totals"
    with pytest.raises(
        StatisticsError,
        match=r"^a column of that name stands in the frame already: got value; do: re",
    ):
        rates.proportion(frame, count="n", total="totals")
    with pytest.raises(
        StatisticsError, match=r"^a column that is not of numbers: got word \(String\); do: cast it first$"
    ):
        rates.proportion(frame, count="word", total="totals")
    with pytest.raises(
        StatisticsError, match=r"^a column that is not of numbers: got word \(Boolean\); do: cast it first$"
    ):
        rates.proportion(kind({"word": [True], "n": [1]}), count="word", total="n")


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_numbers_in_the_place_of_a_columns_name_are_refused_and_not_shown(kind):
    frame = kind({"n": [71, 72], "d": [100, 100]})
    said = "with a frame, a column is given by its name, which is text: got {}; do: give the name, or leave the frame "
    for given, named in ((frame["n"], "Series"), ([71, 72], "list"), (0, "int")):
        with pytest.raises(StatisticsError) as caught:
            rates.proportion(frame, count=given, total="d")
        assert str(caught.value) == said.format(named) + "out and give arrays"


def test_something_that_is_no_eager_frame_is_refused():
    sentence = "not a frame: got {}; allowed: a pandas or polars DataFrame; do: {}"
    made = "make it one (of DuckDB .pl() or .df()), or leave it out and give arrays by name"
    for given, named, do in (
        ([1, 2], "list", made),
        (duckdb.sql("SELECT 1 AS n, 2 AS d"), "DuckDBPyRelation", made),
        (pl.LazyFrame({"n": [1], "d": [2]}), "LazyFrame", "collect it first"),
    ):
        with pytest.raises(StatisticsError) as caught:
            rates.rate(given, count="n", population="d")
        assert str(caught.value) == sentence.format(named, do)


def test_a_name_that_stands_twice_is_refused():
    frame = pd.DataFrame([[1, 2, 3]], columns=["n", "d", "n"])
    with pytest.raises(
        StatisticsError, match=r"^a column name that stands twice in the frame: do: rename one$"
    ):
        rates.proportion(frame, count="n", total="d")


def test_a_band_with_two_weights_is_refused():
    frame = pl.DataFrame(
        {"a": [1, 1, 2, 2], "age": ["y", "o"] * 2, "n": [9] * 4, "p": [99] * 4, "w": [1, 2, 1, 3]}
    )
    with pytest.raises(
        StatisticsError, match=r"^an age band with two weights: got o; do: give each band one weight$"
    ):
        rates.standardised_rate(frame, count="n", population="p", age="age", standard="w", by=["a"])
