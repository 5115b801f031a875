"""What a run needs, looked at before it starts: libraries, definitions, reference data, fonts, space, registry."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from ncdsurv.errors import NcdsurvError

_LIBRARIES = (
    "polars",
    "deltalake",
    "pydantic",
    "statsmodels",
    "geopandas",
    "matplotlib",
    "papermill",
    "fastapi",
)
_GIGABYTE = 10**9
_LOW_SPACE_GB = 2.0


class Finding(NamedTuple):
    """One check: `well`, `note` (worth knowing) or `wrong` (a run would fail)."""

    check: str
    state: str
    detail: str


def examine(store: Path | str) -> list[Finding]:
    """Look at everything a run needs; nothing is changed.

    Args:
        store: Folder or address of the registry, which need not exist.

    Returns:
        One finding for each check.
    """
    checks: list[tuple[str, Callable[[], tuple[str, str]]]] = [
        ("libraries", _libraries),
        ("definitions", _definitions),
        ("reference data", _reference),
        ("notebooks", _notebooks),
        ("font", _font),
        ("disk space", lambda: _space(store)),
        ("registry", lambda: _registry(store)),
    ]
    findings = []
    for name, look in checks:
        try:
            state, detail = look()
        except NcdsurvError as error:
            state, detail = "wrong", str(error).splitlines()[0]
        except ImportError as error:
            state, detail = "wrong", f"cannot be imported: {error.name}"
        findings.append(Finding(name, state, detail))
    return findings


def _libraries() -> tuple[str, str]:
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    return ("wrong", "missing: " + ", ".join(missing)) if missing else ("well", ", ".join(found))


def _definitions() -> tuple[str, str]:
    from ncdsurv.catalog import load_catalog

    catalog = load_catalog()
    return "well", (
        f"{len(catalog.diseases)} diseases, {len(catalog.indicators)} indicators, {len(catalog.sources)} sources, "
        f"{len(catalog.forms)} forms"
    )


def _reference() -> tuple[str, str]:
    from ncdsurv.reference import load_reference

    packs = load_reference().manifest
    schematic = [pack["id"] for pack in packs if pack["schematic"]]
    return ("note" if schematic else "well"), ", ".join(pack["id"] for pack in packs) + (
        "; boundaries are schematic" if schematic else ""
    )


def _notebooks() -> tuple[str, str]:
    from ncdsurv.reports.catalogue import find_notebooks
    from ncdsurv.reports.texts import check_texts

    problems = check_texts()
    return ("wrong", problems[0]) if problems else ("well", ", ".join(find_notebooks()))


def _font() -> tuple[str, str]:
    from matplotlib import font_manager

    from ncdsurv.maps.style import FONT

    font_manager.findfont(FONT, fallback_to_default=False)
    return "well", FONT


def _space(store: Path | str) -> tuple[str, str]:
    from ncdsurv.store.place import folder_here

    here = folder_here(store).resolve()
    folder = next(path for path in (here, *here.parents) if path.exists())
    free = shutil.disk_usage(folder).free / _GIGABYTE
    return ("note" if free < _LOW_SPACE_GB else "well"), f"{free:.1f} GB free"


def _registry(store: Path | str) -> tuple[str, str]:
    if isinstance(store, Path) and not store.exists():
        return "note", f"no registry at {store}"
    from ncdsurv.registry import open_store

    releases = open_store(store).releases.list()
    return "well", f"releases: {len(releases)}" + (f", latest {releases[-1]['id']}" if releases else "")
