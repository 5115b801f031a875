"""What the disk refuses, told in one line: full, read-only, broken. Libraries wrap such faults in errors of theirs."""

from __future__ import annotations

import errno
import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ncdsurv.errors import StoreError
from ncdsurv.store.objects import storage_fault

if TYPE_CHECKING:
    from ncdsurv.store.objects import Objects

STORE_FAULTS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
    errno.ENFILE,
)
_DO = {
    errno.ENOSPC: "make room on the disk and run the command again",
    errno.EDQUOT: "make room in your quota and run the command again",
    errno.EFBIG: "raise the limit of file sizes and run the command again",
    errno.EIO: "check the disk, then run the command again",
    errno.ENFILE: "end other programs of this machine, then run the command again",
}
_CODE = re.compile(r"\bos error (\d+)\b")


def fault_of(error: BaseException) -> int | None:
    """The system's error number inside an error of Python or of a library; None where there is none."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno is not None:
            return seen.errno
        found = _CODE.search(str(seen))
        if found:
            return int(found[1])
        if os.strerror(errno.ENOSPC) in str(seen):
            return errno.ENOSPC
        seen = seen.__cause__ or seen.__context__
    return None


@contextmanager
def faults_told(folder: Path, objects: Objects | None = None) -> Iterator[None]:
    """Turn what the disk or the object storage refuses inside the block into one line with the remedy.

    The message of a library is not repeated: it may hold a value, or more of an address than it should.

    Args:
        folder: The registry's folder on this machine.
        objects: Its object storage; None where all of it is in the folder.

    Raises:
        StoreError: The disk is full, read-only, broken, or the folder belongs to somebody else; or the storage
            cannot be reached or refuses.
    """
    from deltalake.exceptions import DeltaError
    from polars.exceptions import PolarsError

    try:
        yield
    except (OSError, DeltaError, PolarsError) as error:
        refused = storage_fault(error)
        if objects is not None and refused is not None:
            raise objects.refused(refused) from None
        number = fault_of(error)
        if number == errno.EMFILE:
            raise too_many_files(folder) from error
        if number in STORE_FAULTS:
            raise StoreError(
                "the registry cannot be written",
                got=f"{folder} ({os.strerror(number)})",
                do=_DO.get(number, "check who may write there, then run the command again")
                + "; nothing is lost",
            ) from error
        if isinstance(error, DeltaError):
            raise StoreError(
                "a table of the registry cannot be written",
                got=f"{folder} ({type(error).__name__})",
                do="run the command again; if it stays, restore the lake from a backup",
            ) from error
        raise


def too_many_files(place: object) -> StoreError:
    """The error where this process has as many files open as it may have."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return StoreError(
        "too many open files",
        got=place,
        allowed=f"{allowed} at once",
        do="raise the limit (ulimit -n) and run the command again; nothing is lost",
    )
