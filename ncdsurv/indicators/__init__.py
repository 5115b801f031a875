"""Counts become rates: intervals, standardisation, expected cases, published values."""

from ncdsurv.indicators.frames import proportion, rate, standardised_rate
from ncdsurv.indicators.publish import iter_values, publish_values
from ncdsurv.indicators.rates import dobson, poisson_limits, standardise, wilson_limits

__all__ = [
    "dobson",
    "iter_values",
    "poisson_limits",
    "proportion",
    "publish_values",
    "rate",
    "standardise",
    "standardised_rate",
    "wilson_limits",
]
