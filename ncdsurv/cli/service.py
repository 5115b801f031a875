"""Commands around the HTTP service and the keys: serve, key, rotate-key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ncdsurv.cli.options import DEFAULT_STORE, StoreOption

key_app = typer.Typer(help="Keys of the HTTP service; only their hashes are kept.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(serve)
    app.command("rotate-key")(rotate_key)
    app.add_typer(key_app, name="key")


KeysOption = Annotated[
    Path | None, typer.Option("--keys", help="File of hashed keys; default: in the registry.")
]


def serve(
    store: StoreOption = DEFAULT_STORE,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port to listen on.")] = 8000,
    keys: KeysOption = None,
    insecure_dev: Annotated[
        bool, typer.Option("--insecure-dev", help="Answer without a key; loopback only.")
    ] = False,
) -> None:
    """Answer over HTTP from the releases of a registry."""
    from ncdsurv.api import serve as run_service

    run_service(store=store, host=host, port=port, keys=keys, insecure_dev=insecure_dev)


@key_app.command("create")
def key_create(
    name: Annotated[str, typer.Option("--name", help="Whose key it is.")],
    store: StoreOption = DEFAULT_STORE,
    keys: KeysOption = None,
    area: Annotated[
        list[str] | None, typer.Option("--area", help="VINTAGE:CODE it may see, as 2025:79; may be repeated.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, help="Days until it expires.")] = 365,
) -> None:
    """Make a key for the service and print it once."""
    from ncdsurv.api.keys import create_key

    options: dict[str, Any] = {"keys": keys} if keys else {"store": store}
    typer.echo(create_key(name, areas=area, days=days, **options))
    typer.echo("Keep it now: only its hash is stored.", err=True)


def rotate_key(store: StoreOption = DEFAULT_STORE) -> None:
    """Give the registry a new pseudonym key and new pseudonyms; the old ones mean nothing any more."""
    from ncdsurv import open_store

    rotated = open_store(store).rotate_key()
    typer.echo(f"key {rotated['old']} replaced by {rotated['new']}, {rotated['files']} files read again")
    typer.echo("Link and build anew: ncdsurv link, ncdsurv build --as-of YYYY-MM")
