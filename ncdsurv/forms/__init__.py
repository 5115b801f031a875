"""Statutory forms: a versioned definition + a release -> rows -> XLSX.

`fill_form` is pure; `write_form` is the only function here that touches a file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "fill_form": "ncdsurv.forms.fill",
    "write_form": "ncdsurv.forms.xlsx",
    "choose_form": "ncdsurv.forms.choose",
    "FormTable": "ncdsurv.forms.table",
    "FormRow": "ncdsurv.forms.table",
    "Finding": "ncdsurv.forms.table",
}

__all__ = ["Finding", "FormRow", "FormTable", "choose_form", "fill_form", "write_form"]

if TYPE_CHECKING:
    from ncdsurv.forms.choose import choose_form
    from ncdsurv.forms.fill import fill_form
    from ncdsurv.forms.table import Finding, FormRow, FormTable
    from ncdsurv.forms.xlsx import write_form


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ncdsurv.forms' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
