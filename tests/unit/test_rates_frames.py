"""The rate functions over frames and arrays: the same kind comes back, originals untouched, null never 0."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ncdsurv.indicators import rates

FIGURES = ["value", "lower", "upper", "method", "confidence"]
KINDS = pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
ROWS = {"n": [65, 3, 0], "d": [100, 40, 0], "m": [10, 5, 5], "k": [50, 50, 50], "ref": [60.0, 10.0, 5.0]}
ROWWISE = [
    (rates.proportion, {"count": "n", "total": "d"}),
    (rates.rate, {"count": "n", "population": "d"}),
    (rates.ratio_to_expected, {"count": "n", "expected": "d"}),
    (rates.proportion_difference, {"count": "n", "total": "d", "other_count": "m", "other_total": "k"}),
    (rates.proportion_ratio, {"count": "n", "total": "d", "other_count": "m", "other_total": "k"}),
]


def values(frame, name: str) -> list:
    return [None if pd.isna(value) else value for value in frame[name].to_list()]


@KINDS
@pytest.mark.parametrize(("function", "columns"), ROWWISE, ids=lambda part: getattr(part, "__name__", ""))
def test_frames_keep_their_kind_columns_and_order_and_gain_five(kind, function, columns):
    given = kind(ROWS)
    before = given.copy() if kind is pd.DataFrame else given.clone()
    found = function(given, **columns)
    assert type(found) is kind
    assert list(found.columns) == [*ROWS, *FIGURES]
    assert given.equals(before), "the caller's frame is not changed"
    assert found[list(ROWS)].equals(before)
    assert values(found, "value")[2] is None, "an empty denominator is null, never 0"
    assert values(found, "lower")[2] is values(found, "upper")[2] is values(found, "method")[2] is None
    arrays = function(**{role: ROWS[name] for role, name in columns.items()})
    assert isinstance(arrays, rates.Figures)
    for figure, name in zip(arrays[:3], FIGURES, strict=False):
        assert figure.dtype == np.float64
        np.testing.assert_array_equal(figure[:2], values(found, name)[:2])
    assert arrays.method.tolist()[:2] == values(found, "method")[:2]
    assert set(found["confidence"]) == {0.95}


def test_a_pandas_index_stays_even_where_it_repeats():
    given = pd.DataFrame(ROWS, index=pd.Index(["x", "y", "x"], name="commune"))
    for function, columns in ROWWISE:
        found = function(given, **columns)
        assert found.index.equals(given.index)
        assert found.index.name == "commune"
    funnel = rates.funnel_proportions(given, count="n", total="d")
    assert funnel.index.equals(given.index)
    compared = rates.compare(given, count="n", total="d", reference="ref")
    assert compared.index.equals(given.index)
    assert compared["comparison_95"].tolist()[:2] == ["similar", "similar"]


@KINDS
def test_a_missing_number_gives_null(kind):
    found = rates.proportion(kind({"n": [1, None, 4], "d": [10, 10, None]}), count="n", total="d")
    assert values(found, "value") == [10.0, None, None]
    assert values(rates.rate(kind({"n": [None], "d": [10.0]}), count="n", population="d"), "method") == [None]


def test_nullable_pandas_columns_series_and_empty_frames_are_read():
    given = pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "d": pd.array([4, 4], dtype="Int64")})
    found = rates.proportion(given, count="n", total="d")
    assert values(found, "value") == [25.0, None]
    assert found["n"].dtype == "Int64"
    assert rates.proportion(count=pd.Series([1]), total=pl.Series([4])).value.tolist() == [25.0]
    assert rates.rate(pl.DataFrame(ROWS).head(0), count="n", population="d").columns == [*ROWS, *FIGURES]
    assert float(rates.proportion(count=1, total=4).value) == 25.0


NULLABLE = {
    "masked integers": lambda: pd.DataFrame(
        {name: pd.array([*ROWS[name], None], "Int64") for name in ("n", "d")}
    ),
    "masked floats": lambda: pd.DataFrame(
        {name: pd.array([*ROWS[name], None], "Float64") for name in ("n", "d")}
    ),
    "arrow": lambda: pd.DataFrame(
        {name: pd.array([*ROWS[name], None], "int64[pyarrow]") for name in ("n", "d")}
    ),
    "objects": lambda: pd.DataFrame({name: [*ROWS[name], None] for name in ("n", "d")}, dtype=object),
    "objects with NA": lambda: pd.DataFrame(
        {name: [*ROWS[name], pd.NA] for name in ("n", "d")}, dtype=object
    ),
    "polars": lambda: pl.DataFrame({name: [*ROWS[name], None] for name in ("n", "d")}),
    "small integers": lambda: pl.DataFrame(
        {"n": [65, 3, 0, None], "d": [100, 40, 0, None]}, schema_overrides={"n": pl.UInt8}
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("made", NULLABLE.values(), ids=NULLABLE)
def test_every_dtype_that_holds_a_missing_number_gives_the_same_figures(made):
    given = made()
    found = rates.proportion(given, count="n", total="d")
    assert type(found) is type(given)
    assert [str(kind) for kind in found[["n", "d"]].dtypes] == [str(kind) for kind in given.dtypes]
    plain = rates.proportion(count=[65, 3], total=[100, 40])
    for name, wanted in zip(FIGURES, plain[:3], strict=False):
        assert values(found, name) == [*wanted.tolist(), None, None]
    assert values(found, "method") == ["Wilson", "Wilson", None, None]
    lists = rates.rate(count=values(given, "n"), population=values(given, "d"))
    np.testing.assert_array_equal(lists.value[:2], [65_000, 7_500])
    assert np.isnan(lists.value[2:]).all()


def test_numbers_of_numpy_serve_as_a_confidence_a_multiplier_or_a_scale():
    plain = rates.rate(count=[20], population=[1000], per=1000, confidence=0.5)
    for per, confidence in ((np.int64(1000), np.float64(0.5)), (np.float32(1000), np.float32(0.5))):
        found = rates.rate(count=[20], population=[1000], per=per, confidence=confidence)
        assert [figure.tolist() for figure in found[:3]] == [figure.tolist() for figure in plain[:3]]


@KINDS
def test_areas_without_a_parent_are_compared_with_nothing_and_not_with_one_another(kind):
    given = kind({"n": [10, 30, 50, 90], "d": [100] * 4, "parent": ["a", "a", None, None]})
    found = rates.compare(given, count="n", total="d", parent="parent", polarity="high_good")
    assert values(found, "reference") == [20.0, 20.0, None, None]
    assert values(found, "comparison_95") == ["lower", "higher", None, None]
    assert values(found, "judgement_95") == ["worse", "better", None, None]
    arrays = rates.compare(count=[10, 30, 50], total=[100] * 3, parent=["a", "a", float("nan")])
    assert arrays["reference"].tolist()[:2] == [20.0, 20.0]
    assert np.isnan(arrays["reference"][2])


@KINDS
def test_a_group_without_a_name_stands_first_and_rows_are_numbered_anew(kind):
    part = {"age": ["y", "o"] * 2, "n": [20, 20, 30, 30], "p": [100] * 4}
    given = kind({"area": ["a", "a", None, None], **part})
    found = rates.standardised_rate(
        given, by="area", count="n", population="p", age="age", standard={"y": 1, "o": 1}, per=100
    )
    assert values(found, "area") == [None, "a"]
    assert values(found, "value") == pytest.approx([30.0, 20.0])
    slopes = {"v": [40.0, 45, 55, 1, 2, 3], "q": [1] * 6, "r": [1, 2, 3] * 2, "l": [38.0, 43, 53, 0, 1, 2]}
    areas = kind({"area": ["a"] * 3 + [None] * 3, **slopes, "u": [42.0, 47, 57, 2, 3, 4]})
    index = rates.inequality(areas, by="area", value="v", population="q", rank="r", lower="l", upper="u")
    assert values(index, "area") == [None] * 4 + ["a"] * 4
    assert values(index, "value")[:1] == pytest.approx([3.0])
    for frame in (found, index):
        if kind is pd.DataFrame:
            assert frame.index.tolist() == list(range(len(frame)))


def test_without_an_event_dobson_has_no_limits_and_the_gamma_method_has():
    arrays = {"count": [0, 0], "population": [1000, 500], "age": ["y", "o"], "standard": {"y": 1, "o": 1}}
    dobson = rates.standardised_rate(**arrays, fewest_events=0)
    assert (float(dobson.value), str(dobson.method)) == (0.0, "no limits: no events")
    assert np.isnan([dobson.lower, dobson.upper]).all()
    gamma = rates.standardised_rate(**arrays, fewest_events=0, method="fay-feuer")
    # One unseen event in the band of the largest weight per person: -ln(0.025) x 0.5 / 500.
    assert float(gamma.upper) == pytest.approx(-np.log(0.025) * 0.5 / 500 * 1e5)
    assert (float(gamma.lower), str(gamma.method)) == (0.0, "Fay-Feuer")


@KINDS
def test_standardised_groups_come_back_as_the_same_kind_sorted_with_their_reason_when_withheld(kind):
    table = {
        "area": ["b", "b", "a", "a"],
        "age": ["old", "young", "young", "old"],
        "n": [3, 4, 20, 60],
        "p": [500, 1000, 1000, 500],
        "w": [1.0, 3.0, 3.0, 1.0],
    }
    columns = {"by": ["area"], "age": "age", "count": "n", "population": "p"}
    for standard in ({"old": 10, "young": 30}, "w"):
        found = rates.standardised_rate(kind(table), standard=standard, per=100, **columns)
        assert type(found) is kind
        assert list(found.columns) == ["area", "events", "population", *FIGURES]
        assert values(found, "area") == ["a", "b"]
        assert values(found, "value") == [pytest.approx(100 * (0.75 * 0.02 + 0.25 * 0.12)), None]
        assert values(found, "method") == ["Dobson", "withheld: fewer than 10 events"]
    one = rates.standardised_rate(kind(table), standard="w", per=100, **{**columns, "by": "area"})
    assert one.equals(found), "one column may stand alone"
    reference = {"young": (10, 1000), "old": (30, 500)}
    ratio = rates.standardised_ratio(kind(table), reference=reference, **columns)
    assert type(ratio) is kind
    assert values(ratio, "expected") == pytest.approx([40.0, 40.0])
    assert values(ratio, "value") == pytest.approx([200.0, 17.5])
    assert values(ratio, "method") == ["Byar", "exact Poisson"]


def test_the_order_of_age_bands_and_of_the_standard_does_not_matter():
    ages, count, people = ["0-39", "40-59", "60+"], [5, 20, 30], [4000, 2000, 900]
    standard = {"60+": 2, "0-39": 5, "40-59": 3}
    first = rates.standardised_rate(count=count, population=people, age=ages, standard=standard)
    turned = rates.standardised_rate(
        count=count[::-1], population=people[::-1], age=ages[::-1], standard=standard
    )
    assert float(first.value) == pytest.approx(float(turned.value))
    assert float(first.value) == pytest.approx(1e5 * (0.5 * 5 / 4000 + 0.3 * 20 / 2000 + 0.2 * 30 / 900))


def test_gamma_limits_are_given_below_ten_events_only_when_asked():
    arrays = {"count": [2, 3], "population": [1000, 500], "age": ["y", "o"], "standard": {"y": 1, "o": 1}}
    withheld = rates.standardised_rate(**arrays, method="fay-feuer")
    assert np.isnan(withheld.value)
    asked = rates.standardised_rate(**arrays, method="fay-feuer", fewest_events=5)
    assert 0 < float(asked.lower) < float(asked.value) < float(asked.upper)


def test_world_weights_follow_the_names_given():
    weights = rates.world_standard(["80+", "40-79"])
    assert list(weights) == ["80+", "40-79"]
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["80+"] < weights["40-79"]


@KINDS
def test_funnels_say_where_an_area_lies_and_how_wide_they_were_made(kind):
    given = kind({"n": [30, 50, 75, 44, 0], "d": [100, 100, 100, 100, 0]})
    columns = [
        *["n", "d", "value", "benchmark", "lower_95", "upper_95", "lower_998", "upper_998"],
        "position",
    ]
    found = rates.funnel_proportions(given, count="n", total="d")
    assert type(found) is kind
    assert list(found.columns) == [*columns, "dispersion", "method"]
    assert values(found, "position") == ["below 99.8", "within", "above 99.8", "within", None]
    assert values(found, "value")[4] is values(found, "upper_95")[4] is values(found, "dispersion")[0] is None
    assert values(found, "benchmark")[0] == pytest.approx(49.75)
    for way in ("multiplicative", "additive"):
        wider = rates.funnel_proportions(given, count="n", total="d", overdispersion=way)
        assert not {"below 99.8", "above 99.8"} & set(values(wider, "position")), (
            "chance explains less than it did"
        )
        assert values(wider, "upper_95")[0] > values(found, "upper_95")[0]
        assert values(wider, "method")[0] == f"normal, {way} over-dispersion"


def test_comparison_with_the_parent_uses_all_its_areas_and_turns_polarity_only_where_told():
    given = pl.DataFrame(
        {
            "area": ["a", "b", "c", "d"],
            "parent": ["p", "p", "q", "q"],
            "n": [200, 400, 30, 30],
            "d": [1000, 1000, 100, 100],
        }
    )
    found = rates.compare(given, count="n", total="d", parent="parent", polarity="low_good")
    assert found["reference"].to_list() == pytest.approx([30.0, 30.0, 30.0, 30.0])
    assert found["comparison_998"].to_list() == ["lower", "higher", "similar", "similar"]
    assert found["judgement_95"].to_list() == ["better", "worse", "similar", "similar"]
    assert set(found["comparison_method"]) == {"interval of the area against the value of the parent area"}
    silent = rates.compare(given, count="n", total="d", parent="parent")
    assert silent["judgement_95"].null_count() == silent["judgement_998"].null_count() == 4
    target = rates.compare(count=[200], total=[1000], reference=22.5, polarity="high_good")
    assert (target["comparison_95"][0], target["comparison_998"][0]) == ("similar", "similar")
    near = rates.compare(count=[200], total=[1000], reference=22.8, polarity="high_good")
    assert (near["judgement_95"][0], near["judgement_998"][0]) == ("worse", "similar"), (
        "95 % is met before 99.8 %"
    )
    assert set(target["comparison_method"].split()) >= {"target", "interval"}


@pytest.mark.parametrize(("statistic", "method"), [("rate", "Byar"), ("ratio", "Byar")])
def test_rates_and_ratios_are_compared_with_poisson_limits(statistic, method):
    found = rates.compare(count=[50], total=[100.0], reference=100, statistic=statistic, multiplier=100)
    assert found["method"].tolist() == [method]
    assert found["comparison_998"].tolist() == ["lower"]


@KINDS
def test_inequality_of_groups_has_four_rows_each_and_says_its_method(kind):
    part = {
        "value": [40.0, 45, 55],
        "people": [100, 200, 100],
        "rank": [1, 2, 3],
        "low": [38.0, 43, 53],
        "up": [42.0, 47, 57],
    }
    table = {"period": ["2025"] * 3 + ["2024"] * 3, **{name: column * 2 for name, column in part.items()}}
    columns = {"value": "value", "population": "people", "rank": "rank", "lower": "low", "upper": "up"}
    found = rates.inequality(kind(table), by=["period"], polarity="low_good", **columns)
    assert type(found) is kind
    assert list(found.columns) == ["period", "statistic", *FIGURES]
    assert values(found, "period") == ["2024"] * 4 + ["2025"] * 4
    assert values(found, "statistic")[:4] == ["slope_index", "relative_index", "gap", "ratio"]
    assert values(found, "value")[:4] == pytest.approx([20.0, 56.25 / 36.25, -15.0, 40 / 55])
    assert values(found, "lower")[2] is None
    assert values(found, "method")[0] == "weighted regression (plain), delta"
    assert "chosen after looking" in values(found, "method")[2]
    whole = rates.inequality(kind(part), interval="simulated", **columns)
    again = rates.inequality(kind(part), interval="simulated", **columns)
    assert values(whole, "lower") == values(again, "lower"), "the seed is fixed"
    assert "seed 20260101" in values(whole, "method")[0]


def test_a_line_that_falls_to_zero_has_no_relative_index():
    found = rates.inequality(
        value=[9, 5, 0.5], population=[1, 1, 1], rank=[1, 2, 3], lower=[8, 4, 0.4], upper=[10, 6, 0.6]
    )
    assert np.isnan(found["relative_index"].value)
    assert str(found["relative_index"].method) == "not defined: the fitted line falls to 0"
    zero = rates.inequality(
        value=[9, 5, 0], population=[1, 1, 1], rank=[1, 2, 3], lower=[8, 4, 0], upper=[10, 6, 0]
    )
    assert np.isnan(zero["ratio"].value), "nothing is divided by 0"


def test_a_million_shares_take_well_under_a_second():
    total = np.random.default_rng(1).integers(1, 500, 1_000_000)
    count = total // 3
    rates.proportion(count=count[:10], total=total[:10])
    began = time.process_time()
    found = rates.proportion(count=count, total=total)
    assert time.process_time() - began < 1.0
    assert found.value.shape == (1_000_000,)


def test_no_group_may_be_said_in_three_ways():
    given = pl.DataFrame({"age": ["y", "o"], "n": [20, 20], "p": [100, 100]})
    arguments = {"count": "n", "population": "p", "age": "age", "standard": {"y": 1, "o": 1}}
    alone = rates.standardised_rate(given, **arguments)
    for by in (None, (), []):
        assert rates.standardised_rate(given, by=by, **arguments).equals(alone)
