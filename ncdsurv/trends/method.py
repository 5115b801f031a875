"""Limits and wording of the trend methods, as the TOML files of this folder have them."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import language


@cache
def method() -> dict[str, Any]:
    """The method files, read once: `method.toml` at the top, every other `NAME.toml` beside it under NAME."""
    here = files("ncdsurv.trends")
    found = tomllib.loads(here.joinpath("method.toml").read_text(encoding="utf-8"))
    for file in sorted(here.iterdir(), key=lambda item: item.name):
        name = file.name.removesuffix(".toml")
        if name != file.name and name not in (*found, "method"):
            found[name] = tomllib.loads(file.read_text(encoding="utf-8"))
    return found


def phrase(key: str, lang: str, **parts: object) -> str:
    """A phrase of the method file by dotted key, parts filled in, in composed form.

    >>> phrase("observed", "en")
    'observed'
    """
    node: Any = method()
    for step in key.split("."):
        node = node[step]
    return nfc(str(node[language(lang)]).format(**parts))
