"""Counts become rates: intervals, standardisation, expected cases, published values.

Names are imported when first used, so that `ncdsurv.indicators.rates` is light where it is used alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ncdsurv.indicators import rates
    from ncdsurv.indicators.publish import iter_values, publish_values
    from ncdsurv.indicators.rates import (
        dobson,
        poisson_limits,
        proportion,
        rate,
        standardised_rate,
        wilson_limits,
    )

_RATES, _PUBLISH = "ncdsurv.indicators.rates", "ncdsurv.indicators.publish"
_WHERE = {
    "dobson": _RATES,
    "iter_values": _PUBLISH,
    "poisson_limits": _RATES,
    "proportion": _RATES,
    "publish_values": _PUBLISH,
    "rate": _RATES,
    "standardised_rate": _RATES,
    "wilson_limits": _RATES,
}

__all__ = [
    "dobson",
    "iter_values",
    "poisson_limits",
    "proportion",
    "publish_values",
    "rate",
    "rates",
    "standardised_rate",
    "wilson_limits",
]


def __getattr__(name: str) -> Any:
    if name == "rates":
        return import_module(_RATES)
    if name not in _WHERE:
        raise AttributeError(f"module 'ncdsurv.indicators' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
