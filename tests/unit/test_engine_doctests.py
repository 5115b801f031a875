"""Every example in the docstrings of the definitions, of cleaning, of the engine and of what stands on it runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from ncdsurv import catalog, clean, frames, indicators, registry, spells

MODULES = [
    f"{package.__name__}.{module.name}"
    for package in (catalog, clean, frames, indicators, registry, spells)
    for module in pkgutil.iter_modules(package.__path__)
    if not module.ispkg
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    if name.rpartition(".")[2] in ("kernel", "rows"):
        pytest.importorskip("numba")
    assert doctest.testmod(importlib.import_module(name)).failed == 0
