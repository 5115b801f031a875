"""Count families, dispersion tests and residual checks against R; script and calls in `trend/make_families.R`."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from scipy import stats

from ncdsurv.trends.model import RateModel, fit_rate_model

FOLDER = Path(__file__).parent / "trend"
EXPECTED = pl.read_csv(FOLDER / "families.csv", comment_prefix="#")


def wanted(case: str, what: str) -> float:
    return EXPECTED.filter((pl.col("case") == case) & (pl.col("what") == what))["value"].item()


def fitted(**settings: object) -> RateModel:
    counts = pl.read_csv(FOLDER / "seatbelts.csv")
    columns = (counts[name].to_numpy() for name in ("numerator", "denominator", "month"))
    return fit_rate_model(*columns, harmonics=2, **settings)


def test_the_negative_binomial_equals_glm_nb():
    model = fitted(family="negative_binomial")
    assert model.family == "negative_binomial"
    # glm.nb stops its own iteration over theta near 1e-6.
    assert model.alpha == pytest.approx(wanted("negative_binomial", "alpha"), rel=1e-4)
    assert model.slope == pytest.approx(wanted("negative_binomial", "slope"), rel=1e-6)
    assert model.slope_se == pytest.approx(wanted("negative_binomial", "slope_se"), rel=1e-4)


def test_the_test_of_overdispersion_equals_aer():
    model = fitted()
    assert model.checks.overdispersion == pytest.approx(wanted("poisson", "overdispersion"), rel=1e-8)
    p_value = stats.norm.sf(wanted("poisson", "overdispersion_z"))
    assert model.checks.overdispersion_p_value == pytest.approx(p_value, rel=1e-6)
    assert model.pearson_dispersion == pytest.approx(wanted("poisson", "pearson_dispersion"), rel=1e-8)


def test_the_test_that_chooses_the_family_equals_its_regression_in_r():
    assert fitted().checks.quadratic_p_value == pytest.approx(
        wanted("poisson", "quadratic_p_value"), rel=1e-6
    )


@pytest.mark.parametrize("lag", [3, 12])
def test_newey_west_equals_sandwich_at_each_lag(lag: int):
    assert fitted(lag=lag).slope_se == pytest.approx(wanted("quasi_poisson", f"slope_se_{lag}"), rel=1e-7)


def test_residual_checks_equal_r():
    checks = fitted().checks
    assert checks.portmanteau_lags == 12
    assert checks.portmanteau_p_value == pytest.approx(
        wanted("quasi_poisson", "portmanteau_p_value"), rel=1e-6
    )
    assert checks.largest_residual == pytest.approx(wanted("quasi_poisson", "largest_residual"), rel=1e-8)
