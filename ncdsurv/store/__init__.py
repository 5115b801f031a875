"""The only place that touches files of ours: files as received, lake, vault, releases."""

from __future__ import annotations

from ncdsurv.store.files import KeptFiles
from ncdsurv.store.lake import Lake, Snapshot
from ncdsurv.store.release import Release, ReleaseStore
from ncdsurv.store.revision import compare
from ncdsurv.store.vault import Vault

__all__ = ["KeptFiles", "Lake", "Release", "ReleaseStore", "Snapshot", "Vault", "compare"]
