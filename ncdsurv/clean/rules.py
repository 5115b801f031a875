"""The registry of cleaning rules: id -> what it does and one line of explanation, for reports."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from ncdsurv.catalog.models import Definition
from ncdsurv.catalog.vocabulary import Language


class Rule(Definition):
    """One cleaning rule."""

    id: str
    kind: Literal["reject", "empty", "mend", "note"]
    vi: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def text(self, language: Language | str = Language.EN) -> str:
        """The explanation in a language."""
        return self.vi if str(language) == Language.VI.value else self.en


@lru_cache(maxsize=1)
def load_rules() -> dict[str, Rule]:
    """All rules by id, in the order in which they take precedence when a row breaks several.

    >>> load_rules()["two_digit_year"].text("en")
    'Year of two digits'
    """
    text = files("ncdsurv.clean").joinpath("rules.toml").read_text(encoding="utf-8")
    return {name: Rule(id=name, **table) for name, table in tomllib.loads(text).items()}


def explain(rule: str, language: Language | str = Language.EN) -> str:
    """One line about a rule; an unknown id is its own explanation."""
    known = load_rules().get(rule)
    return known.text(language) if known else rule
