"""Why a method gave no answer, in the reader's language: a refusal is a finding, not a failure of the report."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from ncdsurv.errors import NcdsurvError
from ncdsurv.maps.style import nfc

_FILE = Path(__file__).parents[1] / "refusals.toml"


@cache
def reasons() -> dict[str, dict[str, str]]:
    """Beginning of an error -> the reason in both languages."""
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def reason_of(error: NcdsurvError, lang: str) -> str:
    """One clause that says why, for the middle of a sentence.

    Args:
        error: What the method raised.
        lang: `vi` or `en`.

    Returns:
        The reason; a general one where the error has no wording of its own.
    """
    from ncdsurv.trends.method import phrase
    from ncdsurv.trends.refusal import SeriesRefused

    if isinstance(error, SeriesRefused):
        return phrase(f"described.why.{error.reason}", lang, **error.parts)
    known = next((entry for begin, entry in reasons().items() if error.what.startswith(begin)), None)
    if known is None:
        return phrase("described.why.other", lang)
    return nfc(known[lang].format(got=_number(error.got), allowed=_number(error.allowed)))


def _number(words: Any) -> str:
    found = re.search(r"\d+", str(words or ""))
    return found.group() if found else "–"
