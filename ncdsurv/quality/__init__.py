"""Quality of the records, stated as indicators: completeness, digit preference, copied readings, rejects."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_WHERE = {
    "quality_table": "ncdsurv.quality.table",
    "residence_rows": "ncdsurv.quality.residence",
    "QUALITY": "ncdsurv.quality.table",
    "load_metrics": "ncdsurv.quality.definitions",
    "QualityMetric": "ncdsurv.quality.definitions",
}

__all__ = ["QUALITY", "QualityMetric", "load_metrics", "quality_table", "residence_rows"]

if TYPE_CHECKING:
    from ncdsurv.quality.definitions import QualityMetric, load_metrics
    from ncdsurv.quality.residence import residence_rows
    from ncdsurv.quality.table import QUALITY, quality_table


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'ncdsurv.quality' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
