"""Refuses hostile and mistaken files before any reader sees them; every refusal is one line.

Limits follow what station exports can be: a station's month is below 1 MB, a province's year below 100 MB.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ncdsurv.errors import InputError

_MB = 1024 * 1024
_ZIP, _OLE, _GZIP = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x1f\x8b"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_PAGE = re.compile(rb"<(?:!doctype\s+html|html|table|body|meta)\b", re.IGNORECASE)
_CELL_WIDE = re.compile(rb'r="[A-Z]{3}\d')
_CELL_COLUMN = re.compile(rb'r="([A-Z]{2})\d')
_ROW = re.compile(rb'<row\b[^>]*?\br="(\d+)"')
_LETTERS = 26
_SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb")


@dataclass(frozen=True)
class Limits:
    """What a file may weigh."""

    file_bytes: int = 200 * _MB
    unpacked_bytes: int = 200 * _MB
    unpacked_ratio: int = 100
    ratio_matters_above: int = 5 * _MB
    zip_entries: int = 1_000
    cells: int = 40_000_000
    rows: int = 1_000_000
    columns: int = 1_000


LIMITS = Limits()


def check_file(path: Path, limits: Limits = LIMITS) -> tuple[str, str]:
    """Look at a file from outside: size, kind by its first bytes, and what it would unpack to.

    Args:
        path: The file.
        limits: What it may weigh.

    Returns:
        Its kind (`xlsx`, `xls`, `xml`, `zip` or `text`) and its SHA-256.

    Raises:
        InputError: The file is missing, empty, too large, encrypted, a web page, or a bomb.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise refuse(path, "is not a file", "give the path of a file")
        if size == 0:
            raise refuse(path, "is empty", "export it again")
        check_size(path, limits)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            return _kind(path, file, limits), digest
    except FileNotFoundError:
        raise refuse(path, "does not exist", "check the path") from None
    except OSError as error:
        raise refuse(path, f"cannot be opened ({error.strerror})", "check the path and its rights") from None


def check_size(path: Path, limits: Limits = LIMITS) -> None:
    """Refuse what is too large even to be copied.

    Raises:
        InputError: It is above the limit.
    """
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise refuse(
            path, "is larger than a file may be", "split it by month", *_sizes(size, limits.file_bytes)
        )


def refuse(path: Path, what: str, do: str, got: str | None = None, allowed: str | None = None) -> InputError:
    """The error that names a file and what to do."""
    return InputError(f"{path.name} {what}", got=got, allowed=allowed, do=do)


def _sizes(size: int, allowed: int) -> tuple[str, str]:
    """Both in MB, the first rounded up: it is above the second."""
    return f"{-(-size // _MB)} MB", f"{allowed // _MB} MB"


def _kind(path: Path, file: BinaryIO, limits: Limits) -> str:
    head = file.read(4096)
    if head.startswith(_ZIP):
        return "xlsx" if _check_zip(path, limits) else "zip"
    if head.startswith(_OLE):
        if _ENCRYPTED in head + file.read(_MB):
            raise refuse(path, "is encrypted", "remove the password and save it again")
        return "xls"
    if head.startswith(_GZIP):
        raise refuse(path, "is compressed", "unpack it first")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if _PAGE.match(text) or (_PAGE.search(head) and path.suffix.lower() in (".xls", ".xlsx")):
        raise refuse(path, "is a web page named like a spreadsheet", "open it and save it as .xlsx")
    if text.startswith(b"<"):
        return "xml"
    if path.suffix.lower() in _SPREADSHEETS:
        raise refuse(path, "is not a spreadsheet although it is named like one", "save it again as .xlsx")
    return "text"


def _check_zip(path: Path, limits: Limits) -> bool:
    """Whether it is a workbook; an archive of other files is judged by the reader of archives."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            workbook = any(entry.filename.startswith("xl/") for entry in entries)
            if not workbook and path.suffix.lower() not in _SPREADSHEETS:
                return False
            if len(entries) > limits.zip_entries:
                raise refuse(path, f"holds {len(entries)} parts", "export it again; this is no spreadsheet")
            if any(entry.flag_bits & 1 for entry in entries):
                raise refuse(path, "is encrypted", "remove the password and save it again")
            total = sum(entry.file_size for entry in entries)
            packed = max(1, sum(entry.compress_size for entry in entries))
            if total > limits.unpacked_bytes:
                sizes = _sizes(total, limits.unpacked_bytes)
                raise refuse(path, "unpacks to more than a file may be", "split it by month", *sizes)
            if total > limits.ratio_matters_above and total > limits.unpacked_ratio * packed:
                raise refuse(path, f"unpacks to {total // packed} times its size", "export it again")
            if not workbook:
                raise refuse(path, "is a zip archive but no spreadsheet", "unpack it, or save it as .xlsx")
            for entry in entries:
                if entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml"):
                    _check_cells(path, archive.read(entry), limits)
            return True
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, ValueError):
        raise refuse(path, "is a damaged spreadsheet", "export it again") from None
    except Exception as error:
        if isinstance(error, InputError | OSError | MemoryError):
            raise
        raise refuse(path, "is a damaged spreadsheet", "export it again") from None


def _check_cells(path: Path, sheet: bytes, limits: Limits) -> None:
    """A reader lays a sheet out as a full rectangle: two far cells can cost more than the zip tells."""
    if _CELL_WIDE.search(sheet):
        raise refuse(
            path, f"has a cell beyond column {limits.columns}", "delete what stands far to the right"
        )
    rows = max((int(row) for row in _ROW.findall(sheet)), default=0)
    if rows > limits.rows:
        raise refuse(path, f"has a cell in row {rows}", "delete what stands far below")
    if rows * _LETTERS * (_LETTERS + 1) <= limits.cells:
        return
    letters = max(_CELL_COLUMN.findall(sheet), default=b"")
    width = (letters[0] - 64) * _LETTERS + letters[1] - 64 if letters else _LETTERS  # 64: the byte before "A"
    if rows * width > limits.cells:
        raise refuse(path, f"spans {rows} rows by {width} columns", "split it, delete far cells")
