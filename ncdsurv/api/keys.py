"""API keys: `ncds_<id>_<secret>`, of which only a hash is kept, in a file that only its owner can read.

The secret is 256 random bits, so a plain SHA-256 of it cannot be searched.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ncdsurv.catalog.vocabulary import Vintage
from ncdsurv.errors import StoreError, UsageError, unknown
from ncdsurv.store.place import folder_here

KEYS_FILE = "api_keys.json"
READ_INDICATORS, READ_FORMS = "indicators:read", "forms:read"
SCOPES = (READ_INDICATORS, READ_FORMS)
DEFAULT_DAYS = 365

_PREFIX = "ncds"
_TOKEN = re.compile(rf"^{_PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9]{{43,64}})$")
_OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SECRET_LENGTH = 43  # 62 letters ** 43: 256 bits


@dataclass(frozen=True)
class Key:
    """A key as it is kept: whose it is, what it may read, until when; its secret only as a hash.

    `areas` are `vintage:code` of areas it may read, None for all of them.
    """

    id: str
    name: str
    sha256: str
    created_at: str
    expires_at: str
    scopes: tuple[str, ...]
    areas: tuple[str, ...] | None = None

    def expired(self, now: datetime) -> bool:
        """Whether the key's time has run out."""
        return now >= datetime.fromisoformat(self.expires_at)


def create_key(
    name: str,
    *,
    keys: str | Path | None = None,
    store: str | Path | None = None,
    areas: Iterable[str] | None = None,
    scopes: Iterable[str] = SCOPES,
    days: int = DEFAULT_DAYS,
) -> str:
    """Make a key and keep its hash.

    Args:
        name: Whose key it is.
        keys: File of hashed keys; made with mode 0600 if missing.
        store: Registry, whose own keys file is used when `keys` is None: in its folder, or in the one on
            this machine where it is an address.
        areas: Areas it may read as `vintage:code` (for instance `2025:79`); None for all.
        scopes: What it may read, of `SCOPES`.
        days: Days until it expires.

    Returns:
        The key. It is not kept: this is the only time it can be seen.

    Raises:
        UsageError: No file or store, a name without letters, an unknown scope, an area without vintage,
            or fewer than one day.
        StoreError: The file can be read by others, or is damaged.
    """
    if keys is None and store is None:
        raise UsageError("no place for the key", allowed="keys=FILE or store=FOLDER")
    path = Path(keys) if keys is not None else keys_path(folder_here(str(store)))
    if not name.strip():
        raise UsageError("a key needs a name", got=repr(name), do="say whose key it is")
    if days < 1:
        raise UsageError("a key must live at least a day", got=days, allowed="1 or more days")
    chosen = tuple(scopes)
    for scope in chosen:
        if scope not in SCOPES:
            raise unknown("scope", scope, SCOPES)
    claims = None if areas is None else tuple(_checked_area(area) for area in areas)
    key_id = secrets.token_hex(6)
    secret = "".join(secrets.choice(_LETTERS) for _ in range(_SECRET_LENGTH))
    now = datetime.now(UTC).replace(microsecond=0)
    expires = now + timedelta(days=days)
    key = Key(key_id, name.strip(), _hash(secret), now.isoformat(), expires.isoformat(), chosen, claims)
    KeyFile(path).add(key)
    return f"{_PREFIX}_{key_id}_{secret}"


def keys_path(store: Path) -> Path:
    """The keys file of a registry."""
    return store / KEYS_FILE


class KeyFile:
    """The file of hashed keys; read again when it changes, so a new or removed key counts at once.

    Args:
        path: The file; it may not exist yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._read_at: tuple[int, int] | None = None
        self._keys: dict[str, Key] = {}

    def keys(self) -> dict[str, Key]:
        """All keys by id; empty when there is no file.

        Raises:
            StoreError: Others than the owner may read the file, or it is damaged.
        """
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return {}
        mark = (status.st_mtime_ns, status.st_size)
        if mark != self._read_at:
            self._check_mode(status)
            self._keys, self._read_at = self._read(), mark
        return self._keys

    def find(self, token: str, now: datetime) -> Key | None:
        """The key a token belongs to, or None: wrong shape, unknown, wrong secret or expired."""
        found = _TOKEN.match(token)
        if not found:
            return None
        key = self.keys().get(found[1])
        # Compared even for an unknown id, so that the time taken does not tell which ids exist.
        same = hmac.compare_digest(_hash(found[2]), key.sha256 if key else "0" * 64)
        return key if key is not None and same and not key.expired(now) else None

    def add(self, key: Key) -> None:
        """Keep a key; the file is replaced as a whole."""
        everything = {**self.keys(), key.id: key}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"keys": [asdict(item) for item in everything.values()]}, indent=1)
        aside = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)

    def _check_mode(self, status: os.stat_result) -> None:
        if os.name == "posix" and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise StoreError(
                "the file of API keys is open to others",
                got=f"{self.path.name} with mode {stat.S_IMODE(status.st_mode):04o}",
                allowed="0600",
                do=f"chmod 600 {self.path}",
            )

    def _read(self) -> dict[str, Key]:
        try:
            records: list[dict[str, Any]] = json.loads(self.path.read_text("utf-8"))["keys"]
            return {record["id"]: _key(record) for record in records}
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                "the file of API keys is damaged", got=self.path.name, do="restore it, or make new keys"
            ) from error


def _key(record: dict[str, Any]) -> Key:
    areas = record.get("areas")
    return Key(
        **{**record, "scopes": tuple(record["scopes"]), "areas": None if areas is None else tuple(areas)}
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _checked_area(area: str) -> str:
    vintage, _, code = area.partition(":")
    if vintage not in [item.value for item in Vintage] or not code.isalnum():
        raise UsageError(
            "an area of a key needs its vintage", got=area, allowed="vintage:code, for instance 2025:79"
        )
    return area
