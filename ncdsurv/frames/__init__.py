"""The engine on frames, without a store: records in, spells out, one patient's history checked by hand."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_WHERE = {
    "build_spells": "ncdsurv.frames.spells",
    "Spells": "ncdsurv.frames.spells",
    "states": "ncdsurv.frames.month",
    "count": "ncdsurv.frames.shares",
    "explain_person": "ncdsurv.frames.story",
    "Story": "ncdsurv.frames.story",
}

__all__ = ["Spells", "Story", "build_spells", "count", "explain_person", "states"]

if TYPE_CHECKING:
    from ncdsurv.frames.month import states
    from ncdsurv.frames.shares import count
    from ncdsurv.frames.spells import Spells, build_spells
    from ncdsurv.frames.story import Story, explain_person


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'ncdsurv.frames' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
