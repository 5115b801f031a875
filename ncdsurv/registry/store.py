"""The registry's verbs: ingest, link, build a release, add reference data."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog import load_catalog
from ncdsurv.errors import StoreError
from ncdsurv.store import KeptFiles, Lake, Release, ReleaseStore, Vault
from ncdsurv.store.atomic import exclusive, replace_folder, settle_folders, sweep_fetched, sweep_temporary
from ncdsurv.store.faults import faults_told
from ncdsurv.store.packs_objects import ObjectPacks
from ncdsurv.store.place import claim, folder_here, objects_at
from ncdsurv.store.release import pack_folders
from ncdsurv.store.release_objects import ObjectReleases

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.reference import Reference
    from ncdsurv.registry.ingest import Progress
    from ncdsurv.registry.report import IngestReport


class Store:
    """A registry, on disk or on object storage. Nothing is made until the first write.

    Args:
        place: The registry's folder (`files/`, `lake/`, `vault/`, `reference/`, `releases/`), or an address
            `s3://BUCKET/PREFIX` that takes `lake/`, `reference/` and `releases/`.
        key_file: File of the pseudonyms' key; else NCDSURV_KEY_FILE; else `vault/key`.
        local: Beside an address, the folder of this machine that takes the rest; else NCDSURV_LOCAL.

    Raises:
        UsageError: An address that cannot be one of a registry, or no folder beside it.
    """

    def __init__(
        self,
        place: str | Path,
        key_file: str | Path | None = None,
        local: str | Path | None = None,
    ) -> None:
        self.objects = objects_at(place)
        self.folder = folder_here(place, local)
        self.place = self.folder if self.objects is None else self.objects.uri
        self.files = KeptFiles(self.folder / "files")
        self.vault = Vault(self.folder / "vault", Path(key_file) if key_file else None)
        self.lake = Lake(self.folder / "lake", self.folder / "vault", objects=self.objects)
        self.counted = self.folder / "counted"  # counts kept from build to build: a cache, safe to delete
        packs = self.folder / "reference"
        self._packs = None if self.objects is None else ObjectPacks(self.objects, packs)

    def __repr__(self) -> str:
        return f"Store({str(self.place)!r})"

    @property
    def catalog(self) -> Catalog:
        """The definitions in use."""
        return load_catalog()

    @property
    def packs(self) -> list[Path]:
        """Folders of the reference packs that were added."""
        return pack_folders(self.folder / "reference" if self._packs is None else self._packs.here())

    @property
    def reference(self) -> Reference:
        """The built-in reference pack with the added ones over it."""
        from ncdsurv.reference import load_reference

        return load_reference(*self.packs)

    @cached_property
    def releases(self) -> ReleaseStore:
        """The releases, to read from."""
        folder = self.folder / "releases"
        if self.objects is None or self._packs is None:
            return ReleaseStore(folder)
        return ObjectReleases(self.objects, folder, self._packs.here)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the registry for writing; what an interrupted writer left half-made is removed first.

        Raises:
            StoreError: Another process writes, the folder cannot be written, or the registry on object storage
                is not the one that this machine's folder belongs to.
        """
        if set("[]%") & set(str(self.folder.absolute())):
            raise StoreError(
                "a registry cannot stand under this name",
                got=self.folder,
                allowed="no square brackets, no percent sign",
                do="choose another folder",
            )
        with faults_told(self.folder, self.objects):
            self.folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise StoreError(
                    "the registry cannot be written", got=self.folder, do="check its permissions"
                )
            with exclusive(self.folder / ".lock"):
                if self.objects is not None:
                    claim(self.objects, self.folder)
                self._tidy()
                yield

    def _tidy(self) -> None:
        """Finish or remove what an interrupted writer left; the caller holds the lock."""
        from ncdsurv.registry import tallied

        places = (self.folder, self.files.folder, self.vault.folder, self.releases.folder)
        for place in (*places, self.counted):
            sweep_temporary(place)
        tallied.sweep(tallied.folder_of(self))
        settle_folders(self.folder / "reference")
        if self.objects is not None:
            sweep_fetched(self.releases.folder)
            sweep_fetched(self.folder / "reference")
        if self.vault.next_key_file.exists():
            snapshot = self.lake.snapshot()
            if self.vault.next_key_counts(snapshot.key_id):
                self.lake.forget_before(snapshot)
                self.vault.adopt_next_key()
        expected = None if self.objects is None else self.lake.snapshot().key_id
        if expected is not None:
            self.vault.key(expected)  # who writes a registry that others reach holds its vault

    def ingest(
        self,
        paths: str | Path | Iterable[str | Path],
        source: str | Path,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Take in exports of one source: all rows of the call become visible together, or none.

        Each file is kept as received, by its hash. A file whose bytes came before changes nothing. A file
        that cannot be read as this source is refused and named in the report; the others are taken in.

        Args:
            paths: A file or folder, or several.
            source: Source id, as `ncdsurv catalog sources` lists them, or the file of a mapping (`.toml`);
                the mapping is kept, and a file read under a changed mapping is new.
            progress: Called with (files done, files in all).

        Returns:
            Rows in = kept + rejected + duplicates, per file and in all; rejects and repairs by rule.

        Raises:
            UsageError: Unknown source.
            DefinitionError: Everything that is wrong with a mapping given as a file.
            InputError: No such file.
            StoreError: Another process writes, or the store is damaged; nothing was taken in.
        """
        from ncdsurv.registry.ingest import ingest

        return ingest(self, paths, source, progress)

    def link(self) -> dict[str, Any]:
        """Give every record its person and every person their residences, anew, from all records.

        Returns:
            `records`, `persons`, and the number of records by the pass that joined them.
        """
        from ncdsurv.registry.linking import link

        with self.writing():
            return link(self)

    def build_release(
        self,
        as_of: str,
        months: int | None = None,
        progress: Progress | None = None,
        *,
        scheduler: str | None = None,
        exchange: str | None = None,
    ) -> Release:
        """Count and publish everything up to a month; immutable from then on.

        Links first where records came in since the last time. With the same records, definitions and
        reference data the same release is given back, without computing it again.

        Args:
            as_of: Reference month `YYYY-MM`: nothing later enters.
            months: How many months to publish, up to that one; by default from the first visit on.
            progress: Called with (buckets done, buckets in all).
            scheduler: Address of a dask.distributed scheduler whose workers count the buckets; the release is
                the same. None counts here.
            exchange: Where workers find the buckets without the persons' ids: `s3://bucket/prefix`, other
                object storage, or a folder that all machines reach; None is `exchange` beside the registry's
                tables: on its object storage, or in its folder, for workers on this machine or a shared disk.

        Raises:
            IdentityError: Counts break an identity that must hold; nothing was published.
            UsageError: An exchange without a scheduler, or the extra `cluster` is not installed.
            StoreError: No scheduler or worker answers, or it has another version; what was counted is kept.
        """
        from ncdsurv.registry.build import build_release
        from ncdsurv.registry.cluster import runner_at

        own = self.folder / "exchange" if self.objects is None else f"{self.objects.uri}/exchange"
        with self.writing(), runner_at(scheduler, exchange, own) as runner:
            return build_release(self, as_of, months, progress, runner)

    def rotate_key(self) -> dict[str, Any]:
        """Replace the key of the pseudonyms, and every id made with it; link and build anew afterwards.

        Returns:
            `old` and `new` key ids, `files` read again.
        """
        from ncdsurv.registry.rotate import rotate_key

        with self.writing():
            return rotate_key(self)

    def add_reference(self, folder: str | Path) -> Path:
        """Check a reference pack and copy it into the registry.

        Raises:
            DefinitionError: Everything that is wrong with the pack, at once; nothing was copied.
        """
        from ncdsurv.reference import add_pack

        with self.writing():
            if self._packs is None:
                return add_pack(Path(folder), self.folder / "reference", replace_folder)
            with self._packs.changing() as packs:
                name = add_pack(Path(folder), packs, replace_folder).name
            return (self._packs.here() or self.folder) / name


def open_store(
    path: str | Path, key_file: str | Path | None = None, *, local: str | Path | None = None
) -> Store:
    """Open a registry, or name the place of a new one.

    Args:
        path: The registry's folder, or its address on object storage: `s3://BUCKET/PREFIX`.
        key_file: File of the pseudonyms' key; else NCDSURV_KEY_FILE; else `vault/key` in the folder.
        local: For an address: the folder of this machine for the vault, the files as received, scratch and
            copies of releases; else the one that NCDSURV_LOCAL names.

    Raises:
        UsageError: An address that cannot be one of a registry, or no folder beside it.

    >>> open_store("registry/")
    Store('registry')
    """
    return Store(path, key_file, local)
