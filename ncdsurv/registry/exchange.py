"""A place that this machine and the workers of a cluster both reach: a folder, or any object storage.

What lies there is named by its SHA-256, so a thing is written once, is whole or absent, and is checked when it
is read. The layout of the buckets goes there without the persons' ids: sex, months of birth and death, places, days
and readings of contacts, under running numbers. Identifiers, the vault and the files as received never leave the
store's machine.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl

from ncdsurv.errors import StoreError
from ncdsurv.store.address import OBJECT_STORAGE, checked_address, endpoint_and_region
from ncdsurv.store.atomic import TEMPORARY

SCHEMES = (*OBJECT_STORAGE, "file")
_DIGITS = hashlib.sha256().digest_size * 2
_FAULT = re.compile(r"AWS Error ([A-Z_]+)|\[Errno (\d+)\]")


class Exchange:
    """Objects under one address, by content.

    Args:
        uri: `s3://bucket/prefix`, `gs://...`, `abfs://...`, `file:///folder` or a folder. Credentials, region
            and endpoint come from the environment of each machine, never from the address.

    Raises:
        UsageError: An address of another kind, or one that holds a credential.
    """

    def __init__(self, uri: str) -> None:
        parts = checked_address(uri, SCHEMES, "exchange")
        self._local = parts.scheme in ("", "file")
        self._files, self._root = _open(uri.rstrip("/"), parts)
        self.uri = uri.rstrip("/") if parts.scheme else self._root  # a worker starts in another folder

    def __repr__(self) -> str:
        return f"Exchange({self.uri!r})"

    def put(self, kind: str, content: bytes, owner: str = "") -> str:
        """Write an object unless it is there; returns its name.

        Args:
            kind: The folder it goes into.
            content: What is written.
            owner: For an object that will be removed: whoever else writes the same content keeps its own.
        """
        name = f"{kind}/{owner}{hashlib.sha256(content).hexdigest()}"
        with self._told():
            if not self._has(name):
                self._write(name, content)
        return name

    def get(self, name: str) -> bytes:
        """Read an object, and check that it is what its name says.

        Raises:
            StoreError: It is not there, cannot be read or was changed.
        """
        with self._told(), self._files.open_input_stream(f"{self._root}/{name}") as source:
            content: bytes = source.read()
        if hashlib.sha256(content).hexdigest() != name[-_DIGITS:]:
            raise StoreError("an object of the exchange was changed", got=name, do="run the command again")
        return content

    def put_frame(self, kind: str, frame: pl.DataFrame, owner: str = "") -> str:
        """Write a frame as Parquet; returns its name. See `put`."""
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression="zstd", compression_level=1)
        return self.put(kind, buffer.getvalue(), owner)

    def get_frame(self, name: str) -> pl.DataFrame:
        """Read a frame that `put_frame` wrote."""
        return pl.read_parquet(self.get(name))

    def remove(self, name: str) -> None:
        """Remove an object that is no longer needed."""
        with self._told():
            self._files.delete_file(f"{self._root}/{name}")

    def _has(self, name: str) -> bool:
        from pyarrow.fs import FileType

        return bool(self._files.get_file_info(f"{self._root}/{name}").type == FileType.File)

    def _write(self, name: str, content: bytes) -> None:
        path = f"{self._root}/{name}"
        if not self._local:  # an object appears when it is whole
            with self._files.open_output_stream(path) as out:
                out.write(content)
            return
        folder = path.rpartition("/")[0]
        self._files.create_dir(folder, recursive=True)
        temporary = f"{folder}/{TEMPORARY}{uuid.uuid4().hex}"
        with self._files.open_output_stream(temporary) as out:
            out.write(content)
        self._files.move(temporary, path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """One line for whatever the storage refuses; a library's message may hold more than it should."""
        try:
            yield
        except OSError as error:
            found = _FAULT.search(str(error))
            code = next(filter(None, found.groups()), None) if found else type(error).__name__
            raise StoreError(
                "the exchange cannot be read or written",
                got=f"{self.uri} ({code})",
                do="check the address, and the credentials and endpoint in the environment of this machine",
            ) from None


def _open(uri: str, parts: Any) -> tuple[Any, str]:
    """File system and root path of an address."""
    from pyarrow import fs

    if parts.scheme in ("", "file"):
        return fs.LocalFileSystem(), os.path.abspath(parts.path if parts.scheme else uri)
    if parts.scheme == "s3":
        endpoint, region = endpoint_and_region()
        given = {"endpoint_override": endpoint, "region": region}
        chosen = {name: value for name, value in given.items() if value}
        return fs.S3FileSystem(**chosen), f"{parts.netloc}{parts.path}".rstrip("/")
    files, root = fs.FileSystem.from_uri(uri)
    return files, root
