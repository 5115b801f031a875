"""The page as one file: markup, style, script and data, and a policy that allows nothing else."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from ncdsurv.maps.interactive.words import LANGUAGES

SCRIPTS = ("read.js", "draw.js", "card.js", "legend.js", "controls.js", "hands.js")


def render_page(payload: dict[str, Any]) -> str:
    """The whole page. The same document gives the same page.

    Its content security policy names the style and the script by their hashes and allows no connection at all.
    """
    lang = payload["lang"]
    style, script = _part("page.css"), _script()
    return _template().render(
        lang=lang,
        other=next(one for one in LANGUAGES if one != lang),
        text=payload["texts"][lang],
        words=payload["words"][lang],
        periods=len(payload["periods"]),
        style=_raw(style),
        script=_raw(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=_raw(_json(payload)),
    )


def _part(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    """The parts of the script in one closure: nothing of it can be seen from outside."""
    body = "\n".join(_part(name) for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{body}}})();\n'


@cache
def _template() -> Any:
    from jinja2 import Environment

    return Environment(autoescape=True, trim_blocks=True).from_string(_part("page.html.j2"))


def _raw(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # the package's own parts, and JSON in which no tag can begin


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode("ascii")


def _json(payload: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in, whatever an area is called."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
