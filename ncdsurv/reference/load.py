"""Load reference packs into one `Reference`: areas, atoms, parents, populations, facilities, boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.catalog.vocabulary import Level, Vintage
from ncdsurv.errors import UsageError, unknown
from ncdsurv.reference import hierarchy
from ncdsurv.reference import population as people
from ncdsurv.reference.archipelagos import Archipelago, read_archipelagos
from ncdsurv.reference.boundaries import boundary_table, to_geodataframe
from ncdsurv.reference.pack import BUILTIN, Pack, read_pack
from ncdsurv.reference.schema import LEVELS, VINTAGES

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def load_reference(*folders: Path | str, builtin: bool = True) -> Reference:
    """Load the built-in pack and, on top of it, the packs in `folders`: a later one overrides or completes.

    Args:
        folders: Pack folders (each with a pack.toml), from low to high precedence.
        builtin: Whether the built-in pack lies underneath.

    Returns:
        The reference; its tables are read when first used.

    Raises:
        UsageError: A folder is no pack, or there is none at all.

    >>> reference = load_reference()
    >>> reference.area("52", "2024")["name"], reference.area("52", "2025")["name"]
    ('Bình Định', 'Gia Lai')
    """
    if builtin and not folders:
        return _builtin()
    packs = ([read_pack(BUILTIN)] if builtin else []) + [read_pack(folder) for folder in folders]
    if not packs:
        raise UsageError("no reference pack", got="no folder and builtin=False", do="give a folder")
    return Reference(packs)


@cache
def _builtin() -> Reference:
    """The built-in pack alone, read and worked out once in a process: its files belong to the package."""
    return Reference([read_pack(BUILTIN)])


class Reference:
    """Areas of both vintages and what is known of them. Made by `load_reference`; nothing in it changes."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self.packs = tuple(packs)
        self._of_level: tuple[tuple[str, str, int | None], pl.DataFrame] | None = None

    # --- areas -----------------------------------------------------------------------------------------------------
    @cached_property
    def _areas(self) -> pl.DataFrame:
        return hierarchy.merge_areas([pack.table("areas") for pack in self.packs])

    def areas(self, level: str | None = None, vintage: str | None = None) -> pl.DataFrame:
        """Areas, of one level or vintage if asked.

        Returns:
            Frame [code, vintage, level, name, name_en, type, parent_code, lon, lat (degrees), area_km2, position,
            pilot], sorted by vintage, level from large to small, code.
        """
        rows = self._areas
        if level is not None:
            rows = rows.filter(level=check_level(level))
        if vintage is not None:
            rows = rows.filter(vintage=check_vintage(vintage))
        return rows.select("code", "vintage", "level", pl.exclude("code", "vintage", "level"))

    @cached_property
    def _by_code(self) -> dict[tuple[str, str], int]:
        return {key: i for i, key in enumerate(zip(self._areas["vintage"], self._areas["code"], strict=True))}

    def area(self, code: str, vintage: str | None = None) -> dict[str, Any]:
        """One area as a dict of the columns of `areas`.

        Raises:
            UsageError: The vintage is missing (the same code means two places), or the code is not in that vintage.
        """
        if vintage is None:
            meant = [f"{self.area(code, v)['name']} in {v}" for v in VINTAGES if (v, code) in self._by_code]
            raise UsageError(
                "an area code without its vintage",
                got=repr(code),
                allowed=" or ".join(VINTAGES),
                do=f"say which one is meant: {'; '.join(meant) or 'neither vintage knows the code'}",
            )
        vintage = check_vintage(vintage)
        if not isinstance(code, str):
            raise UsageError(
                "an area code is text", got=repr(code), allowed='"01", not 1', do="keep leading zeros"
            )
        row = self._by_code.get((vintage, code))
        if row is None:
            near = [c for c in (code.zfill(n) for n in (2, 3, 5)) if (vintage, c) in self._by_code]
            if near:
                raise UsageError(f"unknown area code in vintage {vintage}", got=code, do=f"try {near[0]}")
            raise unknown(
                f"area code in vintage {vintage}", code, [c for v, c in self._by_code if v == vintage]
            )
        return self._areas.row(row, named=True)

    def codes_within(self, code: str, vintage: str, level: str = "commune") -> list[str]:
        """Codes of the areas of `level` inside an area, sorted; the area itself when it is of that level.

        Raises:
            UsageError: Unknown code, vintage or level.
        """
        top = self.area(code, vintage)["level"]
        chain = self.parents(vintage)
        return chain.filter(pl.col(top) == code)[check_level(level)].drop_nulls().unique().sort().to_list()

    def pilot_provinces(self) -> pl.DataFrame:
        """The pilot provinces as units of 2024: [code, name, name_en, code_2025, name_2025]."""
        pilots = self.areas("province", "2024").filter("pilot").select("code", "name", "name_en")
        names = self.areas("province", "2025").select(code_2025="code", name_2025="name")
        chain = self.atom_areas("2024").select("atom", code="province")
        chain = chain.join(self.atom_areas("2025").select("atom", code_2025="province"), on="atom")
        links = chain.select("code", "code_2025").unique()
        return pilots.join(links, on="code").join(names, on="code_2025").sort("code")

    # --- atoms and parents -----------------------------------------------------------------------------------------
    @cached_property
    def atoms(self) -> pl.DataFrame:
        """Frame [atom Int32, commune_2024, commune_2025, share, relation, method]; see `hierarchy.build_atoms`."""
        tables = [pack.table("crosswalk") for pack in self.packs if pack.has("crosswalk")]
        if not tables:
            raise UsageError(
                "no pack holds a crosswalk", got=[pack.id for pack in self.packs], do="add one that does"
            )
        return hierarchy.build_atoms(tables[-1])

    @cached_property
    def _parents(self) -> dict[str, pl.DataFrame]:
        return {v: hierarchy.build_parents(self._areas, self.atoms, v) for v in VINTAGES}

    def parents(self, vintage: str) -> pl.DataFrame:
        """Frame [commune, district, province, region, nation] of a vintage; see `hierarchy.build_parents`."""
        return self._parents[check_vintage(vintage)]

    def atom_areas(self, vintage: str) -> pl.DataFrame:
        """The areas of a vintage that each atom lies in: [atom, commune, district, province, region, nation]."""
        vintage = check_vintage(vintage)
        keyed = self.atoms.select("atom", commune=f"commune_{vintage}")
        return keyed.join(self.parents(vintage), on="commune", how="left", maintain_order="left")

    # --- population ------------------------------------------------------------------------------------------------
    @cached_property
    def population(self) -> pl.DataFrame:
        """Frame [vintage, level, code, year, sex, age_group, population, source, estimated, pack], persons.

        Rules of precedence, ages and sums: `ncdsurv.reference.population`.
        """
        tables = [(pack.id, pack.table("population")) for pack in self.packs]
        invented = {pack.id for pack in self.packs if pack.manifest["invented"]}
        return people.merge_population(tables, self._parents, self.atoms, invented)

    def population_of(self, vintage: str, level: str, year: int | None = None) -> pl.DataFrame:
        """Population of a level by sex and age: of each area the last year up to `year`, else its first year."""
        asked = check_vintage(vintage), check_level(level), year
        kept = self._of_level
        if kept is None or kept[0] != asked:  # one age base after another is taken of the same people
            kept = self._of_level = (asked, people.at_year(self.population, *asked))
        return kept[1]

    def population_at_ages(self, lower: int, upper: int | None = None, *, vintage: str | None = None,
                           level: str | None = None, year: int | None = None) -> pl.DataFrame:  # fmt: skip
        """People from `lower` to `upper` completed years (both included; None: no upper end), by area and sex.

        A five-year group that the base cuts is taken pro rata: 18+ takes two fifths of 15-19.

        Returns:
            Frame [vintage, level, code, year, sex, population Float64, estimated].

        Raises:
            UsageError: The base cuts the open group of the oldest, or is empty.
        """
        if vintage is not None and level is not None:
            return people.at_ages(self.population_of(vintage, level, year), lower, upper)
        vintages = [check_vintage(vintage)] if vintage else VINTAGES
        levels = [check_level(level)] if level else LEVELS
        rows = pl.concat([people.at_year(self.population, v, one, year) for v in vintages for one in levels])
        return people.at_ages(rows, lower, upper)

    def population_at_age_bases(
        self, bases: Sequence[tuple[int, int | None]], *, vintage: str, level: str, year: int | None = None
    ) -> pl.DataFrame:
        """People of a level in each of some age bases: as `population_at_ages`, with a column "0", "1", ... a base.

        Raises:
            UsageError: A base cuts the open group of the oldest, or is empty.
        """
        return people.at_age_bases(self.population_of(vintage, level, year), bases)

    # --- facilities, boundaries, islands, packs --------------------------------------------------------------------
    @cached_property
    def facilities(self) -> pl.DataFrame:
        """Frame [code, name, commune_code, vintage, valid_from, valid_to, successor, gln], the last pack winning.

        May be empty. `successor`: the code that took over after `valid_to`; `gln`: the 13-digit location number.
        """
        rows = pl.concat([pack.table("facilities") for pack in self.packs])
        return rows.unique(["code", "valid_from"], keep="last", maintain_order=True).sort(
            "code", "valid_from"
        )

    def boundary_table(self, level: str, vintage: str, within: str | None = None) -> pl.DataFrame:
        """Boundaries without geopandas: [code, name, name_en, geometry (WKB, WGS84), schematic, pack].

        Args:
            level, vintage: Which areas.
            within: Code of an area of the same vintage to stay inside.

        Raises:
            UsageError: No pack holds such boundaries.
        """
        return boundary_table(self, check_level(level), check_vintage(vintage), within)

    def boundaries(self, level: str, vintage: str, within: str | None = None) -> GeoDataFrame:
        """Boundaries as a GeoDataFrame [code, name, name_en, schematic, pack, geometry], EPSG:4326.

        All come from one pack: the last that has (nearly) all that were asked for. `attrs` says whether they are
        schematic and what source line to print. Districts, regions and the nation are dissolved from smaller areas.
        """
        return to_geodataframe(self.boundary_table(level, vintage, within), self.packs)

    @cached_property
    def _archipelagos(self) -> tuple[Archipelago, ...]:
        given = [pack.archipelagos for pack in self.packs if pack.archipelagos]
        return read_archipelagos(given[-1]) if given else ()

    def archipelagos(self) -> tuple[Archipelago, ...]:
        """The archipelagos that every national map shows."""
        return self._archipelagos

    @property
    def manifest(self) -> list[dict[str, Any]]:
        """The packs, from low to high precedence: id, title, vintages, schematic, verified, sources."""
        return [pack.manifest for pack in self.packs]

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of each pack by id, for a release's manifest."""
        return {pack.id: pack.fingerprint for pack in self.packs}

    def __repr__(self) -> str:
        return f"Reference({', '.join(pack.id for pack in self.packs)})"


def check_vintage(vintage: str) -> str:
    """The vintage as plain text.

    Raises:
        UsageError: There is no such vintage.
    """
    if str(vintage) not in VINTAGES:
        raise unknown("vintage", str(vintage), [str(v) for v in Vintage])
    return str(vintage)


def check_level(level: str) -> str:
    """The level as plain text.

    Raises:
        UsageError: There is no such level.
    """
    if str(level) not in LEVELS:
        raise unknown("level", str(level), [str(one) for one in Level])
    return str(level)
