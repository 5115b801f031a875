"""JSON as it must be: numbers stay text, and what is no JSON or no record is told without its value."""

from __future__ import annotations

import json
import math
from typing import Any

_NUMBER_LENGTH = 40
_EXACT = 1e15  # a float above is no code and no reading


class HostileJson(Exception):
    """What the decoder met; says it without the value."""


def _whole_number(text: str) -> str:
    if len(text) > _NUMBER_LENGTH:
        raise HostileJson(f"a number of {len(text)} digits")
    return text


def _number(text: str) -> str:
    value = float(_whole_number(text))
    if not math.isfinite(value):
        raise HostileJson("a number without end")
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)


def _constant(_: str) -> None:
    raise HostileJson("NaN or Infinity, which are not JSON,")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise HostileJson("a field named twice")
    return found


DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_whole_number,
    parse_float=_number,
    parse_constant=_constant,
    strict=False,  # a line break inside a prescription is no reason to lose the file
)
