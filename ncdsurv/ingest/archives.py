"""Archives of XML files: checked from outside before a byte is unpacked, never unpacked to disk."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ncdsurv.errors import InputError
from ncdsurv.ingest.guard import refuse

_MEMBERS = 100_000
_RATIO = 200
_RATIO_MATTERS_ABOVE = 20 << 20
_UNPACKED = 400 << 20
_NESTED = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")
_KEEP = (".xml", ".json", ".ndjson", ".txt", "")
_FIXED = (1980, 1, 1, 0, 0, 0)


def members(path: Path) -> Iterator[tuple[str, BinaryIO]]:
    """The XML and JSON members of a zip archive, by name, as streams.

    A member is called by its place, since its name may hold a patient's.

    Args:
        path: A zip archive.

    Yields:
        What to call the member in an error, and its stream.

    Raises:
        InputError: Names that leave the folder, an archive inside, too many or too large members, damage.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            chosen = _checked(path, archive)
            for number, entry in chosen:
                name = f"{path.name}, member {number},"
                with archive.open(entry) as stream:
                    head = stream.read(8)
                if head.startswith(_NESTED):
                    raise refuse(path, "holds an archive inside the archive", "unpack the inner one first")
                with archive.open(entry) as stream:
                    yield name, stream  # type: ignore[misc]
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError):
        raise refuse(path, "is a damaged archive", "pack it again") from None
    except Exception as error:
        if isinstance(error, InputError | OSError | MemoryError):
            raise
        raise refuse(path, "is a damaged archive", "pack it again") from None


def _checked(path: Path, archive: zipfile.ZipFile) -> list[tuple[int, zipfile.ZipInfo]]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > _MEMBERS:
        raise refuse(path, f"holds {len(entries)} files, above {_MEMBERS}", "split it by month")
    if any(_escapes(entry.filename) for entry in entries):
        raise refuse(path, "holds a file whose name leaves the folder", "pack it again")
    if any(entry.flag_bits & 1 for entry in entries):
        raise refuse(path, "is encrypted", "remove the password")
    total = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if total > _UNPACKED or (total > _RATIO_MATTERS_ABOVE and total > _RATIO * packed):
        raise refuse(path, f"unpacks to {total >> 20} MB", "split it by month")
    numbered = enumerate(entries, 1)
    return [(number, entry) for number, entry in numbered if _wanted(entry.filename)]


def _escapes(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return name.startswith(("/", "\\")) or ".." in parts or ":" in name or "\0" in name


def _wanted(name: str) -> bool:
    place = PurePosixPath(name.replace("\\", "/"))
    hidden = any(part.startswith((".", "__MACOSX")) for part in place.parts)
    return not hidden and place.suffix.lower() in _KEEP


def pack(paths: Iterable[Path], into: Path) -> Path:
    """One archive of several files, the same bytes for the same files."""
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(paths):
            archive.writestr(zipfile.ZipInfo(path.name, _FIXED), path.read_bytes(), zipfile.ZIP_DEFLATED, 1)
    return into
