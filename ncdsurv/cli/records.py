"""Commands that change the registry: ingest, link, build, release, reference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ncdsurv.cli.options import DEFAULT_STORE, JsonOption, StoreOption
from ncdsurv.cli.show import show_json, show_rows
from ncdsurv.errors import EXIT_SOME_FAILED

release_app = typer.Typer(help="List, show and compare releases.", no_args_is_help=True)
reference_app = typer.Typer(
    help="Reference packs: areas, crosswalk, boundaries, population.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (ingest, link, build):
        app.command()(command)
    app.add_typer(release_app, name="release")
    app.add_typer(reference_app, name="reference")


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of one source.")],
    source: Annotated[
        str, typer.Option("--source", help="Source id (`ncdsurv catalog sources`) or a mapping FILE.toml.")
    ],
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Take in exports: every row is kept, rejected with its rule, or a duplicate."""
    from ncdsurv import open_store
    from ncdsurv.reports.progress import Progress

    with Progress.for_terminal(enabled=not as_json) as progress:
        report = open_store(store).ingest(list(paths), source=source, progress=progress.callback("ingest"))
    if as_json:
        show_json(report.to_dict())
    else:
        typer.echo(str(report))
    if report.refused:
        first, more = report.refused[0], len(report.refused) - 1
        others = f" (and {more} more, see the report)" if more else ""
        typer.echo(f"ncdsurv: refused {first.name}: {first.error}{others}", err=True)
        raise typer.Exit(EXIT_SOME_FAILED)


def link(store: StoreOption = DEFAULT_STORE) -> None:
    """Give each record its person: citizen id, insurance number, then name + birth + sex + commune."""
    from ncdsurv import open_store

    for name, counted in open_store(store).link().items():
        parts = counted.items() if isinstance(counted, dict) else [("", counted)]
        for part, count in parts:
            typer.echo(f"{' '.join(filter(None, (name, part))).replace('_', ' ')}: {count:,}")


def build(
    as_of: Annotated[str, typer.Option("--as-of", help="Reference month, e.g. 2026-06.")],
    store: StoreOption = DEFAULT_STORE,
    months: Annotated[int | None, typer.Option("--months", min=1, help="Months to publish.")] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help="Count on a running dask.distributed cluster: tcp://HOST:8786."),
    ] = None,
    exchange: Annotated[
        str | None,
        typer.Option(
            "--exchange",
            help="Where its workers find the buckets, without ids: s3://BUCKET/PREFIX or a shared folder; "
            "by default with the registry.",
        ),
    ] = None,
) -> None:
    """Count, publish and seal a release as of a reference month."""
    from ncdsurv import open_store
    from ncdsurv.catalog.vocabulary import Period
    from ncdsurv.reports.progress import Progress

    period = Period.parse(as_of)
    with Progress.for_terminal() as progress:
        release = open_store(store).build_release(
            as_of=str(period),
            months=months,
            progress=progress.callback("build"),
            scheduler=scheduler,
            exchange=exchange,
        )
    typer.echo(f"{release.id}: {release.folder}")


@release_app.command("list")
def release_list(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """All releases, oldest first."""
    from ncdsurv import open_store

    manifests = open_store(store).releases.list()
    if as_json:
        show_json(manifests)
    else:
        rows = [{**manifest, **manifest["counts"]} for manifest in manifests]
        show_rows(rows, ["id", "as_of", "created_at", "records", "persons", "values"])


@release_app.command("show")
def release_show(
    release: Annotated[str, typer.Argument(help="Release id, or `latest`.")],
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """The manifest of a release."""
    from ncdsurv import open_store

    show_json(open_store(store).releases.open(release).manifest)


@release_app.command("diff")
def release_diff(
    before: Annotated[str, typer.Argument(help="Earlier release id.")],
    after: Annotated[str, typer.Argument(help="Later release id, or `latest`.")],
    store: StoreOption = DEFAULT_STORE,
    level: Annotated[str, typer.Option("--level", help="Level of the areas compared.")] = "province",
    as_json: JsonOption = False,
) -> None:
    """What a later release says differently about the same cells."""
    from ncdsurv import open_store
    from ncdsurv.store import compare

    releases = open_store(store).releases
    revision = compare(releases.open(before), releases.open(after), level=level)
    if as_json:
        show_json(revision.to_dicts())
    else:
        show_rows(revision.to_dicts(), revision.columns)


@reference_app.command("add")
def reference_add(
    folder: Annotated[Path, typer.Argument(help="Folder of the pack.")], store: StoreOption = DEFAULT_STORE
) -> None:
    """Check a reference pack and copy it into the registry."""
    from ncdsurv import open_store
    from ncdsurv.errors import UsageError

    if not folder.is_dir():
        raise UsageError("no such folder", got=folder, do="give the folder that holds the pack")
    added = open_store(store).add_reference(folder)
    typer.echo(f"added: {added if added is not None else folder.name}")


@reference_app.command("list")
def reference_list(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Packs in use, with source, licence and whether their shapes are schematic."""
    from ncdsurv import open_store

    packs = open_store(store).reference.manifest
    if as_json:
        show_json(packs)
    else:
        show_rows(packs, ["id", "title", "schematic", "verified"])
