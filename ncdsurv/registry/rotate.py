"""A new key: every pseudonym of the registry made anew, from the files as they were received."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.tables import empty
from ncdsurv.errors import StoreError
from ncdsurv.registry.batch import Batch, Received
from ncdsurv.registry.ingest import under_their_names
from ncdsurv.registry.mappings import kept_source
from ncdsurv.registry.tallied import forget
from ncdsurv.registry.workers import clean_files
from ncdsurv.store.vault import key_id

if TYPE_CHECKING:
    from ncdsurv.registry.store import Store


def rotate_key(store: Store) -> dict[str, Any]:
    """Replace the key of the pseudonyms and every id made with it; the caller holds the lock.

    The kept files are read and cleaned again in the order they came in, under the new key, and replace all
    records in one commit. The new key waits beside the old one until that commit: a rotation that breaks off
    before it changes nothing; after it the next writer ends the work. All older states of the lake are
    removed from the disk, because their ids were made with the old key; then the new key takes its place.
    Releases carry no ids and stay.

    Returns:
        `old` and `new` key ids, `files` read again.

    Raises:
        StoreError: The registry is empty, or a kept file is missing or cannot be read any more.
    """
    snapshot = store.lake.snapshot()
    if not snapshot.number:
        raise StoreError("the registry is empty", got=store.place, do="there is no key to rotate yet")
    forget(store)
    old = store.vault.key(snapshot.key_id)
    new = store.vault.prepare_next_key()
    log = snapshot.read("ingest_log").sort("received")
    rows = log.select("received", "file_sha256", "name", "source", "mapping").rows()
    names = [(sha256, name) for _, sha256, name, *_ in rows]
    with under_their_names(store, names) as paths, store.lake.transaction() as tx:
        for table in snapshot.versions:
            tx.overwrite(table, empty(store.lake.tables[table].schema))
        files = [
            Received(number, path, sha256) for (number, sha256, *_), path in zip(rows, paths, strict=True)
        ]
        for source, group in groupby(zip(rows, files, strict=True), key=lambda pair: pair[0][3:]):
            _again(store, tx, source, [file for _, file in group], new)
        commit = tx.commit("rotate", key_id(new))
    store.lake.forget_before(commit)  # a run that breaks off here is finished by the next writer
    store.vault.adopt_next_key()
    return {"old": key_id(old), "new": key_id(new), "files": len(files)}


def _again(store: Store, tx: Any, source: tuple[str, str | None], files: list[Received], key: bytes) -> None:
    how = kept_source(store, *source)
    batch = Batch(tx, *source)
    by_path: dict[Path, Received] = {file.path: file for file in files}
    for paths, cleaned in clean_files([file.path for file in files], how, key, store.packs):
        for path, error in zip(paths, cleaned.refused, strict=True):
            if error is not None:
                raise StoreError(
                    "a kept file cannot be read any more", got=f"{path.name}: {error}", do="report this"
                )
        if cleaned.batch is not None:
            batch.add([by_path[path] for path in paths], cleaned.batch, cleaned.skipped, more=cleaned.more)
    batch.finish()
