"""Examples of the maps, run."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = (
    "asked",
    "classify",
    "draw",
    "export",
    "lines",
    "multiples",
    "page",
    "style",
    "symbols",
    "tiles",
    "two",
    "wording",
)


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_print_what_they_say(module: str) -> None:
    found = doctest.testmod(importlib.import_module(f"ncdsurv.maps.{module}"))
    assert found.failed == 0
    assert found.attempted > 0
