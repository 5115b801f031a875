"""Proportions, rates and what is made of them, each with its interval and its method; usable alone.

Every function takes a pandas or polars frame with the names of columns and gives the same kind of frame back, or
takes arrays and gives arrays. One statistic a file; the paper stands at the top of each.

>>> from ncdsurv.indicators import rates
>>> found = rates.proportion(count=[65], total=[100])
>>> round(float(found.lower[0]), 2), round(float(found.upper[0]), 2)
(55.25, 73.64)
"""

from ncdsurv.indicators.rates.compare import compare, compare_limits, judge
from ncdsurv.indicators.rates.contrast import proportion_difference, proportion_ratio
from ncdsurv.indicators.rates.crude import EXACT_BELOW, poisson_limits, rate
from ncdsurv.indicators.rates.direct import FEWEST_EVENTS, dobson, fay_feuer, standardised_rate
from ncdsurv.indicators.rates.dispersion import overdispersion, winsorised
from ncdsurv.indicators.rates.funnel import (
    Funnel,
    funnel_proportions,
    funnel_rates,
    funnel_ratios,
)
from ncdsurv.indicators.rates.given import CONFIDENCE, PER_100000, Figures
from ncdsurv.indicators.rates.indirect import indirect_rate, ratio_to_expected, standardised_ratio
from ncdsurv.indicators.rates.inequality import inequality
from ncdsurv.indicators.rates.limits import funnel_limits
from ncdsurv.indicators.rates.share import proportion, wilson_limits
from ncdsurv.indicators.rates.standards import world_standard

__all__ = [
    "CONFIDENCE",
    "EXACT_BELOW",
    "FEWEST_EVENTS",
    "PER_100000",
    "Figures",
    "Funnel",
    "compare",
    "compare_limits",
    "dobson",
    "fay_feuer",
    "funnel_limits",
    "funnel_proportions",
    "funnel_rates",
    "funnel_ratios",
    "indirect_rate",
    "inequality",
    "judge",
    "overdispersion",
    "poisson_limits",
    "proportion",
    "proportion_difference",
    "proportion_ratio",
    "rate",
    "ratio_to_expected",
    "standardised_rate",
    "standardised_ratio",
    "wilson_limits",
    "winsorised",
    "world_standard",
]
