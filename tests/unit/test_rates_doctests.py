"""Every example in the docstrings of the rate functions runs, and every public function has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

from ncdsurv.indicators import rates

MODULES = [f"{rates.__name__}.{module.name}" for module in pkgutil.iter_modules(rates.__path__)]


@pytest.mark.parametrize("name", [rates.__name__, *MODULES])
def test_the_examples_of_a_module_run(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0


@pytest.mark.parametrize("name", [name for name in rates.__all__ if inspect.isfunction(getattr(rates, name))])
def test_every_public_function_has_an_example(name):
    assert ">>>" in (getattr(rates, name).__doc__ or "")


def test_the_package_opens_the_rates_without_loading_more_than_they_need():
    code = """
import sys
import ncdsurv
assert not {"numpy", "polars", "narwhals", "scipy"} & set(sys.modules), "import ncdsurv stays light"
found = ncdsurv.indicators.rates.proportion(count=[1], total=[4])
assert found.value.tolist() == [25.0]
assert not {"pandas", "polars", "pydantic", "statsmodels", "matplotlib"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
