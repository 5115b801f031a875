"""Boundaries of areas: chosen from one pack, dissolved upwards where a pack holds only the smaller ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.errors import UsageError
from ncdsurv.reference.schema import LEVELS

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from ncdsurv.reference.load import Reference
    from ncdsurv.reference.pack import Pack

ENOUGH = 0.95  # part of the areas asked for that a pack must hold; islands without a cell are what is missing
EPSG_WGS84 = 4326


def boundary_table(reference: Reference, level: str, vintage: str, within: str | None) -> pl.DataFrame:
    """Boundaries of one level and vintage from one pack; see `Reference.boundary_table`."""
    names = reference.areas(level, vintage).select("code", "name", "name_en")
    if within is not None:
        names = names.filter(pl.col("code").is_in(reference.codes_within(within, vintage, level)))
    wanted = set(names["code"])
    for pack in reversed(reference.packs):
        found = _of_pack(pack, reference.parents(vintage), level, vintage, wanted)
        if wanted and found.height >= ENOUGH * len(wanted):
            return (
                found.join(names, on="code")
                .with_columns(schematic=pl.lit(pack.schematic), pack=pl.lit(pack.id))
                .select("code", "name", "name_en", "geometry", "schematic", "pack")
                .sort("code")
            )
    raise UsageError("no pack holds these boundaries", got=f"{level}, vintage {vintage}, within {within or 'VN'}",
                     allowed=", ".join(pack.id for pack in reference.packs), do="ask for another level or vintage, "
                     "or add a pack that has them")  # fmt: skip


def to_geodataframe(table: pl.DataFrame, packs: Sequence[Pack]) -> GeoDataFrame:
    """A boundary table as a GeoDataFrame, with the pack's sources in `attrs`."""
    import geopandas

    columns = [name for name in table.columns if name != "geometry"]
    frame = geopandas.GeoDataFrame(
        {name: table[name].to_list() for name in columns},
        geometry=geopandas.GeoSeries.from_wkb(table["geometry"].to_list()).values,
        crs=EPSG_WGS84,
    )
    used = next(pack for pack in packs if pack.id == table["pack"][0])
    frame.attrs = {"schematic": used.schematic, "pack": used.id, "sources": used.manifest["sources"]}
    return frame


def _of_pack(pack: Pack, parents: pl.DataFrame, level: str, vintage: str, wanted: set[str]) -> pl.DataFrame:
    """[code, geometry] of the wanted areas in a pack: as held, else dissolved from the nearest smaller level."""
    held = pack.table("boundaries").filter(vintage=vintage)
    for part in [level, *reversed(LEVELS[: LEVELS.index(level)])]:
        cells = held.filter(level=part)
        if cells.is_empty():
            continue
        if part == level:
            return cells.filter(pl.col("code").is_in(list(wanted))).select("code", "geometry")
        links = parents.select(pl.col(part).alias("part"), pl.col(level).alias("code")).drop_nulls().unique()
        joined = (
            cells.rename({"code": "part"}).join(links, on="part").filter(pl.col("code").is_in(list(wanted)))
        )
        return _dissolve(joined)
    return pl.DataFrame(schema={"code": pl.String, "geometry": pl.Binary})


def _dissolve(cells: pl.DataFrame) -> pl.DataFrame:
    """Union of the cells [code, geometry] of each code."""
    import shapely

    groups = cells.sort("code", "part").partition_by("code", as_dict=True, maintain_order=True)
    rows = [
        (code, shapely.to_wkb(shapely.union_all(shapely.from_wkb(group["geometry"].to_list()))))
        for (code,), group in groups.items()
    ]
    return pl.DataFrame(rows, schema={"code": pl.String, "geometry": pl.Binary}, orient="row")
