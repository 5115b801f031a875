"""Objects under one address on object storage: whole or absent, and one that is not to change is put only once.

The library is the one under the Delta tables and the frames, so all three take the same credentials from the
environment. No message of it is repeated: it may hold more than it should.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from ncdsurv.errors import StoreError, UsageError
from ncdsurv.store.address import OBJECT_STORAGE, checked_address, endpoint_and_region

_PLAIN = re.compile(r"[\w.@/-]+", re.ASCII)
_OF_STORAGE = re.compile(r"Generic (?:S3|GCS|MicrosoftAzure|HTTP)|Error performing|Object at location|<Code>")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_NO_ANSWER, _NO_CREDENTIALS = "no answer", "no credentials"
_INSTANCE = "169.254.169.254"  # where a machine of Amazon's is asked for credentials when there are no others
BLOCK = 8 << 20
"""Bytes asked for at a time: a slow line must not run into the patience for one answer."""
_TRIES = 3
_PATIENCE = timedelta(seconds=30)
_CONNECT, _ANSWER = timedelta(seconds=5), timedelta(seconds=60)


class Objects:
    """Objects under one address.

    Args:
        uri: `s3://bucket/prefix`, `gs://bucket/prefix` or `abfss://container@account/prefix`. Credentials, region
            and endpoint come from the environment, never from the address.

    Raises:
        UsageError: An address of another kind, one that holds a credential or a letter that must be encoded, or
            the library is not installed.
    """

    def __init__(self, uri: str) -> None:
        parts = checked_address(uri, OBJECT_STORAGE, "registry")
        if (
            not parts.netloc
            or not _PLAIN.fullmatch(parts.netloc + parts.path)
            or parts.query
            or parts.fragment
        ):
            raise UsageError(
                "a registry cannot stand at this address",
                got=f"{parts.scheme}://{parts.netloc}{parts.path}",
                allowed=f"{parts.scheme}://BUCKET/PREFIX of letters, digits, dots, dashes and underscores",
            )
        self.uri = uri.rstrip("/")
        self._s3 = parts.scheme == "s3"

    def __repr__(self) -> str:
        return f"Objects({self.uri!r})"

    @cached_property
    def options(self) -> dict[str, str]:
        """What Delta tables and frames are told beside the environment; no credential."""
        if not self._s3:
            return {}
        endpoint, region = endpoint_and_region()
        # A log entry that exists is never written over, whatever the environment allows.
        found = {"conditional_put": "etag", "aws_s3_allow_unsafe_rename": "false"}
        if region:
            found["aws_region"] = region
        if endpoint:
            found |= {"aws_endpoint": endpoint, "allow_http": str(endpoint.startswith("http://")).lower()}
        return found

    @cached_property
    def _store(self) -> Any:
        """The opened storage, after asking it once: an absent bucket must not pass for an empty registry."""
        try:
            from obstore import store
        except ImportError:
            raise UsageError(
                "a registry on object storage needs a library that is not installed",
                got="obstore",
                do="pip install 'ncdsurv[cluster]'",
            ) from None
        given: dict[str, Any] = {}
        options = self.options
        if "aws_region" in options:
            given["region"] = options["aws_region"]
        if "aws_endpoint" in options:
            given["endpoint"] = options["aws_endpoint"]
        http: Any = {
            "connect_timeout": _CONNECT,
            "timeout": _ANSWER,
            "allow_http": options.get("allow_http") == "true",
        }
        with self.told():
            opened = store.from_url(
                self.uri,
                client_options=http,
                retry_config={"max_retries": _TRIES, "retry_timeout": _PATIENCE},
                **given,
            )
            next(iter(opened.list(chunk_size=1)), None)
        return opened

    def reach(self) -> None:
        """Ask the storage once, to be told early what it refuses.

        Raises:
            StoreError: No such bucket, no credentials, no answer.
        """
        _ = self._store

    def get(self, name: str) -> bytes | None:
        """The content of an object; None where there is none."""
        store = self._store
        with self.told():
            try:
                return bytes(store.get(name).bytes())
            except FileNotFoundError:
                return None

    def has(self, name: str) -> bool:
        """Whether an object is there."""
        store = self._store
        with self.told():
            try:
                store.head(name)
            except FileNotFoundError:
                return False
        return True

    def head(self, name: str) -> tuple[str | None, int] | None:
        """What the storage tells one content of a name from another by, and its bytes; None where there is none."""
        store = self._store
        with self.told():
            try:
                found = store.head(name)
            except FileNotFoundError:
                return None
        return found["e_tag"], found["size"]

    def put(self, name: str, content: bytes | Path) -> None:
        """Write an object, in the place of what has its name."""
        store = self._store
        with self.told():
            store.put(name, content)

    def put_new(self, name: str, content: bytes) -> bool:
        """Write an object unless one has its name; the storage itself decides between two writers.

        Returns:
            Whether it was written.
        """
        from obstore.exceptions import AlreadyExistsError

        store = self._store
        with self.told():
            try:
                store.put(name, content, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
        return True

    def fetch(self, name: str, path: Path) -> bool:
        """Copy an object that never changes to a file, block by block; False where there is none."""
        store = self._store
        with self.told():
            try:
                size = store.head(name)["size"]
            except FileNotFoundError:
                return False
            with path.open("xb") as copy:
                for start in range(0, size, BLOCK):
                    copy.write(store.get_range(name, start=start, length=min(BLOCK, size - start)))
        return True

    def sizes(self, prefix: str) -> dict[str, int]:
        """Name of each object under `prefix`, without it -> its bytes."""
        store = self._store
        with self.told():
            found = [one for page in store.list(prefix) for one in page]
        return {one["path"].removeprefix(f"{prefix}/"): one["size"] for one in found}

    def folders(self, prefix: str) -> list[str]:
        """Names right under `prefix` that have objects under them, sorted."""
        store = self._store
        with self.told():
            found = store.list_with_delimiter(prefix)["common_prefixes"]
        return sorted(path.rpartition("/")[2] for path in found)

    @contextmanager
    def told(self) -> Iterator[None]:
        """One line for whatever the storage refuses.

        Raises:
            StoreError: The address and a code; never the library's words.
        """
        try:
            yield
        except Exception as error:
            code = storage_fault(error)
            if code is None and not type(error).__module__.startswith("obstore"):
                raise
            raise self.refused(code or type(error).__name__) from None

    def refused(self, code: str) -> StoreError:
        """The error for what the storage refused."""
        return StoreError(
            "the object storage cannot be read or written",
            got=f"{self.uri} ({code})",
            do="check the address, and the credentials and endpoint in the environment of this machine; "
            "nothing is lost",
        )


def storage_fault(error: BaseException) -> str | None:
    """What object storage answered, as a code, from the error of a library; None for any other error.

    >>> storage_fault(OSError("Generic S3 error: ... status code: 403 Forbidden: <Code>AccessDenied</Code>"))
    'AccessDenied'
    >>> storage_fault(OSError("No space left on device"))
    """
    text = str(error)
    if not _OF_STORAGE.search(text):
        return None
    if _INSTANCE in text:
        return _NO_CREDENTIALS
    found = _CODE.search(text) or _STATUS.search(text)
    return found[1] if found else _NO_ANSWER
