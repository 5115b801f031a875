"""Definitions as data, the vocabulary, the table schemas and the closed condition grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ncdsurv.catalog.load import Catalog, load_catalog

__all__ = ["Catalog", "load_catalog"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # pydantic is loaded only by those who load the catalog
        from ncdsurv.catalog import load

        return getattr(load, name)
    raise AttributeError(f"module 'ncdsurv.catalog' has no attribute {name!r}")
