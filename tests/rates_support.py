"""Calls of the rate functions that are refused, and what they are given, shared by the tests of their sentences."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ncdsurv.errors import NcdsurvError
from ncdsurv.indicators import rates

BANDS = {"young": 3, "old": 1}
GROUP = {"count": [20, 60], "population": [1000, 500], "age": ["young", "old"]}
AREAS = {
    "value": [1, 2, 3],
    "population": [5, 5, 5],
    "rank": [1, 2, 3],
    "lower": [0, 1, 2],
    "upper": [2, 3, 4],
}
GROUPS = {
    "frame": pl.DataFrame({"area": ["a", "a"], "age": ["young", "old"], "n": [20, 60], "p": [1000, 500]}),
    **{"count": "n", "population": "p", "age": "age", "standard": BANDS},
}
REFERENCE = {"young": (10, 1000), "old": (30, 500)}


def two(name: str, **given: Any) -> tuple[Any, dict[str, Any]]:
    """A function of the rates and what it is given."""
    return getattr(rates, name), given


def refused(call: tuple[Any, dict[str, Any]]) -> str:
    """The sentence with which a call is refused."""
    function, given = call
    with pytest.raises(NcdsurvError) as caught:
        function(**given)
    return str(caught.value)
