"""Values of maps and monthly series: what `ncdsurv.indicators.given_values` takes, with the columns both need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from ncdsurv.indicators.given_values import IDENTITY, open_values, require_single

__all__ = ["IDENTITY", "require_single", "take_values"]

_NEEDED = ("indicator", "area_code", "area_vintage", "area_level", "period", "value")


def take_values(values: Any) -> tuple[pl.DataFrame, Callable[[pl.DataFrame], Any]]:
    """The values as `open_values` gives them.

    Raises:
        UsageError: As of `open_values`.
    """
    return open_values(values, _NEEDED)
