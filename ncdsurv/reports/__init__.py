"""Reports: notebooks run unattended for every province, checked, and gathered into an offline site.

What is imported here is light; papermill, nbconvert and matplotlib load inside the functions that use them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ncdsurv.reports.catalogue import NotebookSpec, find_notebook, find_notebooks
    from ncdsurv.reports.content import open_report
    from ncdsurv.reports.runner import run_reports
    from ncdsurv.reports.site import write_site

_PLACES = {
    "NotebookSpec": "ncdsurv.reports.catalogue",
    "find_notebook": "ncdsurv.reports.catalogue",
    "find_notebooks": "ncdsurv.reports.catalogue",
    "open_report": "ncdsurv.reports.content",
    "run_reports": "ncdsurv.reports.runner",
    "write_site": "ncdsurv.reports.site",
}

__all__ = ["NotebookSpec", "find_notebook", "find_notebooks", "open_report", "run_reports", "write_site"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'ncdsurv.reports' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
