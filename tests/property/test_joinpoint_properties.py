"""What must hold for joinpoints of any series, and for the Mann-Kendall test."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ncdsurv.errors import UsageError
from ncdsurv.trends.joinpoint.averaged import weigh_places
from ncdsurv.trends.joinpoint.choose import criteria
from ncdsurv.trends.joinpoint.grid import make_grid, most_joinpoints
from ncdsurv.trends.joinpoint.infer import fit_line
from ncdsurv.trends.joinpoint.model import JoinpointModel, Settings, fit_joinpoint_model
from ncdsurv.trends.joinpoint.noise import make_noise
from ncdsurv.trends.joinpoint.permute import permutation_p
from ncdsurv.trends.joinpoint.search import least_squares, reaches
from ncdsurv.trends.kendall.ranks import mann_kendall_test
from ncdsurv.trends.mixture import Mixture

Series = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def series(draw: st.DrawFn, most: int = 30) -> Series:
    """Months (some missing), logarithms of rates, and weights."""
    n = draw(st.integers(12, most))
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 2, 5]), min_size=n - 1, max_size=n - 1))
    months = 24301.0 + np.concatenate([[0], np.cumsum(steps)])
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bend = draw(st.floats(-2, 2))
    response = rng.normal(0, 0.2, n) + bend * np.maximum(months - months[n // 2], 0) / 12
    return months, response, rng.uniform(0.5, 5, n)


def model(data: Series, k: int = 1, rho: float = 0.0) -> JoinpointModel:
    return fit_joinpoint_model(*data, Settings(most=k, choose="fixed", rho=rho))


@settings(deadline=None, max_examples=25)
@given(
    data=series(most=16), k=st.integers(1, 3), rho=st.sampled_from([0.0, 0.5, -0.4]), seed=st.integers(0, 99)
)
def test_the_search_equals_trying_every_combination(data: Series, k: int, rho: float, seed: int):
    months, _, weights = data
    assume(k <= most_joinpoints(len(months), 2, 2))
    noise = make_noise(months, weights, rho)
    grid = make_grid(months / 12, noise)
    rows = noise.whiten(np.random.default_rng(seed).normal(size=(len(months), 7)))
    sums, nodes = least_squares(grid, rows, k)
    best = np.full(7, np.inf)
    times = months / 12
    for at in combinations(range(2, len(months) - 2), k):
        if all(second - first > 2 for first, second in pairwise(at)):
            bends = [np.maximum(times - times[one], 0) for one in at]
            design = noise.whiten(np.column_stack([np.ones_like(times), times - times.mean(), *bends]))
            basis = np.linalg.qr(design)[0]
            best = np.minimum(best, ((rows - basis @ (basis.T @ rows)) ** 2).sum(axis=0))
    np.testing.assert_allclose(sums, best, rtol=1e-7)
    compiled_sums, compiled_nodes = least_squares(grid, rows, k, form="compiled")
    np.testing.assert_allclose(compiled_sums, sums, rtol=1e-12)
    np.testing.assert_array_equal(compiled_nodes, nodes)
    limit = best * np.array([0.9, 1 - 1e-6, 1, 1 + 1e-6, 1.1, 0.5, 2])
    for form in ("arrays", "compiled"):
        assert reaches(grid, rows, k, limit, form=form).tolist() == [False, False, *[True] * 3, False, True]
    assert (np.diff(nodes, axis=1) > 2).all()
    assert reaches(grid, rows, k, best).all()
    assert not reaches(grid, rows, k, best * (1 - 1e-6)).any()


@pytest.mark.parametrize(("null", "other"), [(0, 1), (0, 4), (1, 4), (2, 3)])
def test_compiled_and_not_the_p_value_is_the_same(null: int, other: int):
    rng = np.random.default_rng(8)
    noise = make_noise(np.arange(60.0), rng.uniform(0.5, 2, 60), 0.3)
    grid = make_grid(np.arange(60.0) / 12, noise)
    row = noise.whiten(rng.normal(size=60) + np.maximum(np.arange(60.0) - 30, 0) / 8)
    forms = [
        permutation_p(grid, row, null, other, permutations=199, seed=3, form=form)
        for form in ("arrays", "compiled")
    ]
    assert forms[0] == forms[1]
    assert 1 / 200 <= forms[0] <= 1


def test_a_form_that_does_not_exist_is_refused():
    grid = make_grid(np.arange(20.0), make_noise(np.arange(20.0), np.ones(20)))
    with pytest.raises(UsageError, match="unknown form of the search"):
        least_squares(grid, np.zeros((20, 1)), 1, form="quick")


@settings(deadline=None, max_examples=25)
@given(data=series(), factor=st.floats(0.01, 1000), k=st.integers(0, 2))
def test_changes_are_the_same_per_person_or_per_thousand(data: Series, factor: float, k: int):
    months, response, weights = data
    one, other = model(data, k), model((months, response + np.log(factor), weights * 3), k)
    np.testing.assert_allclose(other.joinpoints, one.joinpoints)
    for first, second in zip(one.segments, other.segments):
        assert second.change == pytest.approx(first.change, rel=1e-6, abs=1e-8)
        if first.error is not None:
            assert second.error == pytest.approx(first.error, rel=1e-5)


@settings(deadline=None, max_examples=25)
@given(data=series(), yearly=st.floats(-0.5, 0.5))
def test_a_known_change_a_year_is_added_to_every_segment(data: Series, yearly: float):
    months, response, weights = data
    one, other = model(data), model((months, response + yearly * (months - months[0]) / 12, weights))
    for first, second in zip(one.segments, other.segments):
        assert second.change - first.change == pytest.approx(yearly, abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(data=series())
def test_without_joinpoint_it_is_weighted_linear_regression(data: Series):
    months, response, weights = data
    found = model(data, 0)
    expected, covariance = np.polyfit((months - months[0]) / 12, response, 1, w=np.sqrt(weights), cov=True)
    assert found.segments[0].change == pytest.approx(expected[0], rel=1e-7, abs=1e-9)
    assert found.segments[0].error == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-6)


@settings(deadline=None, max_examples=25)
@given(data=series(), k=st.integers(0, 2))
def test_the_average_of_all_is_the_rise_over_the_run(data: Series, k: int):
    months = data[0]
    found = model(data, k)
    whole = found.average(months[0], months[-1])
    assert whole.change == pytest.approx((found.trend[-1] - found.trend[0]) / ((months[-1] - months[0]) / 12))
    assert whole.lower is None or whole.lower <= whole.change <= whole.upper


@settings(deadline=None, max_examples=25)
@given(data=series(most=24))
def test_more_joinpoints_never_fit_worse_and_the_weighted_criterion_lies_between(data: Series):
    months, response, weights = data
    assume(len(months) >= 15)  # in shorter ones two joinpoints may stand where no third finds room
    noise = make_noise(months, weights)
    scores = criteria(make_grid(months / 12, noise), noise.whiten(response), 3)
    assert all(later["sse"] <= first["sse"] * (1 + 1e-9) for first, later in pairwise(scores))
    assert all(score["bic"] - 1e-12 <= score["wbic"] <= score["bic3"] + 1e-12 for score in scores)
    assert all(0 <= score["weight"] <= 1 + 1e-9 for score in scores)


def test_the_permutation_p_value_is_uniform_where_there_is_no_joinpoint():
    rng = np.random.default_rng(20)
    months = np.arange(24.0)
    noise = make_noise(months, np.ones(24))
    grid = make_grid(months / 12, noise)
    found = [
        permutation_p(grid, rng.normal(size=24), 0, 1, permutations=99, seed=seed) for seed in range(200)
    ]
    # Of 200 uniform p values 10 lie below 0.05 and 100 below 0.5; four standard errors either way.
    assert 0 < np.sum(np.array(found) <= 0.05) <= 23
    assert 72 <= np.sum(np.array(found) <= 0.5) <= 128


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.integers(0, 20), min_size=8, max_size=40),
    scale=st.floats(0.1, 100),
    season=st.booleans(),
)
def test_mann_kendall_knows_order_only_and_its_slope_the_scale(values: list[int], scale: float, season: bool):
    months = 24301.0 + np.arange(len(values))
    assume(not season or len(values) > 13)
    y = np.array(values, dtype=float)
    one = mann_kendall_test(months, y, season=season)
    grown = mann_kendall_test(months, scale * y, season=season)
    turned = mann_kendall_test(months, -y, season=season)
    assert (grown.score, grown.p_value) == (one.score, pytest.approx(one.p_value))
    assert grown.slope == pytest.approx(scale * one.slope, abs=1e-9)
    assert (turned.score, turned.slope) == (-one.score, pytest.approx(-one.slope, abs=1e-12))
    assert one.lower <= one.slope <= one.upper
    assert 0 <= one.p_value <= 1
    assert -1 <= one.tau <= 1


@pytest.mark.parametrize(("k", "season"), [(0, 0), (1, 0), (2, 0), (2, 2), (3, 0)])
def test_averaging_over_places_equals_every_combination_weighed(k: int, season: int):
    rng, n = np.random.default_rng(4), 18
    times = np.arange(n) / 12
    noise = make_noise(np.arange(float(n)), rng.uniform(0.5, 2, n), 0.3)
    grid = make_grid(times, noise)
    beside = np.column_stack([np.cos(6 * times), np.sin(6 * times)])[:, :season]
    response = np.maximum(times - times[n // 2], 0) + rng.normal(0, 0.3, n)
    line = fit_line(times, noise, response, grid.where[[2, 6, 10][:k]], beside)
    row = noise.whiten(response - beside @ line.coefficients[len(line.coefficients) - season :])
    best = grid.where[least_squares(grid, row[:, None], k)[1][0]]
    places = weigh_places(grid, response, beside, row, fit_line(times, noise, response, best, beside))
    weights, means, errors = [], [], []
    freedom = n - 2 - k - season
    for at in combinations(range(len(grid.where)), k):
        if any(second - first <= 2 for first, second in pairwise(at)):
            continue
        bends = np.maximum(times[:, None] - grid.where[list(at)], 0)
        design = noise.whiten(np.column_stack([np.ones(n), times, bends, beside]))
        inverse = np.linalg.inv(design.T @ design)
        beta = inverse @ design.T @ noise.whiten(response)
        squares = float(((noise.whiten(response) - design @ beta) ** 2).sum())
        weights.append(np.linalg.slogdet(inverse)[1] / 2 - freedom / 2 * np.log(squares))
        last = np.r_[0, np.ones(1 + k), np.zeros(season)]  # slope of the last segment
        means.append(last @ beta)
        errors.append(np.sqrt(squares / freedom * last @ inverse @ last))
    weight = np.exp(np.array(weights) - max(weights))
    every = Mixture(weight / weight.sum(), np.array(means)[:, None], np.array(errors)[:, None], freedom)
    for p in (0.025, 0.5, 0.975):
        assert places.slopes().quantile(p)[-1] == pytest.approx(every.quantile(p)[0], abs=0.02 * errors[0])
    assert places.freedom == freedom


def test_without_joinpoint_the_averaged_interval_is_the_usual_one():
    data = (24301.0 + np.arange(30), np.random.default_rng(3).normal(size=30), np.ones(30))
    usual, averaged = (
        fit_joinpoint_model(*data, Settings(most=0, choose="fixed", averaged=one)).segments[0]
        for one in (False, True)
    )
    for name in ("change", "error", "lower", "upper", "p_value"):
        assert getattr(averaged, name) == pytest.approx(getattr(usual, name), rel=1e-6), name


def test_many_weak_joinpoints_in_a_long_series_are_averaged_in_bounded_time():
    data = (24301.0 + np.arange(100), np.random.default_rng(3).normal(size=100), np.ones(100))
    found = fit_joinpoint_model(*data, Settings(most=4, choose="fixed", averaged=True))
    assert len(found.places.weight) <= 4000
    assert found.places.weight.sum() == pytest.approx(1)
    for span in (*found.segments, found.average(24301, 24400)):
        assert span.lower <= span.change <= span.upper
