"""Invented registries with known truth, written in every source's own file format.

Nobody in them exists. Same seed, same bytes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "Dirt": "ncdsurv.synthetic.dirt",
    "SyntheticRegistry": "ncdsurv.synthetic.registry",
    "make_registry": "ncdsurv.synthetic.registry",
    "sample": "ncdsurv.synthetic.samples",
    "truth_counts": "ncdsurv.synthetic.truth",
    "write_exports": "ncdsurv.synthetic.writers",
    "write_samples": "ncdsurv.synthetic.samples",
}
__all__ = [
    "Dirt",
    "SyntheticRegistry",
    "make_registry",
    "sample",
    "truth_counts",
    "write_exports",
    "write_samples",
]

if TYPE_CHECKING:
    from ncdsurv.synthetic.dirt import Dirt
    from ncdsurv.synthetic.registry import SyntheticRegistry, make_registry
    from ncdsurv.synthetic.samples import sample, write_samples
    from ncdsurv.synthetic.truth import truth_counts
    from ncdsurv.synthetic.writers import write_exports


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ncdsurv.synthetic' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
