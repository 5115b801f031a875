"""Runs the service with uvicorn. Without keys it starts only on loopback, and only when asked to."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

from ncdsurv.errors import StoreError, UsageError

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")


def serve(
    store: str | Path | Any,
    host: str = "127.0.0.1",
    port: int = 8000,
    keys: str | Path | None = None,
    insecure_dev: bool = False,
) -> None:
    """Answer over HTTP from the releases of a registry until stopped.

    Args:
        store: Folder or address of a registry, or an open store.
        host: Address to listen on.
        port: Port to listen on.
        keys: Keys file; None is the registry's own.
        insecure_dev: Answer without a key; loopback only.

    Raises:
        UsageError: `insecure_dev` on an address that others can reach.
        StoreError: There are no keys and `insecure_dev` was not asked for, or there is no release.
    """
    app = prepare(store, host, keys, insecure_dev)
    import uvicorn

    uvicorn.run(app, host=host, port=port, log_level="info", server_header=False)


def prepare(store: str | Path | Any, host: str, keys: str | Path | None, insecure_dev: bool) -> Any:
    """Every check of `serve`, and the app it would run."""
    from ncdsurv.api.app import create_app
    from ncdsurv.api.keys import KeyFile, keys_path
    from ncdsurv.registry import open_store
    from ncdsurv.registry.store import Store

    if insecure_dev and not is_loopback(host):
        raise UsageError(
            "--insecure-dev answers without a key, so it listens on this machine only",
            got=host,
            allowed="127.0.0.1, ::1 or localhost",
            do="make a key (ncdsurv key create) and start without --insecure-dev",
        )
    opened = store if isinstance(store, Store) else open_store(store)
    releases = opened.releases
    releases.latest()
    key_file = KeyFile(keys if keys is not None else keys_path(opened.folder))
    if not insecure_dev and not key_file.keys():
        raise StoreError(
            "the service has no API key",
            got=key_file.path.name,
            do="make one: ncdsurv key create --name NAME; or try it on this machine with --insecure-dev",
        )
    app = create_app(releases, keys=key_file, insecure_dev=insecure_dev)
    if insecure_dev:
        from starlette.middleware.trustedhost import TrustedHostMiddleware

        # A page of another site whose name is made to point here must not read what needs no key.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*_LOOPBACK_NAMES], www_redirect=False)
    return app


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, False)
    """
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
