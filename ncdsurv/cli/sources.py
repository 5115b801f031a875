"""Commands about sources: a first mapping for a table that nobody has seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ncdsurv.cli.options import JsonOption
from ncdsurv.cli.show import show_json, show_rows
from ncdsurv.errors import UsageError

source_app = typer.Typer(help="Mappings of your own for exports nobody has seen.", no_args_is_help=True)
_DRAFT = "draft"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(source_app, name="source")


@source_app.callback()
def _source() -> None:
    """Mappings of your own for exports nobody has seen."""


@source_app.command("draft")
def source_draft(
    file: Annotated[Path, typer.Argument(help="A table: XLSX, XLS or CSV.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Mapping to write, FILE.toml; else it is printed.")
    ] = None,
    facility: Annotated[
        str | None, typer.Option("--facility", help="Code of the station, where the file does not tell it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Propose a mapping for a table: edit it, then `ncdsurv ingest FILES --source FILE.toml`."""
    from ncdsurv.registry.drafting import draft_apart

    if out is not None and out.exists():
        raise UsageError("the mapping exists already", got=out, do="give another --out, or delete it first")
    if out is not None and out.suffix != ".toml":
        raise UsageError("a mapping is a TOML file", got=out.name, do=f"try --out {out.stem}.toml")
    name = out.stem if out is not None else _DRAFT
    draft = draft_apart(file, name, facility)
    if out is not None:
        try:
            out.write_text(draft.text, encoding="utf-8")
        except OSError as error:
            raise UsageError("the mapping cannot be written", got=f"{out} ({error.strerror})") from None
    if as_json:
        show_json(draft.to_dict())
        return
    if out is None:
        typer.echo(draft.text, nl=False)
        return
    rows = [
        {"field": one.name, "columns": ", ".join(one.columns), "confidence": f"{one.confidence:.2f}"}
        for one in draft.fields
    ]
    show_rows(rows, ["field", "confidence", "columns"])
    for title, lines in (
        ("not placed", draft.unplaced),
        ("look at", draft.remarks),
        ("to fill", draft.to_fill),
    ):
        for line in lines:
            typer.echo(f"{title}: {line}")
    ready = "it loads as it is" if not draft.to_fill else f"fill {len(draft.to_fill)} gaps first"
    typer.echo(f"{out}: {ready}; then: ncdsurv ingest FILES --source {out}")
