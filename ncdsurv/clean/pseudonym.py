"""Keyed pseudonyms: HMAC-SHA-256 with a key that lives outside the data.

An unkeyed hash of a 12-digit number can be undone by trying all of them; a keyed one cannot without the key.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256

import polars as pl

from ncdsurv.errors import UsageError

_SEPARATOR = "\x1f"
_HEX = 32
_BLOCK = 64  # bytes of a block of SHA-256
MIN_KEY_BYTES = 16


def check_key(key: bytes) -> bytes:
    """The key, if it is long enough to protect.

    Raises:
        UsageError: Shorter than 16 bytes.
    """
    if not isinstance(key, bytes) or len(key) < MIN_KEY_BYTES:
        raise UsageError(
            "the pseudonym key is too short",
            allowed=f"at least {MIN_KEY_BYTES} bytes",
            do="make one with `python -c 'import secrets; print(secrets.token_hex(32))'`",
        )
    return key


def keyed_id(key: bytes, purpose: str, *parts: str) -> str:
    """A pseudonym: 32 hexadecimal digits of HMAC-SHA-256 over purpose and parts.

    Args:
        key: The secret key, at least 16 bytes.
        purpose: What the id is for (`record`, `visit`, `person`, ...); ids of two purposes never meet.
        parts: What identifies the thing; order matters.

    >>> keyed_id(b"0" * 32, "record", "a", "b") == keyed_id(b"0" * 32, "record", "a", "b")
    True
    >>> keyed_id(b"0" * 32, "record", "a", "b") == keyed_id(b"0" * 32, "record", "ab")
    False
    """
    check_key(key)
    message = _SEPARATOR.join((purpose, *(part.replace(_SEPARATOR, " ") for part in parts)))
    return hmac.digest(key, message.encode(), "sha256").hex()[:_HEX]


def keyed_ids(key: bytes, purpose: str, frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """`keyed_id` of every row of a frame, over text columns; a null part counts as empty."""
    check_key(key)
    texts = frame.select(pl.col(name).cast(pl.String).fill_null("") for name in columns)
    message = pl.concat_str(pl.lit(purpose), *columns, separator=_SEPARATOR)
    messages = texts.select(message.alias("message"))["message"]
    if (messages.str.count_matches(_SEPARATOR, literal=True) != len(columns)).any():
        messages = texts.select(pl.all().str.replace_all(_SEPARATOR, " ", literal=True)).select(
            message.alias("message")
        )["message"]
    digests = list(map(_digest_of(key), messages.cast(pl.Binary)))
    return pl.Series(digests, dtype=pl.Binary).bin.encode("hex").str.slice(0, _HEX)


def _digest_of(key: bytes) -> Callable[[bytes], bytes]:
    """HMAC-SHA-256 under one key, its two key blocks hashed once: half the time per message."""
    block = key if len(key) <= _BLOCK else sha256(key).digest()
    block = block.ljust(_BLOCK, b"\0")
    inside, outside = (sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def digest(message: bytes) -> bytes:
        inner, outer = inside.copy(), outside.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()

    return digest
