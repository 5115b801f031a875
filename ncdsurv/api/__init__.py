"""The HTTP service: reads releases, never writes. `create_app` makes it, `serve` runs it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "create_app": "ncdsurv.api.app",
    "serve": "ncdsurv.api.server",
    "create_key": "ncdsurv.api.keys",
    "KeyFile": "ncdsurv.api.keys",
}

__all__ = ["KeyFile", "create_app", "create_key", "serve"]

if TYPE_CHECKING:
    from ncdsurv.api.app import create_app
    from ncdsurv.api.keys import KeyFile, create_key
    from ncdsurv.api.server import serve


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ncdsurv.api' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
