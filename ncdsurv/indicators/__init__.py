"""Counts become rates: intervals, standardisation, expected cases, published values."""

from ncdsurv.indicators.publish import iter_values, publish_values
from ncdsurv.indicators.rates import (
    dobson,
    poisson_limits,
    proportion,
    rate,
    standardise,
    standardised_rate,
    wilson_limits,
)

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
