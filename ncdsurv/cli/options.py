"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def _place(text: str | Path) -> str | Path:
    """A folder as a path; an address stays as it is, since a path would lose one of its slashes."""
    return str(text) if "://" in str(text) else Path(text)


StoreOption = Annotated[
    Any,  # Path, or str for an address
    typer.Option(
        "--store",
        envvar="NCDSURV_STORE",
        parser=_place,
        metavar="PATH",
        help="Folder of the registry, or its address s3://BUCKET/PREFIX (NCDSURV_LOCAL names the folder here).",
        show_default=True,
    ),
]
ReleaseOption = Annotated[str, typer.Option("--release", help="Release id, or `latest`.")]
LanguageOption = Annotated[str, typer.Option("--lang", help="Language: vi or en.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of columns.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Do it again even if nothing changed.")]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Reports at a time; default: processors.")
]

DEFAULT_STORE = Path("registry")
LATEST = "latest"
