"""Classes of a map: the printed limits are the limits used."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ncdsurv.errors import UsageError
from ncdsurv.maps.classify import classify

shares = st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=60)


@settings(deadline=None)
@given(values=shares, k=st.integers(2, 7), scheme=st.sampled_from(["quantile", "natural"]))
def test_every_value_lies_in_the_class_whose_limits_are_printed(values: list[float], k: int, scheme: str):
    array = np.array(values)
    classes = classify(array, scheme, k)
    place = classes.place(array)
    assert place.min() >= 0
    assert place.max() < classes.k <= k
    edges = np.array(classes.edges)
    assert np.all(edges[place] <= array)
    assert np.all(array <= edges[place + 1])
    inner = place < classes.k - 1
    assert np.all(array[inner] < edges[place + 1][inner])
    assert np.all(np.diff(edges) >= 0)


@settings(deadline=None)
@given(values=st.lists(st.integers(0, 1000), min_size=2, max_size=60), k=st.integers(2, 6))
def test_quantile_classes_are_those_of_mapclassify(values: list[int], k: int):
    import mapclassify  # compiles itself for seconds: not in every process that collects the tests

    array = np.sort(np.array(values, dtype=float))
    assume(len(np.unique(array)) >= k)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bins = np.unique(mapclassify.Quantiles(array, k=k).bins)
    theirs = np.unique(np.searchsorted(bins, array), return_inverse=True)[1]
    np.testing.assert_array_equal(classify(array, "quantile", k).place(array), theirs)


def test_a_gap_is_found_by_natural_breaks():
    classes = classify(np.array([10.0, 11, 12, 60, 61, 62]), "natural", 2)
    assert classes.edges == (10.0, 60.0, 62.0)
    assert classes.label(0, "en") == "10 – <60"
    assert classes.label(1, "en") == "60 – 62"


def test_missing_values_are_in_no_class():
    array = np.array([1.0, np.nan, 3.0])
    assert classify(array, "quantile", 2).place(array).tolist() == [0, -1, 1]


def test_as_many_decimals_as_tell_the_classes_apart():
    classes = classify(np.array([50.11, 50.12, 50.48, 50.52]), "quantile", 2)
    assert classes.decimals == 1
    assert classes.label(1, "vi") == "50,4 – 50,6"


def test_thousands_of_values_still_get_limits_of_one_decimal():
    array = np.random.default_rng(2).uniform(20, 80, 3000)
    classes = classify(array, "quantile", 5)
    assert classes.decimals == 1
    assert all(round(edge, 1) == edge for edge in classes.edges)
    counts = np.bincount(classes.place(array))
    assert counts.sum() == 3000
    assert np.all(np.abs(counts - 600) < 10)


def test_one_value_makes_one_class():
    assert classify(np.array([42.0, 42.0]), "quantile", 5).label(0, "vi") == "42"


@pytest.mark.parametrize(("polarity", "inner"), [("high_good", (25, 37.5, 50)), ("low_good", (50, 62.5, 75))])
def test_a_target_makes_fixed_steps_and_reaching_it_is_the_last_good_one(
    polarity: str, inner: tuple[float, ...]
):
    classes = classify(np.array([49.9, 50.0, 80.0]), "target", 5, target=50.0, polarity=polarity)
    assert classes.edges[1:-1] == inner
    place = classes.place(np.array([49.9, 50.0]))
    assert place[0] < place[1]


@pytest.mark.parametrize(
    ("scheme", "k", "values", "words"),
    [
        ("quantiles", 5, [1.0], "try quantile"),
        ("quantile", 9, [1.0], "2 to 7"),
        ("quantile", 5, [np.nan], "no value"),
        ("target", 5, [1.0], "no target"),
    ],
)
def test_what_cannot_be_classed_is_refused(scheme: str, k: int, values: list[float], words: str):
    with pytest.raises(UsageError, match=words):
        classify(np.array(values), scheme, k)
