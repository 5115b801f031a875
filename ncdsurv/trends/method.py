"""Limits and wording of the trend method, as `method.toml` has them."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import language


@cache
def method() -> dict[str, Any]:
    """The method file, read once."""
    return tomllib.loads(files("ncdsurv.trends").joinpath("method.toml").read_text(encoding="utf-8"))


def phrase(key: str, lang: str, **parts: object) -> str:
    """A phrase of the method file by dotted key, parts filled in, in composed form.

    >>> phrase("observed", "en")
    'observed'
    """
    node: Any = method()
    for step in key.split("."):
        node = node[step]
    return nfc(str(node[language(lang)]).format(**parts))
