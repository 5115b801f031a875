"""Short fingerprints of what a result depends on: the same inputs and code give the same release id."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from ncdsurv.registry.store import Store
    from ncdsurv.store.lake import Snapshot

_COUNTS = (
    "catalog",
    "reference",
    "ingest",
    "clean",
    "link",
    "spells",
    "indicators",
    "quality",
    "store",
    "registry",
)
"""Parts of the package that decide a number; a change in any of them makes another release."""


def fingerprint(content: Any) -> str:
    """SHA-256 of anything that can be written as JSON, independent of the order of keys.

    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=1)
def code_digest() -> str:
    """SHA-256 over the modules that decide a number."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for part in _COUNTS:
        for path in sorted((package / part).rglob("*")):
            if path.suffix in (".py", ".toml"):
                digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def input_digest(snapshot: Snapshot) -> str:
    """SHA-256 over the files taken in, in the order received, their own mappings, and the key of the pseudonyms.

    The key counts because the draw that places people of split communes hangs on the person's id.
    """
    log = snapshot.scan("ingest_log").sort("received").collect()
    files = (
        log.select(pl.format("{}:{}{}", "source", "file_sha256", pl.col("mapping").fill_null("")))
        .to_series()
        .to_list()
    )
    return fingerprint([files, snapshot.key_id])


def basis(store: Store, snapshot: Snapshot) -> dict[str, Any]:
    """Everything a release depends on apart from its months; goes into the manifest."""
    return {
        "input": input_digest(snapshot),
        "definitions": store.catalog.definitions_hash,
        "reference": store.reference.fingerprints,
        "code": code_digest(),
    }


def told_by(store: Store, snapshot: Snapshot) -> str:
    """A digest of what decides a tally beside the records: definitions, code, row hashes, pseudonyms."""
    return fingerprint([store.catalog.definitions_hash, code_digest(), pl.__version__, snapshot.key_id])
