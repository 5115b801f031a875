"""Files in: kept, cleaned, checked against what is known, and made visible in one commit."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from ncdsurv.errors import InputError
from ncdsurv.ingest.bundles import bundled
from ncdsurv.ingest.guard import check_size
from ncdsurv.registry.batch import Batch, Received
from ncdsurv.registry.digest import code_digest
from ncdsurv.registry.mappings import name_source
from ncdsurv.registry.report import KNOWN, REFUSED, FileReport, IngestReport
from ncdsurv.registry.workers import clean_files, make_ready
from ncdsurv.store.atomic import TEMPORARY
from ncdsurv.store.vault import key_id

if TYPE_CHECKING:
    from ncdsurv.registry.store import Store
    from ncdsurv.store.lake import Snapshot

Progress = Callable[[int, int], None]
_SHOWN = 5


def expand(paths: Iterable[str | Path]) -> list[Path]:
    """All files named, and all files under folders named, by name; hidden ones left out.

    Raises:
        InputError: A path does not exist, or nothing is there.
    """
    named = [Path(path) for path in paths]
    missing = [str(path) for path in named if not path.exists()]
    if missing:
        raise InputError("no such file or folder", got=", ".join(missing[:_SHOWN]), do="check the path")
    strange = [str(path) for path in named if not (path.is_dir() or path.is_file())]
    if strange:  # a pipe or a device has no end
        raise InputError(
            "not a file or folder", got=", ".join(strange[:_SHOWN]), do="give the path of a file"
        )
    found: list[Path] = []
    for path in named:
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        found += [p for p in inside if not any(part.startswith(".") for part in p.relative_to(path).parts)]
    if not found:
        raise InputError(
            "no file to take in", got=", ".join(map(str, named)), do="name files or a folder of them"
        )
    return found


def ingest(
    store: Store,
    paths: str | Path | Iterable[str | Path],
    source: str | Path,
    progress: Progress | None = None,
) -> IngestReport:
    """Take in exports of one source; see `Store.ingest`."""
    started = time.monotonic()
    named = name_source(source, store.catalog)
    source = named.id
    found = expand([paths] if isinstance(paths, str | Path) else paths)
    tell = progress or (lambda done, total: None)
    with store.writing(), bundled(found, named.mapping(store.catalog), store.folder) as files:
        snapshot = store.lake.snapshot()
        mapping = store.files.keep(named.file) if named.file else None
        make_ready(len(files), store.packs)
        new, reports = _receive(store, files, (source, mapping), snapshot)
        if not new:
            tell(len(files), len(files))
            return IngestReport(source, tuple(reports), seconds=time.monotonic() - started)
        key = store.vault.key(snapshot.key_id)
        with store.lake.transaction() as tx:
            batch = Batch(tx, source, mapping)
            done = len(files) - len(new)
            by_path = {file.path: file for file in new}
            for group, cleaned in clean_files([file.path for file in new], named.how, key, store.packs):
                good = []
                for path, error in zip(group, cleaned.refused, strict=True):
                    file = by_path[path]
                    if error is None:
                        good.append(file)
                    else:
                        reports.append(FileReport(path.name, file.sha256, REFUSED, error=str(error)))
                if cleaned.batch is not None:
                    batch.add(good, cleaned.batch, cleaned.skipped, more=cleaned.more)
                if not cleaned.more:
                    done += len(group)
                    tell(done, len(files))
            batch.finish()
            commit = (
                tx.commit("ingest", key_id(key), {"code": code_digest()}).number if batch.reports else None
            )
    return IngestReport(
        source,
        tuple(sorted([*batch.reports, *reports], key=lambda file: file.name)),
        dict(sorted(batch.rejected_by_rule.items())),
        dict(sorted(batch.repaired_by_rule.items())),
        commit,
        time.monotonic() - started,
    )


def _receive(
    store: Store, files: list[Path], source: tuple[str, str | None], snapshot: Snapshot
) -> tuple[list[Received], list[FileReport]]:
    """Keep each file; tell the new ones from those already known by their bytes and their mapping."""
    log = snapshot.scan("ingest_log").select("file_sha256", "source", "mapping", "received").collect()
    name, mapping = source
    same = (pl.col("source") == name) & pl.col("mapping").eq_missing(pl.lit(mapping, pl.String))
    known = set(log.filter(same)["file_sha256"])
    number = int(log["received"].max() or 0)  # type: ignore[arg-type]
    new: list[Received] = []
    reports: list[FileReport] = []
    for path in files:
        try:
            check_size(path)
        except InputError as error:
            reports.append(FileReport(path.name, "", REFUSED, error=str(error)))
            continue
        sha256 = store.files.keep(path)
        if sha256 in known:
            reports.append(FileReport(path.name, sha256, KNOWN))
            continue
        known.add(sha256)
        number += 1
        new.append(Received(number, path, sha256))
    return new, reports


@contextmanager
def under_their_names(store: Store, files: Iterable[tuple[str, str]]) -> Iterator[list[Path]]:
    """Kept files under the names they came with, as links in a folder that vanishes afterwards.

    Args:
        store: The store.
        files: (sha256, name) of each.
    """
    folder = store.folder / f"{TEMPORARY}{uuid4().hex}"
    folder.mkdir(mode=0o700)
    try:
        links = []
        for place, (sha256, name) in enumerate(files):
            link = folder / str(place) / name
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(store.files.open_path(sha256).resolve())
            links.append(link)
        yield links
    finally:
        shutil.rmtree(folder, ignore_errors=True)
