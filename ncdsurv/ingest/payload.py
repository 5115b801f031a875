"""What a JSON envelope of a gateway carries: a file in base64 or inline, XML or the same tree as JSON."""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from lxml import etree

from ncdsurv.errors import InputError

_TAG = re.compile(r"[A-Za-z_]\w*")
_ROOT = "HOSO_JSON"
_DEEP = 40
_BLANK = b" \t\r\n\xef\xbb\xbf"


def unwrap(name: str, data: bytes, keys: Sequence[str]) -> Iterator[BinaryIO]:
    """The documents inside a JSON file: one envelope, a list of them, or one envelope a line.

    Args:
        name: What to call the file in an error.
        data: The file.
        keys: Where the payload stands, from outside in; a key that is absent is skipped.

    Raises:
        InputError: Not JSON, or an envelope without payload.
    """
    for number, envelope in enumerate(_envelopes(name, data), 1):
        yield io.BytesIO(_document(f"{name}, envelope {number}", envelope, keys))


def _envelopes(name: str, data: bytes) -> Iterator[Any]:
    text = data.lstrip(_BLANK)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            raise InputError(
                f"{name} is not JSON", allowed="an envelope, a list, or one a line", do="export it again"
            ) from None
    yield from found if isinstance(found, list) else [found]


def _document(name: str, envelope: Any, keys: Sequence[str]) -> bytes:
    content = envelope
    for key in keys:
        if isinstance(content, dict) and key in content:
            content = content[key]
    if isinstance(content, str):
        content = _decoded(name, content)
    if isinstance(content, bytes):
        if content.lstrip(_BLANK)[:1] == b"<":
            return content
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            content = None
    if not isinstance(content, dict) or content is envelope:
        raise InputError(
            f"{name} carries no file",
            allowed=f"{'.'.join(keys)} with XML or JSON in base64",
            do="check --source",
        )
    try:
        return etree.tostring(element_of(content, _ROOT), encoding="utf-8")
    except ValueError:
        raise InputError(f"{name} carries no readable file", do="export it as XML") from None


def _decoded(name: str, text: str) -> bytes:
    if text.lstrip()[:1] in ("<", "{"):
        return text.encode()
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        raise InputError(f"{name} is not base64", do="export it again") from None


def element_of(content: Any, tag: str, depth: int = 0) -> etree._Element:
    """A JSON tree as XML: a key is an element, a list is the element repeated.

    >>> etree.tostring(element_of({"HOSO": [{"A": 1}, {"A": None}]}, "X"))
    b'<X><HOSO><A>1</A></HOSO><HOSO><A/></HOSO></X>'

    Raises:
        ValueError: Too deep, or a text no XML can hold.
    """
    if depth > _DEEP:
        raise ValueError("too deep")
    element = etree.Element(tag)
    if isinstance(content, dict):
        for key, value in content.items():
            if _TAG.fullmatch(key):
                for item in value if isinstance(value, list) else [value]:
                    element.append(element_of(item, key, depth + 1))
    elif content is not None:
        element.text = str(content)
    return element
