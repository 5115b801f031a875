"""Sets of ICD-10 codes: single codes and ranges, matched by the prefix of the undotted code."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ICD = re.compile(r"^[A-Z]\d\d[0-9A-Z]{0,3}$")


def check_set(parts: Iterable[str]) -> None:
    """Refuse a set that is not written as codes or ranges.

    Raises:
        ValueError: A part is neither like `I10` nor like `I10-I15`.
    """
    for part in parts:
        ends = part.split("-")
        if len(ends) > 2 or not all(_ICD.match(end) for end in ends):
            raise ValueError(f"icd10 {part!r}: want I10 or I10-I15, without dots")


def in_set(code: str | None, parts: Iterable[str]) -> bool:
    """Whether an ICD-10 code, as written, falls into a set; dagger and star are dropped.

    >>> in_set("O24.4", ["O00-O99"]), in_set("G63.2*", ["G40-G41"]), in_set(None, ["I10"])
    (True, False, False)
    """
    plain = re.sub(r"[^A-Z0-9]", "", (code or "").upper())
    return bool(_ICD.match(plain)) and any(_covers(part, plain) for part in parts)


def _covers(part: str, plain: str) -> bool:
    first, _, last = part.partition("-")
    return first <= plain[: len(first)] <= (last or first)
