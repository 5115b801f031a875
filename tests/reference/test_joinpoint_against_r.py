"""Joinpoint regression against R: segmented, nlme::gls and an exhaustive search; `joinpoint/make_joinpoint.R`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ncdsurv.trends.joinpoint.choose import criteria
from ncdsurv.trends.joinpoint.grid import Grid, make_grid
from ncdsurv.trends.joinpoint.infer import Line, fit_line
from ncdsurv.trends.joinpoint.noise import make_noise
from ncdsurv.trends.joinpoint.permute import permutation_p
from ncdsurv.trends.joinpoint.search import least_squares

FOLDER = Path(__file__).parent / "joinpoint"
EXPECTED = pl.read_csv(FOLDER / "expected.csv", comment_prefix="#")
SERIES = pl.read_csv(FOLDER / "series.csv", schema_overrides={"time": pl.Float64, "w": pl.Float64})


def series(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = SERIES.filter(pl.col("series") == name)
    return found["time"].to_numpy(), found["y"].to_numpy(), found["w"].to_numpy()


def wanted(case: str, what: str) -> list[float]:
    rows = EXPECTED.filter((pl.col("case") == case) & (pl.col("what") == what))
    return rows.sort("index")["value"].to_list()


def line_at_the_joinpoints_of(case: str, name: str, rho: float = 0.0) -> Line:
    times, y, weights = series(name)
    joinpoints = np.array(wanted(case, "joinpoint") or [1945.0])
    return fit_line(times, make_noise(times, weights, rho), y, joinpoints, np.zeros((len(times), 0)))


def grid_of(name: str, between: int = 0) -> tuple[Grid, np.ndarray]:
    times, y, weights = series(name)
    noise = make_noise(times, weights)
    return make_grid(times, noise, between=between), noise.whiten(y)


@pytest.mark.parametrize(
    ("case", "name"), [("airmiles_1", "airmiles"), ("huron_2", "huron"), ("down_1", "down")]
)
def test_slopes_joinpoints_and_average_have_the_errors_of_segmented(case: str, name: str):
    line = line_at_the_joinpoints_of(case, name)
    times, _, _ = series(name)
    assert line.sse == pytest.approx(wanted(case, "sse")[0], rel=1e-6)
    assert line.freedom == wanted(case, "freedom")[0]
    slopes, errors = zip(*line.slopes())
    # segmented stops its iteration near 1e-6, which is what its slopes and ours differ by.
    np.testing.assert_allclose(slopes, wanted(case, "slope"), rtol=1e-4)
    np.testing.assert_allclose(errors, wanted(case, "slope_se"), rtol=1e-4)
    np.testing.assert_allclose(line.joinpoint_errors(), wanted(case, "joinpoint_se"), rtol=1e-4)
    average, error = line.average(times[0], times[-1])
    assert average == pytest.approx(wanted(case, "aapc")[0], rel=1e-4)
    assert error == pytest.approx(wanted(case, "aapc_se")[0], rel=1e-4)


@pytest.mark.parametrize(("case", "name"), [("airmiles_1", "airmiles"), ("down_1", "down")])
def test_a_fine_grid_comes_to_the_joinpoint_of_segmented(case: str, name: str):
    grid, row = grid_of(name, between=19)
    sums, nodes = least_squares(grid, row[:, None], 1)
    assert sums[0] == pytest.approx(wanted(case, "sse")[0], rel=1e-3)
    assert grid.where[nodes[0, 0]] == pytest.approx(wanted(case, "joinpoint")[0], abs=0.051)


@pytest.mark.parametrize(("case", "name"), [("airmiles_grid", "airmiles"), ("down_grid", "down")])
def test_search_and_criteria_equal_trying_every_combination(case: str, name: str):
    grid, row = grid_of(name)
    most = len(wanted(case, "sse")) - 1
    found = criteria(grid, row, most)
    for what in ("sse", "bic", "bic3", "wbic"):
        np.testing.assert_allclose([one[what] for one in found], wanted(case, what), rtol=1e-9, err_msg=what)
    places = [at for k in range(1, most + 1) for at in grid.where[least_squares(grid, row[:, None], k)[1][0]]]
    assert places == wanted(case, "joinpoint")


def test_given_autocorrelation_equals_gls():
    line = line_at_the_joinpoints_of("airmiles_ar", "airmiles", rho=0.4)
    slopes, errors = zip(*line.slopes())
    np.testing.assert_allclose(slopes, wanted("airmiles_ar", "slope"), rtol=1e-9)
    np.testing.assert_allclose(errors, wanted("airmiles_ar", "slope_se"), rtol=1e-8)
    np.testing.assert_allclose(line.joinpoint_errors(), wanted("airmiles_ar", "joinpoint_se"), rtol=1e-8)
    assert line.sse == pytest.approx(wanted("airmiles_ar", "sse")[0], rel=1e-9)


@pytest.mark.parametrize(("case", "first"), [("nile", 1871), ("nile_late", 1901)])
def test_the_permutation_p_value_equals_a_longer_one_of_r_within_monte_carlo_error(case: str, first: int):
    times, y, weights = (part[series("nile")[0] >= first] for part in series("nile"))
    noise = make_noise(times, weights)
    p_value = permutation_p(make_grid(times, noise), noise.whiten(y), 0, 1, permutations=4499, seed=5)
    truth = wanted(case, "p_value")[0]
    assert p_value == pytest.approx(truth, abs=4 * np.sqrt(truth * (1 - truth) * (1 / 4499 + 1 / 19999)))
