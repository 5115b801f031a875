"""Intervals against numbers worked out outside: R packages, and the workbook figures of UKHSA's methods."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ncdsurv.indicators.rates import poisson_limits, proportion, rate, standardised_rate, wilson_limits

FOLDER = Path(__file__).parent / "intervals"

# UKHSA PHEindicatormethods 2.1.0, its published test workbook (numbers only): proportions in percent.
WILSON_PERCENT = [
    (0, 10, 0, 27.75328),
    (5, 10, 23.659309, 76.340691),
    (10, 10, 72.24672, 100),
    (65, 100, 55.254443, 73.635752),
    (1, 350, 0.050453, 1.600416),
    (139, 350, 34.726442, 44.925462),
]
POISSON_COUNT = [
    (0, 0, 3.688879),
    (1, 0.025318, 5.571643),
    (5, 1.623486, 11.668332),
    (9, 4.115373, 17.084803),
    (10, 4.787450, 18.391459),
    (20, 12.211429, 30.889880),
    (65, 50.163188, 82.849139),
    (100, 81.362105, 121.627938),
    (1045, 982.593202, 1110.331213),
]


def r_table(name: str) -> pl.DataFrame:
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    assert lines[0].startswith("# R version"), "the header names R and its packages"
    return pl.read_csv(FOLDER / name, comment_prefix="#", schema_overrides={"x": pl.Float64, "n": pl.Float64})


def test_wilson_limits_equal_those_of_epitools_and_epir():
    table = r_table("wilson.csv")
    lower, upper = wilson_limits(table["x"], table["n"])
    np.testing.assert_allclose(lower, table["lower"], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(upper, table["upper"], rtol=1e-12)
    np.testing.assert_allclose(lower, table["epir_lower"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(upper, table["epir_upper"], rtol=1e-9)


def test_wilson_limits_at_998_per_mille_equal_those_of_epitools():
    table = r_table("wilson.csv")
    lower, upper = wilson_limits(table["x"], table["n"], confidence=0.998)
    np.testing.assert_allclose(lower, table["lower998"], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(upper, table["upper998"], rtol=1e-12)


def test_poisson_limits_below_ten_are_the_exact_ones_of_r():
    table = r_table("poisson_exact.csv")
    for confidence, suffix in ((0.95, ""), (0.998, "998")):
        lower, upper = poisson_limits(table["x"], confidence)
        np.testing.assert_allclose(lower, table[f"lower{suffix}"], rtol=1e-10)
        np.testing.assert_allclose(upper, table[f"upper{suffix}"], rtol=1e-10)


def test_poisson_limits_from_ten_on_are_byars_and_close_to_the_exact_ones():
    table = r_table("byar.csv")
    lower, upper = poisson_limits(table["x"])
    np.testing.assert_allclose(lower, table["lower"], rtol=1e-12)
    np.testing.assert_allclose(upper, table["upper"], rtol=1e-12)
    np.testing.assert_allclose(lower, table["exact_lower"], rtol=2e-3)
    np.testing.assert_allclose(upper, table["exact_upper"], rtol=2e-3)


def test_standardised_rate_equals_epitools_and_dobsons_limits():
    given, want = r_table("standardised_input.csv"), r_table("standardised.csv").row(0, named=True)
    frame = given.with_columns(area=pl.lit("a"), age=pl.int_range(pl.len()).cast(pl.String))
    chosen = {
        "by": ["area"],
        "age": "age",
        "count": "count",
        "population": "population",
        "standard": "weight",
    }
    found = standardised_rate(frame, **chosen).row(0, named=True)
    assert found["events"] == want["events"]
    for name, wanted in (("value", "rate"), ("lower", "lower"), ("upper", "upper")):
        assert found[name] == pytest.approx(want[wanted], rel=1e-12)


def test_gamma_limits_of_fay_and_feuer_equal_those_of_epitools():
    given, want = r_table("standardised_input.csv"), r_table("standardised.csv").row(0, named=True)
    ages = [f"band {number}" for number in range(given.height)]
    found = standardised_rate(
        count=given["count"][::-1],
        population=given["population"][::-1],
        age=ages[::-1],
        standard=dict(zip(ages, given["weight"], strict=True)),
        method="fay-feuer",
    )
    wanted = (want["rate"], want["gamma_lower"], want["gamma_upper"])
    assert [float(figure) for figure in found[:3]] == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize(("count", "total", "lower", "upper"), WILSON_PERCENT)
def test_proportion_equals_the_ukhsa_workbook(count, total, lower, upper):
    row = proportion(pl.DataFrame({"n": [count], "d": [total]}), count="n", total="d").row(0, named=True)
    assert (row["lower"], row["upper"]) == pytest.approx((lower, upper), abs=5e-6)


@pytest.mark.parametrize(("count", "lower", "upper"), POISSON_COUNT)
def test_rate_equals_the_ukhsa_workbook(count, lower, upper):
    row = rate(pl.DataFrame({"n": [count], "p": [1000]}), count="n", population="p", per=1000).row(
        0, named=True
    )
    assert (row["lower"], row["upper"]) == pytest.approx((lower, upper), abs=5e-7 * max(1.0, upper))


def test_who_world_standard_reproduces_the_printed_total_and_is_normalised():
    """The printed percentages sum to 100.035; SEER's integer million of the same standard is the check."""
    from ncdsurv.catalog import load_catalog
    from ncdsurv.indicators.standard import band_weights

    catalog = load_catalog()
    standard = catalog.standard_population
    assert sum(standard.weights) == pytest.approx(100.035)
    million = [
        88569,
        86870,
        85970,
        84670,
        82171,
        79272,
        76073,
        71475,
        65877,
        60379,
        53681,
        45484,
        37187,
        29590,
    ]
    million += [22092, 15195, 9097, 4398, 1500, 400, 50]
    ours = [1e6 * weight / sum(standard.weights) for weight in standard.weights]
    np.testing.assert_allclose(ours, million, atol=1.0)
    weights = band_weights(standard, catalog.age_bands)
    over_40 = sum(weight for band, weight in weights.items() if int(band.split("-")[0].rstrip("+")) >= 40)
    assert 1e6 * over_40 == pytest.approx(sum(million[8:]), abs=10)
