"""Loose parts of a folder (one XML1 file, one XML2 file, ...) as one archive, so that visits stay whole."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.ingest.archives import pack

_ROOT = re.compile(rb"<([A-Za-z_][\w.-]*)[\s/>]")
_LINES = ".ndjson"
_TYPE = re.compile(r"[A-Z][A-Za-z]+")
_HEAD_BYTES = 4096


@contextmanager
def bundled(
    paths: Iterable[Path], mapping: SourceMapping, within: Path | None = None
) -> Iterator[list[Path]]:
    """The files of a source, with the bare parts of each folder packed into one archive.

    The archive is named after its folder and has the same bytes for the same files, so that sending a folder
    again is known as such. Files with an envelope, and folders that hold heads only, stay as they are.

    Args:
        paths: Files.
        mapping: The source.
        within: A folder for the archives while they are needed; None is the system's.

    Yields:
        The files to read; they vanish afterwards.
    """
    files = list(paths)
    loose = _loose(files, mapping)
    if not loose:
        yield files
        return
    taken = {path for group in loose.values() for path in group}
    room = Path(tempfile.mkdtemp(prefix=".tmp-", dir=within))
    try:
        packed = []
        for number, (folder, group) in enumerate(sorted(loose.items())):
            place = room / str(number)
            place.mkdir(mode=0o700)
            packed.append(pack(group, place / f"{folder.name or 'parts'}.zip"))
        yield [*(path for path in files if path not in taken), *packed]
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _loose(files: list[Path], mapping: SourceMapping) -> dict[Path, list[Path]]:
    """Folder -> its files without envelope, where some of them hold parts that need another file's head."""
    if mapping.linked is not None:
        return _by_type(files, frozenset(mapping.linked.resources))
    if mapping.hoso is None:
        return {}
    part_of = mapping.hoso.part_of_root
    part_of |= {part.line: name for name, part in mapping.hoso.parts.items() if part.line}
    found: dict[Path, list[tuple[str, Path]]] = defaultdict(list)
    for path in files:
        part = part_of.get(_root_of(path))
        if part is not None:
            found[path.parent].append((part, path))
    return {
        folder: [path for _, path in parts]
        for folder, parts in found.items()
        if len(parts) > 1 and any(part != mapping.hoso.head for part, _ in parts)
    }


def _by_type(files: list[Path], kinds: frozenset[str]) -> dict[Path, list[Path]]:
    """Folder -> the files of a bulk export, which holds one type a file (`Patient.ndjson`, `Encounter.000.ndjson`)."""
    found: dict[Path, list[Path]] = defaultdict(list)
    for path in files:
        if path.suffix.lower() == _LINES and _TYPE.fullmatch(path.name.partition(".")[0]):
            found[path.parent].append(path)
    return {
        folder: group
        for folder, group in found.items()
        if len(group) > 1 and any(path.name.partition(".")[0] in kinds for path in group)
    }


def _root_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            root = _ROOT.search(file.read(_HEAD_BYTES))
    except OSError:
        return ""
    return root[1].decode() if root else ""
