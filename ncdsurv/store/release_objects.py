"""Releases on object storage: published with the manifest last and once, read from a checked copy on this machine.

Each file stands under a name that its SHA-256 is part of, so whoever writes it writes the same; a release is there
when its manifest is, and the storage lets a manifest be put only once.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ncdsurv.errors import StoreError, unknown
from ncdsurv.store.atomic import FETCHING, replace_folder
from ncdsurv.store.files import sha256_of
from ncdsurv.store.objects import Objects
from ncdsurv.store.release import LATEST, MANIFEST, Release, ReleaseStore

_ROOT = "releases"
_DIGITS = 16


class ObjectReleases(ReleaseStore):
    """See `ReleaseStore`; whoever opens a release gets a copy of it, fetched once.

    Args:
        objects: The registry's address.
        folder: Where the copies stand.
        packs: Gives the folder of the reference packs in use.
    """

    def __init__(self, objects: Objects, folder: Path, packs: Callable[[], Path | None]) -> None:
        super().__init__(folder)
        self._objects, self._packs = objects, packs
        self._manifests: dict[str, bytes] = {}  # they never change

    def _manifest(self, release_id: str) -> bytes | None:
        if Path(release_id).name != release_id:
            return None
        if release_id not in self._manifests:
            content = self._objects.get(f"{_ROOT}/{release_id}/{MANIFEST}")
            if content is None:
                return None
            self._manifests[release_id] = content
        return self._manifests[release_id]

    def has(self, release_id: str) -> bool:
        """See `ReleaseStore.has`."""
        return self._manifest(release_id) is not None

    def _found(self) -> list[dict[str, Any]]:
        contents = [self._manifest(name) for name in self._objects.folders(_ROOT)]
        return [json.loads(content) for content in contents if content is not None]

    def open(self, release_id: str) -> Release:
        """See `ReleaseStore.open`.

        Raises:
            UsageError: There is no such release; it names the nearest.
            StoreError: A file of it is missing or was changed, or the storage cannot be read.
        """
        if release_id == LATEST:
            return self.latest()
        content = self._manifest(release_id)
        if content is None:
            raise unknown("release", release_id, self.ids())
        folder = self.folder / release_id
        if not _is_copy(folder, content):
            self._fetch(release_id, content)
        return Release(folder, self._packs())

    def _fetch(self, release_id: str, manifest: bytes) -> None:
        """Copy a release here, checked, in the place of what has its name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / release_id
        fresh = self.folder / f"{FETCHING}{release_id}-{uuid.uuid4().hex[:8]}"
        fresh.mkdir()
        try:
            for name, expected in json.loads(manifest)["files"].items():
                path = fresh / Path(name).name
                there = self._objects.fetch(_object(release_id, name, expected["sha256"]), path)
                if not there or sha256_of(path) != expected["sha256"]:
                    raise StoreError(
                        "a release was changed", got=f"{release_id}/{name}", do="restore it from a backup"
                    )
            (fresh / MANIFEST).write_bytes(manifest)
            try:
                replace_folder(fresh, target)
            except OSError:  # another reader was faster
                if not _is_copy(target, manifest):
                    raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def publish(self, release_id: str) -> None:
        """Put a finished release of this machine onto the storage, for all to see from its manifest on.

        Where somebody published the same release meanwhile, theirs counts.

        Raises:
            StoreError: A file is not what the manifest says, or the storage refuses.
        """
        folder = self.folder / release_id
        release = Release(folder)
        release.verify()
        for name, facts in release.manifest["files"].items():
            self._objects.put(_object(release_id, name, facts["sha256"]), folder / name)
        self._objects.put_new(f"{_ROOT}/{release_id}/{MANIFEST}", (folder / MANIFEST).read_bytes())


def _object(release_id: str, name: str, sha256: str) -> str:
    return f"{_ROOT}/{release_id}/{sha256[:_DIGITS]}/{name}"


def _is_copy(folder: Path, manifest: bytes) -> bool:
    path = folder / MANIFEST
    return path.is_file() and path.read_bytes() == manifest
