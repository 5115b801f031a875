"""Funnels at their edges: a count that is not whole, and an area without variance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from ncdsurv.indicators.rates.dispersion import overdispersion
from ncdsurv.indicators.rates.limits import RATE, tails


def test_at_least_two_and_a_half_events_are_at_least_three():
    at_most, at_least = tails(np.array([2.5, 3.0]), np.array([400.0, 400.0]), 0.01, RATE)
    assert at_least == pytest.approx([poisson.sf(2, 4.0)] * 2)
    assert at_most == pytest.approx([poisson.cdf(2, 4.0), poisson.cdf(3, 4.0)])


def test_an_area_without_variance_by_chance_does_not_weigh_in_dispersion():
    value, variance = np.array([0.2, 0.8, 0.4, 0.6]), np.full(4, 0.01)
    alone = overdispersion(value, variance, 0.5)
    assert overdispersion(np.append(value, 0.5), np.append(variance, 0.0), 0.5) == alone
    assert overdispersion(np.append(value, np.nan), np.append(variance, 0.01), 0.5) == alone
