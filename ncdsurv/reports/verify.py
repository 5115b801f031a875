"""What must hold of a report before a reader may see it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

_EXTERNAL = re.compile(
    r"""(?:\b(?:src|srcset|data|poster|action)\s*=\s*["']?\s*(?:https?:)?//)"""
    r"""|(?:<link\b[^>]*\bhref\s*=\s*["']?\s*(?:https?:)?//)"""
    r"""|(?:url\(\s*["']?\s*(?:https?:)?//)|(?:@import\b)|(?:<script\b)|(?:<iframe\b)""",
    re.IGNORECASE,
)
_EMBEDDED = re.compile(r"data:[a-z]+/[a-z0-9.+-]+;base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
_MARKUP = re.compile(r"<style\b.*?</style>|<[^>]+>", re.IGNORECASE | re.DOTALL)
_PERSONAL = {
    "a 12-digit number, the shape of a citizen id": re.compile(r"(?<![\d.,])\d{12}(?![\d])"),
    "the shape of an insurance number": re.compile(r"\b[A-Z]{2}[1-5]\d{12}\b"),
    "the shape of a mobile phone number": re.compile(r"(?<![\d.,])0[35789]\d{8}(?!\d)"),
}
_EXPLAINED = 'class="note nothing"'  # words that say why a table or figure is not there
_SHAPES = {
    "figure": re.compile(r"<(?:img|svg)\b"),
    "table": re.compile(r"<table\b"),
    "text": re.compile(r"\w"),
}


def check_notebook(notebook: dict[str, Any], required: Iterable[str]) -> list[str]:
    """Problems of an executed notebook: an error left in it, or a declared output that is not there.

    Args:
        notebook: The executed notebook as JSON.
        required: Tags such as `figure:trend` that must have produced what they name.

    Returns:
        One line for each problem.
    """
    problems = []
    for tag in required:
        cells = [cell for cell in notebook["cells"] if tag in cell.get("metadata", {}).get("tags", [])]
        shape = _SHAPES[tag.partition(":")[0]]
        shown = [_html_of(cell) for cell in cells]
        if not any(shape.search(html) or _EXPLAINED in html for html in shown):
            problems.append(f"the output {tag} is missing")
    for number, cell in enumerate(notebook["cells"]):
        if any(output.get("output_type") == "error" for output in cell.get("outputs", [])):
            problems.append(f"cell {number} holds an error")
    return problems


def check_html(html: str) -> list[str]:
    """Problems of a finished page: anything fetched from outside, a script, or a personal number."""
    problems = []
    plain = _EMBEDDED.sub("", html)
    outside = _EXTERNAL.search(plain)
    if outside:
        problems.append(f"the page would fetch or run something: {outside.group(0)[:40]}")
    words = _MARKUP.sub(" ", plain)
    problems += [f"the page holds {what}" for what, pattern in _PERSONAL.items() if pattern.search(words)]
    if not re.search(r"<html[^>]*\blang=", html) or not re.search(r"<title>[^<]+</title>", html):
        problems.append("the page lacks its language or its title")
    return problems


def check_results(text: str) -> list[str]:
    """Problems of the machine-readable results: not JSON, or a number that is none."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError as error:
        return [f"results.json cannot be used: {error}"]
    return []


def _html_of(cell: dict[str, Any]) -> str:
    """What the page will show of a cell: HTML, else a picture, else words."""
    parts = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        picture = "<img>" if any(kind.startswith("image/") for kind in data) else ""
        parts.append("".join(data.get("text/html", "")) or picture or "".join(data.get("text/plain", "")))
        parts.append("".join(output.get("text", "")))
    return "".join(parts)
