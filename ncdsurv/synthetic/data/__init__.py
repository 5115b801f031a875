"""Parameters of the invented people, stations and files, as TOML and CSV."""

from __future__ import annotations

import csv
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any


@lru_cache(maxsize=None)
def parameters(name: str) -> dict[str, Any]:
    """One parameter file as nested dicts; callers must not change it.

    Args:
        name: File name without `.toml`.

    >>> parameters("illness")["verified"]
    False
    """
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=None)
def table(name: str) -> tuple[dict[str, str], ...]:
    """One CSV file as dicts of strings.

    Args:
        name: File name without `.csv`.
    """
    with (files(__name__) / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(csv.DictReader(handle))
