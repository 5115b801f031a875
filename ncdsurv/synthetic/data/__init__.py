"""Parameters of the invented people, stations and files, as TOML and CSV."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def parameters(name: str) -> dict[str, Any]:
    """One parameter file as nested dicts; callers must not change it.

    Args:
        name: File name without `.toml`.

    >>> parameters("illness")["verified"]
    False
    """
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """One CSV file as dicts of strings.

    Args:
        name: File name without `.csv`.
    """
    text = (files(__name__) / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))
