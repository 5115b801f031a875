"""Releases: immutable folders that everything published is read from.

A folder appears under its name only when it is whole (made aside, flushed, renamed): reading needs no lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.catalog.tables import VALUES as VALUE_COLUMNS
from ncdsurv.catalog.vocabulary import Unit
from ncdsurv.errors import StoreError, unknown
from ncdsurv.store.atomic import TEMPORARY, folders_of
from ncdsurv.store.files import sha256_of

if TYPE_CHECKING:
    from ncdsurv.reference import Reference

MANIFEST, MEASURES, VALUES = "manifest.json", "measures.parquet", "values.parquet"
CATALOG, QUALITY, DOSSIER = "catalog.json", "quality.parquet", "dossier.json"
SENSITIVITY, UNITS = "sensitivity.parquet", "facilities.parquet"
LATEST = "latest"

VALUES_ORDER = (
    "indicator",
    "preset",
    "disease",
    "area_vintage",
    "area_level",
    "area_code",
    "period",
    "sex",
    "age_band",
    "standardisation",
)
"""Published rows are stored, and given back, in this order; together the columns are their key."""

Choice = str | Iterable[str] | None
"""A filter: one value, several, or None for all."""


class Release:
    """One release, read only.

    Args:
        folder: The release's folder.
        packs: Folder of the reference packs in use, for area names and boundaries.
    """

    def __init__(self, folder: Path, packs: Path | None = None) -> None:
        self.folder, self._packs = folder, packs

    def __repr__(self) -> str:
        return f"Release({self.id!r})"

    @property
    def id(self) -> str:
        """The release's id, for instance `2026-06-1f0c9ab2`."""
        return self.folder.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What went in, what came out, under which definitions, and which checks held."""
        return self._json(MANIFEST)

    @cached_property
    def catalog(self) -> dict[str, Any]:
        """The definitions as they were when the release was built."""
        return self._json(CATALOG)

    @cached_property
    def dossier(self) -> dict[str, Any]:
        """What was done against disclosure, in plain words."""
        return self._json(DOSSIER)

    def _json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / name).read_text("utf-8"))
        return content

    def measures(self) -> pl.LazyFrame:
        """Counts per atom, month, disease, sex, age band and preset: one column per measure.

        A preset whose outcomes rest on whole periods has rows of its own for them: `PRESET@N` in the month in which a
        period of N months ends (see `catalog.whole_periods`).
        """
        return pl.scan_parquet(self.folder / MEASURES)

    def scan_values(self) -> pl.LazyFrame:
        """All published values of areas, lazily, in the order of `VALUES_ORDER`."""
        return pl.scan_parquet(self.folder / VALUES)

    def scan_units(self) -> pl.LazyFrame:
        """The values of facilities and source systems, as `scan_values`; empty for an earlier release.

        They stand apart: the code of a facility may be the code of a commune.
        """
        path = self.folder / UNITS
        return pl.scan_parquet(path) if path.is_file() else pl.LazyFrame(schema=dict(VALUE_COLUMNS))

    def scan_levels(self, levels: Iterable[str] | None = None) -> pl.LazyFrame:
        """The values among which some levels stand, not filtered; None is all levels of areas."""
        wanted = set(levels or ())
        units = wanted & set(Unit)
        if not units:
            return self.scan_values()
        both = [self.scan_values(), self.scan_units()]
        return self.scan_units() if units == wanted else pl.concat(both).sort(VALUES_ORDER)

    def quality(self) -> pl.DataFrame:
        """The quality table."""
        return pl.read_parquet(self.folder / QUALITY)

    def sensitivity(self) -> pl.DataFrame:
        """Rates with another limit (`catalog/definitions/sensitivity.toml`): rows as those of `values`.

        `preset` is `<preset>.<variant>`. Empty for a release made before there were any.
        """
        path = self.folder / SENSITIVITY
        return pl.read_parquet(path) if path.is_file() else pl.DataFrame(schema=dict(VALUE_COLUMNS))

    def reference(self) -> Reference:
        """The reference data in use (built-in pack, then the packs that were added)."""
        from ncdsurv.reference import load_reference

        return load_reference(*pack_folders(self._packs))

    def values(
        self,
        indicator: Choice = None,
        disease: Choice = None,
        level: Choice = None,
        preset: Choice = None,
        vintage: Choice = None,
        area: Choice = None,
        period: Choice = None,
        sex: Choice = "both",
        age_band: Choice = "all",
        standardisation: Choice = "crude",
    ) -> pl.DataFrame:
        """Published values, filtered; each filter takes one value, several, or None for all.

        Facilities and source systems are asked for by level (`facility`, `source`): without a level all rows
        are of areas. Some indicators have them, by month (`by_facility` in their definition).

        Returns:
            Columns of `ncdsurv.catalog.tables.VALUES`, in the order of `VALUES_ORDER`. Percentages run from
            0 to 100. A null value has a flag that says why.

        Raises:
            UsageError: A filter names something the release does not have; it names the nearest.
        """
        wanted = {
            "indicator": indicator,
            "disease": disease,
            "area_level": level,
            "preset": preset,
            "area_vintage": vintage,
            "area_code": area,
            "period": period,
            "sex": sex,
            "age_band": age_band,
            "standardisation": standardisation,
        }
        asked = {column: _listed(choice) for column, choice in wanted.items() if choice is not None}
        levels = asked.get("area_level", [])
        frame = self.scan_levels(levels)
        for column, chosen in asked.items():
            self._check(column, chosen, levels)
            test = pl.col(column) == chosen[0] if len(chosen) == 1 else pl.col(column).is_in(chosen)
            frame = frame.filter(test)
        return frame.collect().sort(VALUES_ORDER)

    def contents(self) -> Mapping[str, list[str]]:
        """What the values hold: column of the key -> its distinct values, sorted."""
        found: Mapping[str, list[str]] = self.manifest["contents"]
        return found

    @cached_property
    def _areas(self) -> set[str]:
        published = self.scan_values().select(pl.col("area_code").unique()).collect().to_series().to_list()
        return {*published, *self.reference().areas()["code"].to_list()}

    @cached_property
    def units(self) -> set[str]:
        """Codes of facilities and ids of source systems that have values."""
        return set(self.scan_units().select(pl.col("area_code").unique()).collect().to_series().to_list())

    def _check(self, column: str, chosen: list[str], levels: list[str]) -> None:
        known: Iterable[str] = self._areas if column == "area_code" else self.contents()[column]
        if column == "area_code" and set(levels) & set(Unit):
            known = self.units if set(levels) <= set(Unit) else self._areas | self.units
        for word in chosen:
            if word not in known:
                raise unknown(column.replace("_", " ").replace("area code", "area"), word, known)

    def verify(self) -> None:
        """Check that every file is still, byte for byte, what was published.

        Raises:
            StoreError: A file is missing or was changed.
        """
        for name, expected in self.manifest["files"].items():
            path = self.folder / name
            if not path.is_file() or sha256_of(path) != expected["sha256"]:
                raise StoreError(
                    "a release was changed", got=f"{self.id}/{name}", do="restore it from a backup"
                )


def _listed(choice: str | Iterable[str]) -> list[str]:
    single = isinstance(choice, str) or not isinstance(choice, Iterable)
    return [str(choice)] if single else list(choice)


class ReleaseStore:
    """The releases of a registry, read only.

    Args:
        folder: `<store>/releases`.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def has(self, release_id: str) -> bool:
        """Whether there is such a release."""
        return (self.folder / release_id / MANIFEST).is_file()

    def publish(self, release_id: str) -> None:
        """Let all readers see a finished release; here it is seen from its name on."""

    def _found(self) -> list[dict[str, Any]]:
        """The manifests of all releases, in no order."""
        if not self.folder.is_dir():
            return []
        whole = [
            f for f in self.folder.iterdir() if not f.name.startswith(TEMPORARY) and (f / MANIFEST).is_file()
        ]
        return [Release(folder).manifest for folder in whole]

    def ids(self) -> list[str]:
        """Ids of all releases, in the order of `list`."""
        return [manifest["id"] for manifest in self.list()]

    def list(self) -> list[dict[str, Any]]:
        """The manifests of all releases, by reference month, then by when they were made."""
        return sorted(self._found(), key=lambda m: (m["as_of"], m["created_at"], m["id"]))

    def latest(self) -> Release:
        """The release of the latest reference month, the last made of them.

        Raises:
            StoreError: There is none.
        """
        ids = self.ids()
        if not ids:
            raise StoreError("the registry has no release", do="build one: ncdsurv build --as-of YYYY-MM")
        return self.open(ids[-1])

    def open(self, release_id: str) -> Release:
        """A release by id, or the latest by the word `latest`.

        Raises:
            UsageError: There is no such release; it names the nearest.
        """
        if release_id == LATEST:
            return self.latest()
        folder = self.folder / release_id
        if Path(release_id).name != release_id or not (folder / MANIFEST).is_file():
            raise unknown("release", release_id, self.ids())
        return Release(folder, self.folder.parent / "reference")


def pack_folders(packs: Path | None) -> list[Path]:
    """The folders of added reference packs, by name; empty where there are none."""
    return [] if packs is None else folders_of(packs)
