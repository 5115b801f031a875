"""Drafts a mapping in a process of its own, held to the limits of memory and time that reading has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ncdsurv.registry.apart import Request, answer_once, ask_once

if TYPE_CHECKING:
    from ncdsurv.draft import Draft

_MAIN = "ncdsurv.registry.drafting:main"


def draft_apart(path: Path, source: str, facility: str | None = None) -> Draft:
    """Draft a mapping for a table; see `ncdsurv.draft.draft_source`.

    Raises:
        InputError: The file is hostile, damaged, no table, or needs more than reading may take.
    """
    draft: Draft = ask_once(_MAIN, (path, source, facility), [path])
    return draft


def main() -> None:
    """Answer the one request of the parent: a draft, or the error that refuses the file."""
    answer_once(_prepared)


def _prepared(path: Path, source: str, facility: str | None) -> Request:
    from ncdsurv.catalog import load_catalog
    from ncdsurv.draft import draft_source
    from ncdsurv.reference import load_reference

    catalog, reference = load_catalog(), load_reference()
    return [path], lambda: draft_source(path, source, catalog, reference, facility)
