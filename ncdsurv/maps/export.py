"""Areas with their values as files for a GIS: GeoParquet, GeoPackage, GeoJSON (RFC 7946)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import polars as pl

from ncdsurv.errors import UsageError
from ncdsurv.maps.asked import PlaceChoice, settle, takes
from ncdsurv.maps.frames import IDENTITY, require_single
from ncdsurv.maps.geojson import bounds, island_feature, read_shapes
from ncdsurv.maps.multiples import periods_of
from ncdsurv.maps.picture import packs
from ncdsurv.maps.selection import choose_rows, infer_within, join_areas

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from ncdsurv.reference import Reference

LAYER = "areas"  # name of the layer in a GeoPackage
AREA, ARCHIPELAGO = "area", "archipelago"
EPSG_WGS84 = 4326
_FIRST = ("kind", "area_code", "area_vintage", "area_level", "name", "name_en")


@takes(PlaceChoice)
def write_areas(
    values: Any, path: str | Path, *, period: str | None = None, **asked: Unpack[PlaceChoice]
) -> Path:
    """Write areas with their values to a file for a GIS; the ending chooses the format.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas).
        path: Ending in .parquet (GeoParquet), .gpkg (GeoPackage, layer `areas`) or .geojson (RFC 7946).
        period: `2026-06`, `2026-Q2` or `2026`; None writes all periods of the values, one row per area and period.
        **asked: See `ncdsurv.maps.asked.PlaceChoice`.

    Returns:
        The path. One row per area and period, whether it has a value or not: codes (text, leading zeros kept) with
        their vintage and level, names, release, indicator and what else tells the values apart, period, numerator,
        denominator, value, lower, upper, flag, status, and the geometry in WGS84 (longitude, latitude). What is
        suppressed is absent, never 0. National files end with Hoàng Sa and Trường Sa (`kind` is `archipelago`).

    Raises:
        UsageError: The values are a mixture, hold no such period, or the ending is unknown.

    >>> import tempfile
    >>> import polars as pl
    >>> row = dict(release="r", indicator="control_rate", preset="hearts", disease="hypertension", sex="both",
    ...     age_band="all", area_vintage="2025", area_level="province", standardisation="crude", unit="percent",
    ...     numerator=50.0, denominator=100.0, lower=40.4, upper=59.6, ci_method="wilson", flag="ok", period="2026-06",
    ...     area_code="01", value=50.0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_areas(pl.DataFrame([row]), f"{folder}/control.geojson")
    ...     features = json.loads(path.read_text(encoding="utf-8"))["features"]
    >>> [features[0]["properties"][name] for name in ("area_code", "area_vintage", "name", "period", "value")]
    ['01', '2025', 'Hà Nội', '2026-06', 50.0]
    """
    path = check_ending(path)
    one = settle(PlaceChoice, asked)
    level, vintage, within = one["level"], one["vintage"], one["within"]
    _, reference = packs(None, one["reference"])
    wanted = periods_of(values, level, vintage) if period is None else [period]
    chosen = [choose_rows(values, period=each, level=level, vintage=vintage) for each in wanted]
    first = chosen[0]
    pooled = replace(first, frame=pl.concat([rows.frame for rows in chosen]))
    identity = require_single(pooled.frame, (*IDENTITY, "unit"), "a file of areas")
    within = within if within is not None else infer_within(pooled, reference)
    codes = list(read_shapes(reference, first.level, first.vintage, within))
    tables = [join_areas(codes, rows).with_columns(period=pl.lit(rows.period)) for rows in chosen]
    place = reference, first.level, first.vintage, within
    return write_table(pl.concat(tables), path, place, identity)


def write_table(
    table: pl.DataFrame,
    path: Path,
    place: tuple[Reference, str, str, str | None],
    identity: Mapping[str, Any],
) -> Path:
    """Write rows with `area_code` (and `period`) to a checked path.

    Args:
        table: One row per area, or per area and period.
        path: See `write_areas`.
        place: Reference, level, vintage, and the area to stay inside or None.
        identity: What all rows share; it becomes columns.
    """
    table = _complete(table, place, identity)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        _WRITERS[path.suffix.lower()](table, place, part)
        os.replace(part, path)  # a reader sees the whole file or the one before
    finally:
        part.unlink(missing_ok=True)
    return path


def check_ending(path: str | Path) -> Path:
    """The path, if its ending is one of the formats.

    Raises:
        UsageError: Another ending.
    """
    path = Path(path)
    if path.suffix.lower() not in _WRITERS:
        raise UsageError(
            "unknown format of areas",
            got=path.suffix or path.name,
            allowed=", ".join(sorted(_WRITERS)),
            do='write to "control.gpkg", for instance; pictures are for .save()',
        )
    return path


def _complete(
    table: pl.DataFrame, place: tuple[Any, str, str, str | None], identity: Mapping[str, Any]
) -> pl.DataFrame:
    """Rows with codes, vintage, level, names and identity as columns, in one order."""
    reference, level, vintage, within = place
    shapes = read_shapes(reference, level, vintage, within)
    names = pl.DataFrame(
        [(code, shape["name"], shape["name_en"], shape["schematic"]) for code, shape in shapes.items()],
        schema={"area_code": pl.String, "name": pl.String, "name_en": pl.String, "schematic": pl.Boolean},
        orient="row",
    )
    shared = {key: value for key, value in identity.items() if value is not None and key not in table.columns}
    table = table.drop("name", strict=False).join(names, on="area_code", how="left", maintain_order="left")
    table = table.with_columns(
        pl.lit(AREA).alias("kind"),
        pl.lit(str(vintage)).alias("area_vintage"),
        pl.lit(str(level)).alias("area_level"),
        *(pl.lit(value).alias(key) for key, value in shared.items()),
    )
    first = [*_FIRST, *shared, "period"]
    return table.select(*first, *(name for name in table.columns if name not in first))


def _write_geojson(table: pl.DataFrame, place: tuple[Any, str, str, str | None], path: Path) -> None:
    reference, level, vintage, within = place
    shapes = read_shapes(reference, level, vintage, within)
    features = [
        {
            "type": "Feature",
            "id": f"{vintage}:{row['area_code']}:{row['period']}",
            "geometry": shapes[row["area_code"]]["geometry"],
            "properties": row,
        }
        for row in table.iter_rows(named=True)
    ]
    if within is None:
        features += [island_feature(one, vintage) for one in reference.archipelagos()]
    boxes = [shape["box"] for shape in shapes.values() if shape["box"] is not None]
    whole = {"type": "FeatureCollection", "bbox": bounds(boxes), "features": features}
    path.write_text(json.dumps(whole, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _write_parquet(table: pl.DataFrame, place: tuple[Any, str, str, str | None], path: Path) -> None:
    _geodataframe(table, place).to_parquet(path, index=False, compression="zstd", schema_version="1.1.0")


def _write_geopackage(table: pl.DataFrame, place: tuple[Any, str, str, str | None], path: Path) -> None:
    _geodataframe(table, place).to_file(path, layer=LAYER, driver="GPKG", engine="pyogrio", index=False)


_WRITERS: dict[str, Callable[[pl.DataFrame, tuple[Any, str, str, str | None], Path], None]] = {
    ".geojson": _write_geojson,
    ".gpkg": _write_geopackage,
    ".parquet": _write_parquet,
}


def _geodataframe(table: pl.DataFrame, place: tuple[Any, str, str, str | None]) -> GeoDataFrame:
    """The rows as a GeoDataFrame; the archipelagos of the nation at the end."""
    import geopandas
    import shapely

    reference, level, vintage, within = place
    shapes = read_shapes(reference, level, vintage, within)
    drawn = {
        code: None if shape["geometry"] is None else shapely.from_geojson(json.dumps(shape["geometry"]))
        for code, shape in shapes.items()
    }
    geometry = [drawn[code] for code in table["area_code"]]
    if within is None:
        islands = [island_feature(one, vintage) for one in reference.archipelagos()]
        rows = pl.DataFrame(
            [
                {name: one["properties"].get(name) for name in ("kind", "area_vintage", "name", "name_en")}
                for one in islands
            ]
        )
        table = pl.concat([table, rows], how="diagonal_relaxed")
        geometry += [shapely.from_geojson(json.dumps(one["geometry"])) for one in islands]
    frame = table.to_pandas()
    for name, dtype in table.schema.items():
        if dtype.is_integer():
            frame[name] = frame[name].astype(
                "Int64"
            )  # a class that is missing must not turn the others into floats
    return geopandas.GeoDataFrame(frame, geometry=geometry, crs=EPSG_WGS84)
