"""The reference packs of a registry on object storage: one list, replaced whole, of files named by their SHA-256."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ncdsurv.errors import StoreError
from ncdsurv.store.atomic import FETCHING, fsync_tree
from ncdsurv.store.files import sha256_of
from ncdsurv.store.objects import Objects

_LIST, _FILES = "reference/packs.json", "reference/files"
_DIGITS = 16


class ObjectPacks:
    """Reference packs under an address, read from copies on this machine.

    Args:
        objects: The registry's address.
        folder: Where the copies stand, one folder for each state of the list: none is ever changed.
    """

    def __init__(self, objects: Objects, folder: Path) -> None:
        self._objects, self._folder = objects, folder

    def here(self) -> Path | None:
        """The folder that holds the packs in use, each in a folder of its own; None where there are none.

        Raises:
            StoreError: A file is missing or was changed, or the storage cannot be read.
        """
        told = self._objects.get(_LIST)
        if told is None:
            return None
        target = self._target(told)
        if not target.is_dir():
            with self._fresh() as fresh:
                for name, sha256 in json.loads(told).items():
                    path = fresh.joinpath(*PurePosixPath(name).parts[-2:])
                    path.parent.mkdir(exist_ok=True)
                    if not self._objects.fetch(f"{_FILES}/{sha256}", path) or sha256_of(path) != sha256:
                        raise StoreError("a reference pack was changed", got=name, do="add it again")
                _settle(fresh, target)
        return target

    @contextmanager
    def changing(self) -> Iterator[Path]:
        """A folder with the packs in use, to be changed; when the block ends well it is what is in use.

        The caller holds the registry's lock.
        """
        before = self.here()
        with self._fresh() as fresh:
            if before is not None:
                shutil.copytree(before, fresh, dirs_exist_ok=True)
            yield fresh
            found = sorted(path for path in fresh.rglob("*") if path.is_file())
            named = {path.relative_to(fresh).as_posix(): sha256_of(path) for path in found}
            for name, sha256 in named.items():
                if not self._objects.has(f"{_FILES}/{sha256}"):
                    self._objects.put(f"{_FILES}/{sha256}", fresh / name)
            told = json.dumps(named, sort_keys=True, indent=1).encode()
            self._objects.put(_LIST, told)
            _settle(fresh, self._target(told))

    def _target(self, told: bytes) -> Path:
        return self._folder / hashlib.sha256(told).hexdigest()[:_DIGITS]

    @contextmanager
    def _fresh(self) -> Iterator[Path]:
        fresh = self._folder / f"{FETCHING}{uuid.uuid4().hex}"
        fresh.mkdir(parents=True)
        try:
            yield fresh
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _settle(fresh: Path, target: Path) -> None:
    """Give a finished folder its name, unless another process was faster with the same."""
    fsync_tree(fresh)
    try:
        os.rename(fresh, target)
    except OSError:
        if not target.is_dir():
            raise
