"""Writes that are whole or absent: temporary name, fsync, rename, fsync of the folder; one writer at a time."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from ncdsurv.errors import StoreError

TEMPORARY = ".tmp-"
"""Prefix of unfinished work; whatever carries it may be removed by the holder of the lock."""


def fsync_path(path: Path) -> None:
    """Flush one file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_tree(folder: Path) -> None:
    """Flush every file and folder under `folder`, innermost first, then `folder` itself."""
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            fsync_path(Path(root) / name)
        fsync_path(Path(root))


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a restart after a crash, sees the old content or all of the new.

    Args:
        path: Where the file shall stand; its folder exists.
        content: The bytes.
        mode: Permission bits, set before the name appears.
    """
    temporary = path.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fchmod(out.fileno(), mode)
            os.fsync(out.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_path(path.parent)


@contextlib.contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """A temporary sibling of `final` that takes its name when the block ends well, and vanishes otherwise.

    Args:
        final: The folder to make; must not exist when the block ends.

    Yields:
        The temporary folder, empty.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.parent / f"{TEMPORARY}{final.name}-{uuid.uuid4().hex[:8]}"
    temporary.mkdir()
    try:
        yield temporary
        fsync_tree(temporary)
        os.rename(temporary, final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    fsync_path(final.parent)


ASIDE = ".aside-"
"""Prefix of a folder that another is about to replace: it still counts while none has its name."""


def replace_folder(fresh: Path, target: Path) -> None:
    """Put a finished folder in another's place; at every instant one of the two is found (see `folders_of`).

    Args:
        fresh: The new folder, on the same disk.
        target: The name it shall have.
    """
    fsync_tree(fresh)
    aside = target.with_name(ASIDE + target.name)
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(target, aside)
    os.rename(fresh, target)
    fsync_path(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def folders_of(parent: Path) -> list[Path]:
    """The folders under `parent`, by name; one set aside counts where its successor never got its name."""
    if not parent.is_dir():
        return []
    found = {path.name: path for path in parent.iterdir() if path.is_dir()}
    for name in [name for name in found if name.startswith(ASIDE)]:
        found.setdefault(name.removeprefix(ASIDE), found[name])
    return [found[name] for name in sorted(found) if not name.startswith(".")]


def settle_folders(parent: Path) -> None:
    """Sweep `parent`, and end replacements that broke off; only the holder of the lock may call it."""
    sweep_temporary(parent)
    for aside in parent.glob(f"{ASIDE}*") if parent.is_dir() else ():
        target = aside.with_name(aside.name.removeprefix(ASIDE))
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            os.rename(aside, target)


FETCHING = ".fetch-"
"""Prefix of what a reader is copying here: readers hold no lock, so no writer may take it for left over."""
_FETCHED_WITHIN = 24 * 3600


def sweep_fetched(folder: Path) -> None:
    """Remove copies that readers began more than a day ago and never ended."""
    for path in folder.glob(f"{FETCHING}*") if folder.is_dir() else ():
        with contextlib.suppress(OSError):  # ended meanwhile
            if time.time() - path.stat().st_mtime > _FETCHED_WITHIN:
                shutil.rmtree(path, ignore_errors=True)


def sweep_temporary(folder: Path) -> int:
    """Remove what an interrupted write left in `folder`; only the holder of the lock may call it.

    Returns:
        How many files and folders were removed.
    """
    left = [path for path in folder.glob(f"{TEMPORARY}*") if path.exists()] if folder.is_dir() else []
    for path in left:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(left)


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file `path`: one writer at a time; the kernel frees it when the process dies.

    Raises:
        StoreError: Another process is writing.
    """
    import fcntl

    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(
                "the registry is being written by another process",
                got=path.parent.name,
                do="wait until it has finished; nothing was changed",
            ) from error
        yield
    finally:
        os.close(handle)
