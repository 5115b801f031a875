"""Addresses on object storage: which kinds there are, what may stand in one, and what the environment adds."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ncdsurv.errors import UsageError

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
OBJECT_STORAGE = ("s3", "gs", "abfs", "abfss")
_ANY_REGION = "us-east-1"
_SECRETS = ("key", "token", "secret", "sig", "password")


def is_address(place: str | Path) -> bool:
    """Whether a place is an address rather than a folder of this machine.

    >>> is_address("s3://bucket/registry"), is_address("registry/")
    (True, False)
    """
    return isinstance(place, str) and "://" in place


def whole_place(place: str | Path) -> Path | str:
    """A place that means the same from any working folder: the address, or the absolute path.

    >>> whole_place("s3://bucket/registry/")
    's3://bucket/registry'
    """
    return str(place).rstrip("/") if is_address(place) else Path(place).resolve()


def checked_address(uri: str, kinds: Iterable[str], what: str) -> SplitResult:
    """The parts of an address.

    Args:
        uri: The address; a plain path has the empty scheme and passes.
        kinds: Schemes that are known.
        what: What stands there, for the error.

    Raises:
        UsageError: An address of another kind, or one that holds a credential (which is not repeated).
    """
    parts = urlsplit(uri)
    named = [name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if (
        ("@" in parts.netloc and parts.scheme in ("s3", "gs"))
        or parts.password is not None  # abfs://container@account is no credential, :password@account is
        or any(secret in name for secret in _SECRETS for name in named)
    ):
        raise UsageError(
            "an address must not hold credentials",
            got=f"{parts.scheme}://...",
            do="set them in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
        )
    if parts.scheme and parts.scheme not in kinds:
        raise UsageError(f"unknown kind of {what}", got=f"{parts.scheme}://", allowed=", ".join(kinds))
    return parts


def endpoint_and_region() -> tuple[str | None, str | None]:
    """Endpoint and region of S3 that the environment names.

    An endpoint without a region gets one: asking another server for its region would ask Amazon.
    """
    endpoint, region = _first(ENDPOINTS), _first(REGIONS)
    return endpoint, region or (_ANY_REGION if endpoint else None)


def _first(names: tuple[str, ...]) -> str | None:
    return next(filter(None, (os.environ.get(name) for name in names)), None)
