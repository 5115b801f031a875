"""Reference packs: areas of both vintages, the crosswalk, populations, facilities, boundaries.

An area code means nothing without its vintage. Every figure can be given in either geography, because people are
counted in atoms: the pieces of land that both geographies are made of.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "load_reference": "ncdsurv.reference.load",
    "Reference": "ncdsurv.reference.load",
    "validate_pack": "ncdsurv.reference.validate",
    "add_pack": "ncdsurv.reference.add",
    "Archipelago": "ncdsurv.reference.archipelagos",
    "is_invented": "ncdsurv.reference.pack",
}
__all__ = ["Archipelago", "Reference", "add_pack", "is_invented", "load_reference", "validate_pack"]

if TYPE_CHECKING:
    from ncdsurv.reference.add import add_pack
    from ncdsurv.reference.archipelagos import Archipelago
    from ncdsurv.reference.load import Reference, load_reference
    from ncdsurv.reference.pack import is_invented
    from ncdsurv.reference.validate import validate_pack


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ncdsurv.reference' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
