"""Conformance: does an export hold what the data standard asks for, and the standard itself as documents."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_WHERE = {
    "check_conformance": "ncdsurv.conformance.check",
    "choose_mapping": "ncdsurv.conformance.check",
    "ConformanceReport": "ncdsurv.conformance.report",
    "write_standard": "ncdsurv.conformance.standard",
}

__all__ = ["ConformanceReport", "check_conformance", "choose_mapping", "write_standard"]

if TYPE_CHECKING:
    from ncdsurv.conformance.check import check_conformance, choose_mapping
    from ncdsurv.conformance.report import ConformanceReport
    from ncdsurv.conformance.standard import write_standard


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'ncdsurv.conformance' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
