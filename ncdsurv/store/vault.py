"""The vault: the key of the pseudonyms, apart from the analytical tables, closed to everybody but its owner.

Every id in the lake is a keyed hash (HMAC-SHA-256): without the key, twelve-digit numbers cannot be tried one
by one. The key lies in `vault/key`, or better outside the data, in the file that NCDSURV_KEY_FILE names. The
table `identifiers` (names, citizen and insurance numbers, phones, addresses) stands in the same folder.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from ncdsurv.errors import StoreError
from ncdsurv.store.atomic import write_whole

KEY_FILE_VARIABLE = "NCDSURV_KEY_FILE"
_KEY_BYTES = 32
_PRIVATE = 0o600
_CLOSED = 0o700


def key_id(key: bytes) -> str:
    """A short public name of a key: tells two keys apart and says nothing about either.

    >>> key_id(b"0" * 32) == key_id(b"1" * 32), len(key_id(b"0" * 32))
    (False, 12)
    """
    return hmac.new(key, b"ncdsurv key id", hashlib.sha256).hexdigest()[:12]


def new_key() -> bytes:
    """A fresh random key of 32 bytes."""
    return secrets.token_bytes(_KEY_BYTES)


class Vault:
    """Folder `<store>/vault` and the key, wherever it lies.

    Args:
        folder: `<store>/vault`.
        key_file: File of the key; else the one NCDSURV_KEY_FILE names; else `vault/key`.
    """

    def __init__(self, folder: Path, key_file: Path | None = None) -> None:
        outside = os.environ.get(KEY_FILE_VARIABLE)
        self.folder = folder
        self.key_file = key_file or (Path(outside) if outside else folder / "key")

    @property
    def next_key_file(self) -> Path:
        """Where a new key waits while everything is made anew with it."""
        return self.key_file.with_name(f"{self.key_file.name}.next")

    def make(self) -> None:
        """Make the folder, open to its owner only."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(_CLOSED)

    def key(self, expected: str | None) -> bytes:
        """The key that made the pseudonyms of the store; makes one for a store that has none yet.

        Args:
            expected: Id of the key that the store's newest commit names; None for an empty store.

        Raises:
            StoreError: The key is missing or is another one. A new one would cut every patient in two,
                so none is made in its place.
        """
        if expected is None and not self.key_file.exists():
            self.make()
            self.write_key(self.key_file, new_key())
        key = self._read(self.key_file)
        if expected is None or (key is not None and key_id(key) == expected):
            if key is None:
                raise self._wrong("a new key", None)
            return key
        waiting = self._read(self.next_key_file)
        if waiting is not None and key_id(waiting) == expected:
            self.adopt_next_key()
            return waiting
        raise self._wrong(expected, key)

    def prepare_next_key(self) -> bytes:
        """A new key, written beside the old one: it counts only once everything was made anew with it."""
        self.write_key(self.next_key_file, new_key())
        return self._read(self.next_key_file) or b""

    def next_key_counts(self, expected: str | None) -> bool:
        """Whether the registry's ids are already made with the waiting key: a rotation broke off after that."""
        waiting = self._read(self.next_key_file)
        return waiting is not None and key_id(waiting) == expected

    def adopt_next_key(self) -> None:
        """Put the waiting key in the old one's place; the old one is gone."""
        key = self._read(self.next_key_file)
        if key is not None:
            self.write_key(self.key_file, key)
            self.next_key_file.unlink(missing_ok=True)

    def write_key(self, path: Path, key: bytes) -> None:
        """Write a key file, readable by its owner only, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, key.hex().encode() + b"\n", mode=_PRIVATE)

    def _read(self, path: Path) -> bytes | None:
        if not path.is_file():
            return None
        if path.stat().st_mode & 0o077:
            raise StoreError("others can read the key file", got=path.name, do=f"chmod 600 {path.name}")
        text = path.read_text("ascii", errors="replace").strip()
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        if len(key) < _KEY_BYTES:
            raise StoreError("the key file holds no key", got=path.name, allowed="64 hex digits or more")
        return key

    def _wrong(self, expected: str, key: bytes | None) -> StoreError:
        return StoreError(
            "the key of this registry is missing" if key is None else "this is not the key of this registry",
            got=f"{self.key_file.name} ({'absent' if key is None else key_id(key)})",
            allowed=f"key {expected}",
            do=f"give its file in {KEY_FILE_VARIABLE} or restore vault/key from a backup",
        )
