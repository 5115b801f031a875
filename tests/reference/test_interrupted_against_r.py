"""Interrupted series against R; script and calls in `trend/make_interrupted.R`."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ncdsurv.trends.interrupted.model import Segmented, fit_segmented

FOLDER = Path(__file__).parent / "trend"
EXPECTED = pl.read_csv(FOLDER / "interrupted.csv", comment_prefix="#")
LAW = 1983 * 12 + 2


def wanted(case: str, what: str) -> float:
    return EXPECTED.filter((pl.col("case") == case) & (pl.col("what") == what))["value"].item()


def fitted(**settings: object) -> Segmented:
    counts = pl.read_csv(FOLDER / "seatbelts.csv")
    columns = (counts[name].to_numpy() for name in ("numerator", "denominator", "month"))
    return fit_segmented(*columns, LAW, harmonics=2, **settings)


CASES = {
    "quasi_poisson": {},
    "newey_west_4": {"lag": 4},
    "negative_binomial": {"family": "negative_binomial"},
}


@pytest.mark.parametrize("case", CASES)
def test_steps_slopes_and_their_errors_equal_r(case: str):
    model = fitted(**CASES[case])
    # glm.nb stops its own iteration over theta near 1e-6.
    close = 1e-4 if case == "negative_binomial" else 1e-6
    for at, (what, estimate) in enumerate(
        {"before": model.slope_before, "level": model.level_change, "slope": model.slope_change}.items(),
        start=1,
    ):
        assert model.parameters[at] == pytest.approx(wanted(case, what), rel=close)
        assert estimate.se == pytest.approx(wanted(case, f"{what}_se"), rel=close)


def test_each_quantity_takes_the_wider_of_the_two_errors():
    model = fitted(lag=4, wider=True)
    for what, estimate in {"before": model.slope_before, "level": model.level_change}.items():
        larger = max(wanted("quasi_poisson", f"{what}_se"), wanted("newey_west_4", f"{what}_se"))
        assert estimate.se == pytest.approx(larger, rel=1e-6)


def test_the_counterfactual_equals_the_prediction_without_the_step():
    model = fitted()
    assert model.fitted[-1] == pytest.approx(wanted("quasi_poisson", "fitted_last"), rel=1e-8)
    assert model.counterfactual[-1] == pytest.approx(wanted("quasi_poisson", "counterfactual_last"), rel=1e-8)
