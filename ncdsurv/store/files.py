"""Files as received: one read-only copy each, named by SHA-256, never changed, never listed to find data."""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from pathlib import Path

from ncdsurv.errors import InputError, StoreError
from ncdsurv.store.atomic import TEMPORARY, fsync_path, sweep_temporary
from ncdsurv.store.faults import STORE_FAULTS, too_many_files

_BLOCK = 1 << 20
_READ_ONLY = 0o400


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


class KeptFiles:
    """The verbatim copies under `files/<first two hex digits>/<sha256>`.

    They hold names and numbers of patients, so the folder is closed to everybody but its owner.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Where the copy of a file stands, whether it is there or not."""
        return self.folder / sha256[:2] / sha256

    def keep(self, source: Path) -> str:
        """Copy a file in, once; a second call with the same bytes changes nothing.

        Args:
            source: Any readable file.

        Returns:
            Its SHA-256. The copy is on the disk, whole, when this returns.

        Raises:
            InputError: The file cannot be read.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o700)
        temporary = self.folder / f"{TEMPORARY}{uuid.uuid4().hex}"
        digest = hashlib.sha256()
        try:
            try:
                opened = source.open("rb")
            except FileNotFoundError as error:
                raise InputError("file not found", got=source.name, do="check the path") from error
            except OSError as error:
                if error.errno == errno.EMFILE:
                    raise
                raise InputError(
                    "a file cannot be opened", got=f"{source.name} ({error.strerror})", do="check the path"
                ) from error
            with opened as received, temporary.open("xb") as copy:
                while block := received.read(_BLOCK):
                    digest.update(block)
                    copy.write(block)
                copy.flush()
                os.fchmod(copy.fileno(), _READ_ONLY)
                os.fsync(copy.fileno())
            final = self.path(digest.hexdigest())
            if final.exists():
                return digest.hexdigest()
            if not final.parent.exists():
                final.parent.mkdir(exist_ok=True)
                fsync_path(self.folder)
            os.replace(temporary, final)
            fsync_path(final.parent)
        except OSError as error:
            if error.errno == errno.EMFILE:
                raise too_many_files(source.name) from error
            kind = StoreError if error.errno in STORE_FAULTS else InputError
            raise kind("a file cannot be kept", got=f"{source.name} ({error.strerror})") from error
        finally:
            temporary.unlink(missing_ok=True)
        return digest.hexdigest()

    def open_path(self, sha256: str) -> Path:
        """The path of a kept file, after checking that its bytes are still those received.

        Raises:
            StoreError: The copy is missing or was changed.
        """
        path = self.path(sha256)
        if not path.is_file():
            raise StoreError("a kept file is missing", got=sha256[:12], do="restore files/ from a backup")
        if sha256_of(path) != sha256:
            raise StoreError("a kept file was changed", got=sha256[:12], do="restore files/ from a backup")
        return path

    def sweep(self) -> int:
        """Remove half-made copies of an interrupted run; returns how many."""
        return sweep_temporary(self.folder)
