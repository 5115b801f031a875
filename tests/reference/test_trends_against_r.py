"""The rate trend against R's glm(family = quasipoisson); script and call stand in `trend/make_trend.R`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ncdsurv.trends.model import fit_rate_model

FOLDER = Path(__file__).parent / "trend"
CASES = {"two_harmonics_95": (2, 0.95), "no_season_90": (0, 0.90)}
SCALARS = [
    "slope",
    "slope_se",
    "p_value",
    "annual_change",
    "annual_change_lower",
    "annual_change_upper",
    "dispersion",
    "degrees_of_freedom",
]


@pytest.fixture(scope="module")
def expected() -> pl.DataFrame:
    return pl.read_csv(FOLDER / "expected.csv", comment_prefix="#")


@pytest.mark.parametrize("case", CASES)
def test_slope_change_dispersion_and_bands_equal_r(case: str, expected: pl.DataFrame):
    counts = pl.read_csv(FOLDER / "monthly_counts.csv")
    harmonics, confidence = CASES[case]
    model = fit_rate_model(
        counts["numerator"].to_numpy(),
        counts["denominator"].to_numpy(),
        counts["month"].to_numpy(),
        harmonics=harmonics,
        confidence=confidence,
    )
    of_case = expected.filter(pl.col("case") == case)
    for name in SCALARS:
        value = of_case.filter(pl.col("what") == name)["value"].item()
        assert getattr(model, name) == pytest.approx(value, rel=1e-7), name
    for name in ("fitted", "lower", "upper"):
        by_month = of_case.filter(pl.col("what") == name).sort("index")["value"].to_numpy()
        np.testing.assert_allclose(getattr(model, name), by_month, rtol=1e-8, err_msg=name)


def test_newey_west_error_of_the_slope_equals_sandwich(expected: pl.DataFrame):
    counts = pl.read_csv(FOLDER / "monthly_counts.csv")
    model = fit_rate_model(
        counts["numerator"].to_numpy(), counts["denominator"].to_numpy(), counts["month"].to_numpy(), lag=3
    )
    wanted = expected.filter(pl.col("case") == "newey_west_3")["value"].item()
    assert model.slope_se == pytest.approx(wanted, rel=1e-7)
