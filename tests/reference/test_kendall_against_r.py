"""Mann-Kendall against R's cor.test and against pymannkendall; scripts and calls stand in `kendall/`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ncdsurv.trends.kendall.ranks import mann_kendall_test

FOLDER = Path(__file__).parent / "kendall"
SERIES = pl.read_csv(FOLDER / "series.csv", schema_overrides={"value": pl.Float64})
FROM_R = pl.read_csv(FOLDER / "expected_r.csv", comment_prefix="#")
FROM_PYTHON = pl.read_csv(FOLDER / "expected_corrections.csv", comment_prefix="#")


def series(name: str) -> tuple[np.ndarray, np.ndarray]:
    found = SERIES.filter(pl.col("series") == name)
    return found["month"].to_numpy(), found["value"].to_numpy()


def wanted(frame: pl.DataFrame, case: str) -> dict[str, float]:
    return dict(frame.filter(pl.col("case") == case).select("what", "value").iter_rows())


@pytest.mark.parametrize("name", ["nile", "deaths"])
def test_score_z_p_and_slope_equal_r(name: str):
    test = mann_kendall_test(*series(name))
    for what, value in wanted(FROM_R, name).items():
        assert getattr(test, what) == pytest.approx(value, rel=1e-9, abs=1e-12), what


def test_the_exact_p_value_of_ten_points_equals_r():
    months, values = (part[25:35] for part in series("nile"))
    test = mann_kendall_test(months, values)
    assert test.exact
    assert test.p_value == pytest.approx(wanted(FROM_R, "nile_ten")["p_value"], rel=1e-9)


@pytest.mark.parametrize("name", ["nottem", "deaths"])
def test_seasonal_score_and_slope_equal_sums_written_out_in_r(name: str):
    test = mann_kendall_test(*series(name), season=True)
    expected = wanted(FROM_R, f"{name}_season")
    assert test.score == expected["score"]
    assert test.slope == pytest.approx(expected["slope"], rel=1e-9)


@pytest.mark.parametrize("name", ["nottem", "deaths"])
@pytest.mark.parametrize("correction", ["none", "hirsch_slack"])
def test_seasonal_tests_equal_pymannkendall(name: str, correction: str):
    test = mann_kendall_test(*series(name), season=True, correction=correction)
    case = f"{name}_{'season' if correction == 'none' else correction}"
    for what, value in wanted(FROM_PYTHON, case).items():
        if correction == "hirsch_slack" and what in ("statistic", "p_value"):
            continue  # pymannkendall leaves the continuity correction out here alone; score and variance agree
        assert getattr(test, what) == pytest.approx(value, rel=1e-9, abs=1e-12), what


@pytest.mark.parametrize("correction", ["hamed_rao", "yue_wang"])
@pytest.mark.parametrize("lags", [1, 3, 12])
def test_corrections_equal_pymannkendall_at_each_lag(correction: str, lags: int):
    test = mann_kendall_test(*series("nile"), correction=correction, lags=lags)
    for what, value in wanted(FROM_PYTHON, f"nile_{correction}_{lags}").items():
        assert getattr(test, what) == pytest.approx(value, rel=1e-9, abs=1e-12), what
