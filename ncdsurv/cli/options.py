"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StoreOption = Annotated[
    Path, typer.Option("--store", envvar="NCDSURV_STORE", help="Folder of the registry.", show_default=True)
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
