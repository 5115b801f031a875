"""The verbs that keep what they make: ingest, link, build a release, add reference data."""

from __future__ import annotations

from ncdsurv.registry.report import FileReport, IngestReport
from ncdsurv.registry.store import Store, open_store

__all__ = ["FileReport", "IngestReport", "Store", "open_store"]
