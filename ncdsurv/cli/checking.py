"""The command that checks an export against the data standard: conformance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ncdsurv.cli.options import DEFAULT_STORE, JsonOption, LanguageOption, StoreOption
from ncdsurv.cli.show import show_json
from ncdsurv.errors import EXIT_SOME_FAILED


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(conformance)


def conformance(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of one export.")],
    source: Annotated[
        str,
        typer.Option(
            "--source", help="Source id, as `ncdsurv catalog sources` lists them, or a mapping's TOML."
        ),
    ],
    lang: LanguageOption = "vi",
    as_json: JsonOption = False,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Which data elements an export has, which are missing or malformed, and what cannot be computed.

    Exit code 0: it conforms; 1: it does not. Nothing is kept, and no value of a patient is printed.
    """
    from ncdsurv import open_store
    from ncdsurv.catalog.elements import load_standard
    from ncdsurv.catalog.vocabulary import Language
    from ncdsurv.conformance import choose_mapping
    from ncdsurv.errors import unknown
    from ncdsurv.registry.conformance import check_apart
    from ncdsurv.registry.ingest import expand
    from ncdsurv.reports.progress import Progress

    if lang not in set(Language):
        raise unknown("language", lang, [str(known) for known in Language])
    registry = open_store(store)
    mapping = choose_mapping(source, registry.catalog)
    with Progress.for_terminal(enabled=not as_json) as progress:
        report = check_apart(
            expand(paths), mapping, registry.packs, progress=progress.callback("conformance")
        )
    if as_json:
        show_json(report.to_dict())
    else:
        typer.echo(report.text(registry.catalog, load_standard(), lang))
    if not report.conforms:
        raise typer.Exit(EXIT_SOME_FAILED)
