"""Rates of what notebooks hold besides plain columns: masks, categories, settings as text, names without an order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from ncdsurv.errors import StatisticsError
from ncdsurv.indicators import rates

BY_AGE = pd.DataFrame(
    {"p": ["z", "z", "a", "a"], "age": ["y", "o"] * 2, "n": [9, 8, 7, 6], "people": [90] * 4}
)
AREAS = pd.DataFrame(
    {
        "p": ["z"] * 3 + ["a"] * 3,
        "v": [4.0, 5, 6] * 2,
        "rank": [1, 2, 3] * 2,
        "low": [3, 4, 5] * 2,
        "high": [5, 6, 7] * 2,
    }
).assign(people=[10] * 6)
STANDARD = {"y": 3, "o": 1}


def standardised(frame: pd.DataFrame, **other):
    given = {"count": "n", "population": "people", "age": "age", "by": "p", **other}
    return rates.standardised_rate(frame, standard=STANDARD, **given)


def unequal(frame: pd.DataFrame, **other):
    roles = {"value": "v", "population": "people", "rank": "rank", "lower": "low", "upper": "high", "by": "p"}
    return rates.inequality(frame, **{**roles, **other})


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float64, object])
def test_what_a_mask_hides_is_null_and_not_a_number(dtype):
    masked = np.ma.array(np.array([5, 3], dtype=dtype), mask=[False, True])
    found = rates.proportion(count=masked, total=[10, 10])
    assert found.value[0] == 50
    assert np.isnan([found.value[1], found.lower[1], found.upper[1]]).all()
    assert found.method.tolist() == ["Wilson", ""]


def test_groups_stand_in_the_order_of_their_categories_whatever_is_computed():
    of = pd.CategoricalDtype(["z", "a", "never"])
    found = [standardised(BY_AGE.astype({"p": of})), unequal(AREAS.astype({"p": of}))]
    assert [list(dict.fromkeys(each["p"])) for each in found] == [["z", "a"]] * 2
    plain = [standardised(BY_AGE), unequal(AREAS)]
    assert [list(dict.fromkeys(each["p"])) for each in plain] == [["a", "z"]] * 2


def test_a_pyarrow_table_comes_back_as_one():
    found = unequal(pa.Table.from_pandas(AREAS))
    assert isinstance(found, pa.Table)
    assert found["p"].to_pylist() == ["a"] * 4 + ["z"] * 4
    assert standardised(pa.Table.from_pandas(BY_AGE))["p"].to_pylist() == ["a", "z"]


@pytest.mark.parametrize("names", [["z", "z", 1, 1], [["z"], ["z"], ["a"], ["a"]]], ids=["kinds", "lists"])
def test_names_of_groups_without_an_order_are_refused_in_words(names):
    sentence = (
        "names of groups that cannot be put in order: got p; allowed: one kind of name in a column; do: cast it to "
        "text first"
    )
    with pytest.raises(StatisticsError) as caught:
        standardised(BY_AGE.assign(p=pd.Series(names, dtype=object)))
    assert str(caught.value) == sentence
    with pytest.raises(StatisticsError) as caught:
        unequal(AREAS.assign(p=pd.Series([*names, *names[:2]], dtype=object)))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: rates.proportion(count=[1], total=[2], confidence="0.95"),
            "confidence out of range: got '0.95'; allowed: between 0 and 1; do: give 0.95",
        ),
        (
            lambda: rates.proportion(count=[1], total=[2], multiplier="100"),
            "multiplier out of range: got '100'; allowed: a number above 0",
        ),
        (
            lambda: standardised(BY_AGE, fewest_events="5"),
            "fewest_events out of range: got '5'; allowed: 0 or more",
        ),
        (
            lambda: unequal(AREAS, seed=1.5),
            "seed out of range: got float; allowed: a whole number, 0 or more",
        ),
        (
            lambda: rates.funnel_limits([9], 0.5, phi=-1),
            "phi out of range: got -1; allowed: a number above 0",
        ),
        (
            lambda: rates.funnel_limits([9], 0.5, tau2=float("nan")),
            "tau2 out of range: got nan; allowed: 0 or more",
        ),
        # These two areas differ by less than chance: the additive variance is 0, and the error must not wait for it.
        (
            lambda: rates.funnel_rates(
                count=[1, 1], population=[9, 9], method="exact", overdispersion="additive"
            ),
            "exact limits with over-dispersion: allowed: the normal method",
        ),
        (
            lambda: rates.standardised_ratio(
                count=[5, 1], population=[0, 9], age=["y", "o"], reference={"y": (1, 9), "o": (1, 9)}
            ),
            "events in an empty population: got 1 row; do: check the population",
        ),
        (
            lambda: rates.standardised_ratio(
                count=[5, 1], population=[9, 9], age=["y", "o"], reference={"y": (np.inf, 9), "o": (1, 9)}
            ),
            "a reference band of infinite numbers: do: check the reference population",
        ),
        (lambda: rates.winsorised(["a"]), "a z-score that is no number: do: give a column of numbers"),
    ],
)
def test_what_cannot_be_computed_is_said_in_these_words(call, sentence):
    with pytest.raises(StatisticsError) as caught:
        call()
    assert str(caught.value) == sentence


def test_scores_that_are_missing_do_not_empty_the_others():
    found = rates.winsorised(np.array([-9.0, 0.0, np.nan, 0.5, 1.0, 9.0]), 0.25)
    assert found[[0, 1, 3, 4, 5]].tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert np.isnan(found[2])
    assert rates.winsorised([]).size == 0


def test_a_polars_frame_of_categories_is_read_as_its_words():
    frame = pl.DataFrame(BY_AGE).with_columns(pl.col("p", "age").cast(pl.Categorical))
    assert standardised(frame)["p"].cast(pl.String).to_list() == ["a", "z"]
