"""Where a registry stands: all of it in one folder, or what may be shared on object storage and the rest here.

What names people never leaves this machine: the vault with its key, and the files as received. A registry on
object storage therefore has a folder of this machine beside it, which also takes scratch, the counts kept from
build to build, and copies of releases to read from.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from ncdsurv.errors import StoreError, UsageError
from ncdsurv.store.address import is_address
from ncdsurv.store.atomic import write_whole
from ncdsurv.store.objects import Objects

LOCAL_VARIABLE = "NCDSURV_LOCAL"
MARK = "registry.json"
_MARK_DIGITS = 16
_OF_A_REGISTRY = ("vault", "files", "lake")


def objects_at(place: str | Path) -> Objects | None:
    """The object storage of an address; None for a folder.

    Raises:
        UsageError: An address that cannot be one of a registry.
    """
    return Objects(str(place)) if is_address(place) else None


def folder_here(place: str | Path, local: str | Path | None = None) -> Path:
    """The folder of this machine that belongs to a registry: its own, or the one named beside an address.

    Args:
        place: The registry's folder or address.
        local: The folder beside an address; None is the one that NCDSURV_LOCAL names.

    Raises:
        UsageError: A registry on object storage, and no folder is named.
    """
    if not is_address(place):
        return Path(place)
    named = local or os.environ.get(LOCAL_VARIABLE)
    if not named:
        raise UsageError(
            "a registry on object storage needs a folder on this machine",
            got=f"no {LOCAL_VARIABLE}",
            do=f"name one, closed to others, in {LOCAL_VARIABLE}: the vault with its key, the files as received "
            "and scratch stay there",
        )
    return Path(named)


def claim(objects: Objects, folder: Path) -> None:
    """Make sure that a folder and an address belong together, before anything is written or tidied.

    The address holds a random mark from its first writer on, and the folder of whoever writes it a copy.

    Raises:
        StoreError: The folder belongs to another registry, or the storage writes over what exists.
    """
    content = objects.get(MARK)
    if content is None:
        if (folder / MARK).exists() or any((folder / name).exists() for name in _OF_A_REGISTRY):
            raise _another(folder)
        fresh = json.dumps({"registry": secrets.token_hex(_MARK_DIGITS)}).encode() + b"\n"
        objects.put_new(MARK, fresh)
        content = objects.get(MARK) or b""
    if objects.put_new(MARK, content):
        raise StoreError(
            "this object storage writes over what exists",
            got=objects.uri,
            allowed="storage that honours If-None-Match",
            do="choose another, or a newer version of it; two writers could not be kept apart",
        )
    own = folder / MARK
    if own.exists():
        if own.read_bytes() != content:
            raise _another(folder)
    elif any((folder / name).exists() for name in _OF_A_REGISTRY):
        raise _another(folder)
    else:
        folder.chmod(0o700)
        write_whole(own, content, mode=0o600)


def _another(folder: Path) -> StoreError:
    return StoreError(
        "the folder on this machine belongs to another registry",
        got=folder,
        do=f"name in {LOCAL_VARIABLE} the folder that this registry was written with, or an empty one for a new "
        "registry at an empty address",
    )
