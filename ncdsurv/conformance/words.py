"""The sentences of reports and documents, by id, from `texts.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def words(lang: str) -> dict[str, str]:
    """All sentences in a language (`vi` or `en`).

    >>> words("en")["element"]
    'Element'
    """
    text = files("ncdsurv.conformance").joinpath("texts.toml").read_text(encoding="utf-8")
    return {name: entry[lang] for name, entry in tomllib.loads(text).items()}
