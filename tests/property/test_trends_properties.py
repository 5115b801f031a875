"""What must hold for any rate trend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ncdsurv.trends.model import RateModel, fit_rate_model

FIRST = 24306


@st.composite
def counts(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Monthly counts of 18 to 40 months, some of them zero."""
    months = draw(st.integers(18, 40))
    people = np.array(draw(st.lists(st.integers(50, 5000), min_size=months, max_size=months)), dtype=float)
    share = np.array(draw(st.lists(st.floats(0, 1), min_size=months, max_size=months)))
    numerator = np.floor(people * share)
    assume((numerator > 0).sum() > 9)
    return numerator, people, FIRST + np.arange(months)


def fit(numerator: np.ndarray, people: np.ndarray, months: np.ndarray) -> RateModel:
    return fit_rate_model(numerator, people, months)


@settings(deadline=None, max_examples=40)
@given(series=counts())
def test_bands_hold_the_fit_and_the_interval_holds_the_change(series: tuple[np.ndarray, ...]):
    model = fit(*series)
    assert np.all(model.lower <= model.fitted)
    assert np.all(model.fitted <= model.upper)
    assert model.annual_change_lower <= model.annual_change <= model.annual_change_upper
    assert 0 <= model.p_value <= 1
    assert -1 <= model.residual_autocorrelation <= 1


@settings(deadline=None, max_examples=40)
@given(series=counts(), factor=st.integers(2, 50))
def test_the_change_is_the_same_per_person_or_per_thousand(series: tuple[np.ndarray, ...], factor: int):
    numerator, people, months = series
    model, other = fit(numerator, people, months), fit(numerator, people * factor, months)
    assert other.slope == pytest.approx(model.slope, rel=1e-6, abs=1e-8)
    assert other.slope_se == pytest.approx(model.slope_se, rel=1e-6, abs=1e-8)
    np.testing.assert_allclose(other.fitted * factor, model.fitted, rtol=1e-6)


@settings(deadline=None, max_examples=40)
@given(series=counts())
def test_with_an_intercept_fitted_counts_sum_to_observed_ones(series: tuple[np.ndarray, ...]):
    numerator, people, _ = series
    model = fit(*series)
    assert (model.fitted * people).sum() == pytest.approx(numerator.sum(), rel=1e-6)


@settings(deadline=None, max_examples=25)
@given(series=counts(), yearly=st.floats(0.7, 1.4))
def test_a_known_factor_a_year_is_added_to_the_slope(series: tuple[np.ndarray, ...], yearly: float):
    numerator, people, months = series
    growth = yearly ** ((months - months[0]) / 12)
    model, other = fit(numerator, people, months), fit(numerator, people / growth, months)
    assert other.slope - model.slope == pytest.approx(np.log(yearly), abs=1e-5)
