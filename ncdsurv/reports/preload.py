"""Imported once by the server that reports are forked from; imports only, nothing is computed here.

polars may be imported before a fork but must not have run a query, and `matplotlib_inline` must not be
imported at all: figures would vanish without a word.
"""

from __future__ import annotations

import contextlib
import importlib
import os

os.environ.setdefault("MPLBACKEND", "Agg")
for _name in (
    "polars",
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "geopandas",
    "statsmodels.api",
    "statsmodels.formula.api",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_svg",
    "matplotlib.backends.backend_agg",
    "IPython.core.interactiveshell",
    "papermill",
    "nbconvert",
    "ncdsurv.registry",
    "ncdsurv.catalog",
    "ncdsurv.reference",
    "scipy.stats",
    "scipy.sparse",
    "ncdsurv.trends.described",
    "ncdsurv.trends.draw",
    "ncdsurv.trends.control.verb",
    "ncdsurv.trends.forecast.verb",
    "ncdsurv.areas.smoothing",
    "ncdsurv.areas.clustering",
    "ncdsurv.areas.funnels.verb",
    "ncdsurv.areas.funnels.draw",
    "ncdsurv.maps.draw",
    "ncdsurv.reports.content",
    "ncdsurv.reports.html",
    "ncdsurv.reports.worker",
):
    # A library that is missing fails where it is used, with a message, not here in a server without one.
    with contextlib.suppress(ImportError):
        importlib.import_module(_name)
