"""Importing ncdsurv costs little more than nothing; what is heavy is loaded by the verb that needs it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "pandas",
    "geopandas",
    "statsmodels",
    "matplotlib",
    "papermill",
    "fastapi",
    "deltalake",
    "scipy",
    "numba",
)


def _loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {name.split(".")[0] for name in done.stdout.split()}


def test_import_ncdsurv_loads_nothing_heavy() -> None:
    assert not _loaded("import ncdsurv") & {*HEAVY, "polars"}


def test_loading_the_catalog_loads_no_frame_library() -> None:
    assert not _loaded("import ncdsurv; ncdsurv.load_catalog()") & {*HEAVY, "polars"}


def test_every_public_verb_is_there() -> None:
    loaded = _loaded("import ncdsurv\nfor name in ncdsurv.__all__: getattr(ncdsurv, name)")
    assert "polars" in loaded
