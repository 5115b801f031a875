"""Add an outside pack to a registry's reference folder: checked first, copied whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from ncdsurv.errors import DefinitionError
from ncdsurv.reference.convert import convert, find_layout
from ncdsurv.reference.pack import BUILTIN, DESCRIPTION, read_pack
from ncdsurv.reference.validate import validate_pack


def put(fresh: Path, target: Path) -> None:
    """Give a folder its name, in the place of what stood there."""
    if target.exists():
        shutil.rmtree(target)
    fresh.rename(target)


def add_pack(folder: Path | str, into: Path | str, place: Callable[[Path, Path], None] = put) -> Path:
    """Check a pack and copy it to `into/<pack id>`. A folder of a known layout is converted first.

    Adding the same pack again changes nothing; another pack of the same id takes its place.

    Args:
        folder: A pack (with pack.toml), or a folder that `layouts/*.toml` knows.
        into: The reference folder of a registry; made when missing.
        place: Puts the finished folder in its place; a registry gives one that survives a crash.

    Returns:
        The folder of the added pack.

    Raises:
        DefinitionError: Everything that is wrong with the pack; nothing was copied.
    """
    folder, into = Path(folder), Path(into)
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=into) as room:
        source = folder
        layout = None if (folder / DESCRIPTION).exists() else find_layout(folder)
        if layout is not None:
            source = Path(room) / "converted"
            source.mkdir()
            convert(folder, layout, source)
        problems = validate_pack(source)
        if problems:
            raise DefinitionError(str(problem) for problem in problems)
        pack = read_pack(source)
        if pack.id == read_pack(BUILTIN).id:
            raise DefinitionError(
                [f"{DESCRIPTION}, column id: {pack.id} is the built-in pack; do: choose another id"]
            )
        target = into / pack.id
        if target.exists() and read_pack(target).fingerprint == pack.fingerprint:
            return target
        fresh = Path(room) / pack.id
        fresh.mkdir()
        for path in pack.all_files():
            shutil.copyfile(path, fresh / path.name)
        place(fresh, target)
        return target
