"""Limits and phrases of small-area methods, as `method.toml` has them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import language, number, say

_SHOWN_NAMES = 6
_OWN = ("bayes", "funnel", "table")


@cache
def method() -> dict[str, Any]:
    """The method files, read once: `method.toml` at the top, every other `NAME.toml` beside it under NAME."""
    here = files("ncdsurv.areas")
    found = tomllib.loads(here.joinpath("method.toml").read_text(encoding="utf-8"))
    for name in _OWN:
        found[name] = tomllib.loads(here.joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    return found


def phrase(key: str, lang: str, **parts: object) -> str:
    """A phrase by dotted key, parts filled in, in composed form.

    >>> phrase("kind.island", "en")
    'No neighbours, not tested'
    """
    node: Any = method()
    for step in key.split("."):
        node = node[step]
    return nfc(str(node[language(lang)]).format(**parts))


def some(names: Sequence[str], lang: str) -> str:
    """The first few names, and how many more."""
    shown = ", ".join(names[:_SHOWN_NAMES])
    rest = len(names) - _SHOWN_NAMES
    return f"{shown} {say('more', lang, n=rest)}" if rest > 0 else shown


def p_words(value: float, lang: str, decimals: int = 4) -> str:
    """A p value as it is printed: never as 0.

    >>> p_words(0.0123, "en"), p_words(1e-9, "vi")
    ('= 0.0123', '< 0,0001')
    """
    least = 10.0**-decimals
    return f"< {number(least, lang, decimals)}" if value < least else f"= {number(value, lang, decimals)}"


def exact(value: float, lang: str) -> str:
    """A small number with as many decimals as it needs."""
    decimals = next((n for n in range(1, 9) if abs(value - round(value, n)) < 0.005 * abs(value)), 9)
    return number(value, lang, decimals)
