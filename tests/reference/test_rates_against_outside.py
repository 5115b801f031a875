"""Standardisation, funnels, dispersion, inequality and contrasts against R packages and UKHSA's test numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ncdsurv.indicators import rates

FOLDER = Path(__file__).parent / "intervals"
LIMITS = ("lower", "upper")


def table(name: str, origin: str = "# R version") -> pl.DataFrame:
    path = FOLDER / name
    assert path.read_text("utf-8").startswith(origin), "the header names where the numbers come from"
    return pl.read_csv(path, comment_prefix="#", null_values="NA")


def ukhsa(name: str) -> pl.DataFrame:
    return table(name, "# UKHSA PHEindicatormethods 2.1.0")


def by_age(given: pl.DataFrame, *columns: str) -> dict:
    return {row["age"]: tuple(row[name] for name in columns) for row in given.iter_rows(named=True)}


# R


def test_direct_rate_and_its_spread_equal_those_of_popepi():
    given, want = table("indirect_input.csv"), table("indirect.csv").row(0, named=True)
    standard = dict(given.select("age", "weight").iter_rows())
    found = rates.standardised_rate(
        given, count="count", population="population", age="age", standard=standard
    ).row(0, named=True)
    assert found["value"] == pytest.approx(want["direct_rate"], rel=1e-12)
    events = found["events"]
    _, high = rates.poisson_limits(events)
    spread = (found["upper"] - found["value"]) / (float(high) - events) * events**0.5
    assert spread == pytest.approx(want["direct_se"], rel=1e-10)


def test_indirect_ratio_and_rate_equal_those_of_epitools():
    given, want = table("indirect_input.csv"), table("indirect.csv").row(0, named=True)
    columns = {"count": "count", "population": "population", "age": "age"}
    reference = by_age(given, "std_count", "std_population")
    ratio = rates.standardised_ratio(given.reverse(), **columns, reference=reference, multiplier=1)
    found = ratio.row(0, named=True)
    assert found["expected"] == pytest.approx(want["expected"], rel=1e-12)
    for ours, theirs in (("value", "ratio"), ("lower", "lower"), ("upper", "upper")):
        assert found[ours] == pytest.approx(want[theirs], rel=1e-12)
    for limit in LIMITS:  # Byar's approximation against the exact test of R
        assert found[limit] == pytest.approx(want[f"exact_{limit}"], rel=1e-5)
    rate = rates.indirect_rate(given, **columns, reference=reference)
    assert rate["value"][0] == pytest.approx(want["rate"], rel=1e-12)


def test_ratios_of_few_events_have_the_exact_limits_of_r():
    given = table("ratio_exact.csv")
    found = rates.ratio_to_expected(
        given.select("count", "expected"),
        count="count",
        expected="expected",
        multiplier=1,
    )
    for ours, theirs in (("value", "ratio"), ("lower", "lower"), ("upper", "upper")):
        np.testing.assert_allclose(found[ours], given[theirs], rtol=1e-10)
    assert set(found["method"]) == {"exact Poisson"}


@pytest.mark.parametrize(("confidence", "suffix"), [(0.95, ""), (0.998, "998")])
def test_gamma_limits_equal_those_of_epitools_at_few_and_many_events(confidence, suffix):
    given = table("indirect_input.csv")
    for want in table("gamma.csv").iter_rows(named=True):
        found = rates.standardised_rate(
            count=np.round(given["count"].to_numpy() * want["k"]),
            population=given["population"],
            age=given["age"],
            standard=dict(given.select("age", "weight").iter_rows()),
            method="fay-feuer",
            fewest_events=0,
            confidence=confidence,
        )
        wanted = [want["rate"], want[f"lower{suffix}"], want[f"upper{suffix}"]]
        assert [float(figure) for figure in found[:3]] == pytest.approx(wanted, rel=1e-10)


def test_difference_of_shares_equals_newcombes_method_in_epi():
    given = table("contrasts.csv")
    pairs = {"count": "x", "total": "n", "other_count": "y", "other_total": "m"}
    found = rates.proportion_difference(given.select("x", "n", "y", "m"), **pairs, multiplier=1)
    for ours, theirs in (("value", "difference"), ("lower", "lower"), ("upper", "upper")):
        np.testing.assert_allclose(found[ours], given[theirs], atol=1e-12)


def test_ratio_of_shares_equals_epitools_and_has_no_limits_where_a_count_is_zero():
    given = table("contrasts.csv")
    pairs = {"count": "x", "total": "n", "other_count": "y", "other_total": "m"}
    found = rates.proportion_ratio(given.select("x", "n", "y", "m"), **pairs)
    defined = given["ratio"].is_not_null()
    for ours, theirs in (("value", "ratio"), ("lower", "ratio_lower"), ("upper", "ratio_upper")):
        np.testing.assert_allclose(found[ours].filter(defined), given[theirs].filter(defined), rtol=1e-12)
    assert found.filter(~defined)["lower"].null_count() == (~defined).sum()


@pytest.mark.parametrize(("confidence", "suffix"), [(0.95, "950"), (0.998, "998")])
@pytest.mark.parametrize(
    ("statistic", "law", "size"), [("proportion", "binomial", 1), ("ratio", "poisson", 10)]
)
def test_exact_funnel_limits_equal_the_interpolated_quantiles_of_r(confidence, suffix, statistic, law, size):
    given = table("funnel.csv")
    found = rates.funnel_limits(
        given["size"] / size, 0.43, statistic=statistic, confidence=confidence, method="exact"
    )
    for limits, side in zip(found, LIMITS, strict=True):
        np.testing.assert_allclose(limits, given[f"{law}_{side}{suffix}"], rtol=1e-9, atol=1e-12)


def test_dispersion_equals_dersimonian_and_laird_of_metafor_and_the_quantiles_of_r():
    given, want = table("dispersion_input.csv"), table("dispersion.csv").row(0, named=True)
    share, pooled = (given["count"] / given["total"]).to_numpy(), want["pooled"]
    variance = pooled * (1 - pooled) / given["total"].to_numpy()
    phi, tau2 = rates.overdispersion(share, variance, pooled, 0)
    assert (phi, tau2) == pytest.approx((want["phi0"], want["tau2_dl"]), rel=1e-10)
    assert rates.overdispersion(share, variance, pooled) == pytest.approx(
        (want["phi"], want["tau2"]), rel=1e-10
    )
    funnel = rates.funnel_proportions(
        given, count="count", total="total", overdispersion="additive", multiplier=1
    )
    assert funnel["dispersion"][0] == pytest.approx(want["tau2"] ** 0.5, rel=1e-10)
    widest = pooled + 1.959963984540054 * np.sqrt(variance + want["tau2"])
    np.testing.assert_allclose(funnel["upper_95"], widest, rtol=1e-10)


@pytest.mark.parametrize("scale", ["plain", "log", "logit"])
def test_slope_and_relative_index_equal_weighted_regression_in_r(scale):
    given, want = (
        table("inequality_input.csv"),
        table("inequality.csv").filter(scale=scale).row(0, named=True),
    )
    found = rates.inequality(
        given,
        value="value",
        population="people",
        rank="rank",
        lower="lower",
        upper="upper",
        scale=scale,
        multiplier=100,
    )
    rows = {row["statistic"]: row for row in found.iter_rows(named=True)}
    for statistic, prefix in (("slope_index", "sii"), ("relative_index", "rii")):
        wanted = [want[prefix], want[f"{prefix}_lower"], want[f"{prefix}_upper"]]
        assert [rows[statistic][name] for name in ("value", *LIMITS)] == pytest.approx(wanted, rel=1e-10)


# UKHSA


@pytest.mark.parametrize(("confidence", "suffix"), [(0.95, ""), (0.998, "998")])
def test_standardised_figures_equal_the_ukhsa_workbook(confidence, suffix):
    given, want = ukhsa("ukhsa_standardised_input.csv"), ukhsa("ukhsa_standardised.csv")
    columns = {
        "count": "count",
        "population": "population",
        "age": "age",
        "by": ["area"],
        "confidence": confidence,
    }
    first = given.filter(area="big")
    reference = by_age(first, "ref_count", "ref_population")
    found = {
        "direct per 10000": rates.standardised_rate(given, **columns, standard="weight", per=10_000),
        "indirect per 100000": rates.indirect_rate(given, **columns, reference=reference),
        "ratio x 100": rates.standardised_ratio(given, **columns, reference=reference),
    }
    methods = {"Dobson": "Dobson", "Byars": "Byar", "Exact": "exact Poisson"}
    for row in want.iter_rows(named=True):
        ours = found[row["statistic"]].filter(area=row["area"]).row(0, named=True)
        wanted = [row["value"], row[f"lower{suffix}"], row[f"upper{suffix}"]]
        assert [ours[name] for name in ("value", *LIMITS)] == pytest.approx(wanted, rel=1e-9), row[
            "statistic"
        ]
        assert ours["method"] == methods[row["method"]]
    tiny = found["direct per 10000"].filter(area="tiny").row(0, named=True)
    assert (tiny["events"], tiny["value"], tiny["method"]) == (9, None, "withheld: fewer than 10 events")


def test_funnel_positions_of_303_areas_equal_those_of_ukhsa():
    given = ukhsa("ukhsa_funnel.csv")
    found = rates.funnel_proportions(given.select("count", "total"), count="count", total="total")
    words = {
        "High (0.001)": "above 99.8",
        "Low (0.001)": "below 99.8",
        "High (0.025)": "above 95",
        "Low (0.025)": "below 95",
        "Not significant": "within",
    }
    assert found["position"].to_list() == [words[word] for word in given["position"]]
    want = ukhsa("ukhsa_funnel_limits.csv")
    assert found["benchmark"][0] == pytest.approx(want["benchmark"][0], abs=1e-6)
    for confidence, name in ((0.95, "95"), (0.998, "998")):
        limits = rates.funnel_limits(want["size"], found["benchmark"][0] / 100, confidence=confidence)
        for limit, side in zip(limits, LIMITS, strict=True):
            np.testing.assert_allclose(100 * limit, want[f"{side}_{name}"], atol=1e-6)


@pytest.mark.parametrize("interval", ["delta", "simulated"])
def test_slope_indices_equal_those_of_ukhsa(interval):
    given = ukhsa("ukhsa_slope_input.csv")
    for want in ukhsa("ukhsa_slope.csv").iter_rows(named=True):
        part = given.filter(case=want["case"], area=want["area"]).to_dict(as_series=False)
        arrays = {name: part[name] for name in ("value", "population", "rank", *LIMITS)}
        found = rates.inequality(**arrays, scale=want["scale"], interval=interval)
        for statistic, prefix in (("slope_index", "sii"), ("relative_index", "rii")):
            figures = found[statistic]
            assert float(figures.value) == pytest.approx(want[prefix], rel=1e-9)
            width = want[f"{prefix}_upper"] - want[f"{prefix}_lower"]
            # Their limits are simulated, and rounded limits stand for some standard errors: 5 % of the width.
            assert float(figures.lower) == pytest.approx(want[f"{prefix}_lower"], abs=0.05 * width)
            assert float(figures.upper) == pytest.approx(want[f"{prefix}_upper"], abs=0.05 * width)


# Deaths from COPD per 100,000 by age, 2019 (a published exercise in standardisation): the WHO world standard, with the
# 18 printed groups, gives 28.429 and 28.680 although the crude rates are 57.2 and 5.8.
COPD_UNITED_STATES = [0.04, 0.02, 0.02, 0.02, 0.06, 0.11, 0.29, 0.56, 1.42, 4.00, 14.13, 37.22, 66.48, 108.66]
COPD_UNITED_STATES += [213.10, 333.06, 491.10, 894.45]
COPD_UGANDA = [0.40, 0.17, 0.07, 0.23, 0.38, 0.40, 0.75, 1.11, 2.04, 5.51, 13.26, 33.25, 69.62, 120.78]
COPD_UGANDA += [229.88, 341.06, 529.31, 710.40]
AGES = [f"{lower}-{lower + 4}" for lower in range(0, 85, 5)] + ["85+"]


@pytest.mark.parametrize(("by_band", "printed"), [(COPD_UNITED_STATES, 28.429), (COPD_UGANDA, 28.680)])
def test_the_copd_rates_standardise_to_the_printed_figures(by_band, printed):
    weights = [
        8.86,
        8.69,
        8.60,
        8.47,
        8.22,
        7.93,
        7.61,
        7.15,
        6.59,
        6.04,
        5.37,
        4.55,
        3.72,
        2.96,
        2.21,
        1.52,
        0.91,
        0.63,
    ]
    arrays = {"count": by_band, "population": [100_000] * 18, "age": AGES}
    found = rates.standardised_rate(**arrays, standard=dict(zip(AGES, weights, strict=True)))
    assert float(found.value) == pytest.approx(printed, abs=5e-4)
    # The full standard gives 85+ the weight 0.635 where the short table prints 0.63: a difference in the second digit.
    exact = rates.standardised_rate(**arrays, standard=rates.world_standard(AGES))
    assert float(exact.value) == pytest.approx(printed, abs=0.05)
