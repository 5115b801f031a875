"""One reference pack: a folder with pack.toml and tables. The only module of the area that reads files."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from ncdsurv.errors import UsageError
from ncdsurv.reference import schema

BUILTIN = Path(__file__).parent / "builtin"
DESCRIPTION = "pack.toml"
ARCHIPELAGOS = "archipelagos.toml"


@dataclass(frozen=True)
class Pack:
    """A reference pack as found on disk; tables are read when first asked for.

    Attributes:
        folder: Where it lies.
        about: Content of pack.toml.
    """

    folder: Path
    about: dict[str, Any]

    @property
    def id(self) -> str:
        """Name of the pack, unique within a store."""
        return str(self.about["id"])

    @property
    def schematic(self) -> bool:
        """Whether its boundaries are schematic; every map then says so."""
        return bool(self.about.get("schematic", False))

    @property
    def manifest(self) -> dict[str, Any]:
        """What releases and maps print about the pack: id, title, schematic, verified, invented, sources."""
        return {
            "id": self.id,
            "title": self.about.get("title", self.id),
            "title_vi": self.about.get("title_vi", self.about.get("title", self.id)),
            "vintages": list(self.about.get("vintages", [])),
            "schematic": self.schematic,
            "verified": bool(self.about.get("verified", False)),
            "invented": bool(self.about.get("invented", False)),
            "sources": [dict(source) for source in self.about.get("source", [])],
        }

    def has(self, table: str) -> bool:
        """Whether the pack holds a table."""
        return bool(self.files(table))

    def files(self, table: str) -> list[Path]:
        """Files of a table: `<table>.csv`, `<table>.parquet` or `<table>_<anything>.csv|parquet`, sorted."""
        names = [f"{table}.csv", f"{table}.parquet", f"{table}_*.csv", f"{table}_*.parquet"]
        return sorted({path for name in names for path in self.folder.glob(name)})

    def table(self, name: str) -> pl.DataFrame:
        """A table in its schema; without rows when the pack does not hold it."""
        frames = [schema.conform(read_table(path, name), name) for path in self.files(name)]
        return pl.concat(frames) if frames else schema.empty(name)

    @cached_property
    def archipelagos(self) -> list[dict[str, Any]]:
        """Entries of archipelagos.toml, if any."""
        path = self.folder / ARCHIPELAGOS
        if not path.exists():
            return []
        return list(tomllib.loads(path.read_text(encoding="utf-8")).get("archipelago", []))

    def all_files(self) -> list[Path]:
        """Every file that belongs to the pack, sorted by name."""
        known = [self.folder / DESCRIPTION, self.folder / ARCHIPELAGOS]
        known += [path for table in schema.TABLES for path in self.files(table)]
        return sorted({path for path in known if path.exists()})

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the names and bytes of the pack's files."""
        digest = hashlib.sha256()
        for path in self.all_files():
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


def read_pack(folder: Path | str) -> Pack:
    """Open a pack.

    Raises:
        UsageError: The folder holds no readable pack.toml with an id.
    """
    folder = Path(folder)
    path = folder / DESCRIPTION
    if not path.exists():
        raise UsageError(
            "not a reference pack",
            got=folder,
            allowed="a folder with pack.toml",
            do="run `ncdsurv reference add` on the folder, or write a pack.toml (ncdsurv/reference/README.md)",
        )
    try:
        about = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("pack.toml cannot be read", got=f"{path}: {error}", do="mend the file") from error
    if not isinstance(about.get("id"), str) or not about["id"]:
        raise UsageError("pack.toml has no id", got=path, allowed='id = "a short name"', do="add the id")
    return Pack(folder, about)


def is_invented(release: Any, reference: Any) -> bool:
    """Whether a release, or one of the reference packs in use, says that its people are invented.

    Args:
        release: Something with the `manifest` of a release; None when only the packs can say.
        reference: The reference in use.
    """
    manifest = {} if release is None else release.manifest
    packs = (*reference.manifest, *manifest.get("reference_packs", []))
    return bool(manifest.get("invented")) or any(pack.get("invented") for pack in packs)


def read_table(path: Path, table: str) -> pl.DataFrame:
    """One file of a table with the schema's types; columns the schema does not know are left out.

    Raises:
        UsageError: The file cannot be read with these types.
    """
    types = schema.dtypes(table)
    try:
        if path.suffix == ".parquet":
            frame = read_parquet(path)
        else:
            header = pl.read_csv(path, n_rows=0, infer_schema=False, comment_prefix="#").columns
            known = {name: types.get(name, pl.String) for name in header}
            frame = pl.read_csv(path, schema_overrides=known, infer_schema=False, comment_prefix="#")
        return frame.select(pl.col(name).cast(types[name]) for name in frame.columns if name in types)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0][:200]
        raise UsageError(
            "a table of a reference pack cannot be read",
            got=f"{path}: {reason}",
            do="run `ncdsurv reference add` on the pack to see every problem at once",
        ) from error


def read_parquet(path: Path) -> pl.DataFrame:
    """A Parquet file; the geometry of GeoParquet as plain WKB."""
    frame = pl.read_parquet(path)
    tagged = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.BaseExtension)]
    return frame.with_columns(pl.col(name).ext.storage() for name in tagged)
