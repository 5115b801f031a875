"""What the disk refuses, told in one line: full, read-only, broken. Libraries wrap such faults in errors of theirs."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ncdsurv.errors import StoreError

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
def faults_told(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses inside the block into one line that names the registry and the remedy.

    The message of a library is not repeated: it may hold a value.

    Raises:
        StoreError: The disk is full, read-only, broken, or the folder belongs to somebody else.
    """
    from deltalake.exceptions import DeltaError
    from polars.exceptions import PolarsError

    try:
        yield
    except (OSError, DeltaError, PolarsError) as error:
        number = fault_of(error)
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
