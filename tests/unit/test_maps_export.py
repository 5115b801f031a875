"""Areas as files for a GIS, each read back: codes, vintage, values, what is suppressed, geometry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import polars as pl
import pyogrio
import pytest
import shapely

import ncdsurv as ns
from ncdsurv.catalog.vocabulary import Flag
from ncdsurv.errors import UsageError
from ncdsurv.maps import bivariate, draw_map, small_multiples, tile_map, write_areas
from ncdsurv.reference import add_pack, load_reference
from tests.unit.test_maps_draw import REFERENCE, provinces, texts, values
from tests.unit.test_maps_same_classes import MONTHS, months
from tests.unit.test_maps_two import pair

FORMATS = ("parquet", "gpkg", "geojson")
NUMBERS = ["numerator", "denominator", "value", "lower", "upper"]


def read(path: Path) -> geopandas.GeoDataFrame:
    return geopandas.read_parquet(path) if path.suffix == ".parquet" else geopandas.read_file(path)


def with_a_suppressed_and_an_absent_area() -> pl.DataFrame:
    frame = provinces("2025").with_row_index("at")
    hidden = pl.when(pl.col("at") == 0)
    return (
        frame.filter(pl.col("at") != 1)
        .with_columns(
            *(hidden.then(None).otherwise(name).alias(name) for name in NUMBERS),
            hidden.then(pl.lit(Flag.SUPPRESSED.value)).otherwise("flag").alias("flag"),
        )
        .drop("at")
    )


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_is_read_back_with_codes_vintage_values_and_what_is_missing(ending: str, tmp_path: Path):
    frame = with_a_suppressed_and_an_absent_area()
    path = ns.write_areas(frame, tmp_path / f"areas.{ending}", reference=REFERENCE)
    table = read(path)
    assert table.crs.to_epsg() == 4326
    areas = table[table["kind"] == "area"]
    assert list(areas["area_code"]) == REFERENCE.areas("province", "2025")["code"].sort().to_list()
    assert areas["area_code"].iloc[0] == "01"
    for column, expected in (
        ("area_vintage", "2025"), ("area_level", "province"), ("period", "2026-06"), ("release", "2026-06-abc"),
        ("indicator", "control_rate"), ("disease", "hypertension"), ("unit", "percent"),
    ):  # fmt: skip
        assert set(areas[column]) == {expected}, column
    assert bool(areas["schematic"].all())
    by_code = areas.set_index("area_code")
    suppressed, absent = by_code.iloc[0], by_code.iloc[1]
    assert suppressed["status"] == "suppressed"
    assert absent["status"] == "not_reported"
    assert suppressed[NUMBERS].isna().all()
    assert absent[NUMBERS].isna().all()
    for row in frame.tail(5).iter_rows(named=True):
        assert by_code.loc[row["area_code"], NUMBERS].tolist() == pytest.approx(
            [row[name] for name in NUMBERS]
        )
    islands = table[table["kind"] == "archipelago"]
    assert list(islands["name"]) == [one.label("vi") for one in REFERENCE.archipelagos()]
    assert islands["value"].isna().all()
    assert bool(shapely.is_valid(areas.geometry).all())
    assert not shapely.has_z(areas.geometry).any()


@pytest.mark.parametrize("ending", FORMATS)
def test_all_periods_are_written_where_none_is_named(ending: str, tmp_path: Path):
    frame = months().filter(pl.col("period") != "2026-Q2")
    table = read(write_areas(frame, tmp_path / f"areas.{ending}", reference=REFERENCE))
    counted = table[table["kind"] == "area"].groupby("period").size()
    assert counted.to_dict() == dict.fromkeys(MONTHS, 34)
    one = read(write_areas(frame, tmp_path / f"one.{ending}", reference=REFERENCE, period="2026-05"))
    assert set(one.loc[one["kind"] == "area", "period"]) == {"2026-05"}


def positions(coordinates: Any) -> Iterator[list[float]]:
    if isinstance(coordinates[0], int | float):
        yield coordinates
    else:
        for part in coordinates:
            yield from positions(part)


def rings(geometry: dict[str, Any]) -> Iterator[tuple[bool, list[list[float]]]]:
    parts = {"Polygon": lambda c: [c], "MultiPolygon": lambda c: c, "MultiPoint": lambda c: []}
    for polygon in parts[geometry["type"]](geometry["coordinates"]):
        for at, ring in enumerate(polygon):
            yield at == 0, ring


@pytest.mark.parametrize(("level", "within"), [("province", None), ("commune", "79"), ("commune", "56")])
def test_geojson_keeps_to_rfc_7946(level: str, within: str | None, tmp_path: Path):
    codes = (
        REFERENCE.areas(level, "2025")["code"].to_list()
        if within is None
        else REFERENCE.codes_within(within, "2025")
    )
    path = write_areas(values(level, "2025", codes), tmp_path / "areas.geojson", reference=REFERENCE)
    text = path.read_bytes().decode("utf-8")
    assert not text.startswith("\ufeff")
    whole = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert set(whole) == {"type", "bbox", "features"}  # no crs
    assert whole["type"] == "FeatureCollection"
    west, south, east, north = whole["bbox"]
    assert -180 <= west < east <= 180
    assert -90 <= south < north <= 90
    assert len({feature["id"] for feature in whole["features"]}) == len(whole["features"])
    for feature in whole["features"]:
        assert set(feature) == {"type", "id", "geometry", "properties"}
        assert feature["type"] == "Feature"
        geometry = feature["geometry"]
        assert set(geometry) == {"type", "coordinates"}
        for position in positions(geometry["coordinates"]):
            assert len(position) == 2
            assert 100 < position[0] < 120
            assert 5 < position[1] < 25
        for outer, ring in rings(geometry):
            assert len(ring) >= 4
            assert ring[0] == ring[-1]
            assert shapely.LinearRing(ring).is_ccw is outer
    assert len(pyogrio.read_dataframe(path)) == len(whole["features"])


def test_a_geopackage_is_one_layer_with_its_reference_system(tmp_path: Path):
    path = write_areas(provinces("2024"), tmp_path / "areas.gpkg", reference=REFERENCE)
    assert pyogrio.list_layers(path)[:, 0].tolist() == ["areas"]
    info = pyogrio.read_info(path)
    assert info["crs"] == "EPSG:4326"
    assert info["features"] == 63 + 2


def test_a_geoparquet_file_says_version_encoding_and_reference_system(tmp_path: Path):
    import pyarrow.parquet as pq

    path = write_areas(provinces("2025"), tmp_path / "areas.parquet", reference=REFERENCE)
    geo = json.loads(pq.read_metadata(path).metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["encoding"] == "WKB"
    assert geo["columns"]["geometry"]["crs"]["id"] == {"authority": "EPSG", "code": 4326}
    assert pl.read_parquet(path).schema["area_code"] in (pl.String, pl.Categorical)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("kind", ["choropleth", "multiples", "tiles", "two"])
def test_every_kind_of_map_writes_the_areas_it_shows(kind: str, ending: str, tmp_path: Path):
    maps = {
        "choropleth": lambda: draw_map(provinces("2025").to_pandas(), reference=REFERENCE),
        "multiples": lambda: small_multiples(months(), MONTHS[:2], reference=REFERENCE),
        "tiles": lambda: tile_map(provinces("2025"), reference=REFERENCE),
        "two": lambda: bivariate(*pair(), reference=REFERENCE),
    }
    result = maps[kind]()
    table = read(result.write(tmp_path / f"map.{ending}"))
    areas = table[table["kind"] == "area"].reset_index(drop=True)
    data = result.data if isinstance(result.data, pd.DataFrame) else result.data.to_pandas()
    assert list(areas["area_code"]) == list(data["area_code"])
    for column in data.columns.intersection(["value", "class", "first_value", "second_class"]):
        assert areas[column].astype(float).tolist() == pytest.approx(
            data[column].astype(float).tolist(), nan_ok=True
        )
    assert set(areas["release"]) == {"2026-06-abc"}
    assert set(areas["period"]) == set(data.get("period", ["2026-06"]))
    if kind == "two":
        assert set(areas["first_indicator"]) == {"control_rate"}
        assert set(areas["second_indicator"]) == {"detection_rate"}
        assert "indicator" not in areas
    else:
        assert set(areas["indicator"]) == {"control_rate"}
    assert texts(result.figure)


def test_a_map_of_one_province_writes_its_communes_only(tmp_path: Path):
    codes = REFERENCE.codes_within("56", "2025")
    result = draw_map(values("commune", "2025", codes), reference=REFERENCE)
    table = read(result.write(tmp_path / "map.parquet"))
    assert sorted(table["area_code"]) == sorted(codes)
    special = table[table["name"] == "Đặc khu Trường Sa"].iloc[0]
    assert special.geometry.geom_type == "MultiPoint"


def test_a_file_that_is_there_is_replaced_and_a_failed_write_leaves_it_alone(
    tmp_path: Path, monkeypatch: Any
):
    path = tmp_path / "areas.gpkg"
    write_areas(provinces("2025"), path, reference=REFERENCE)
    write_areas(provinces("2024"), path, reference=REFERENCE)
    before = path.read_bytes()
    assert len(read(path)) == 65

    def broken(*_: Any, **__: Any) -> None:
        (tmp_path / ".areas.part.gpkg").write_text("half")
        raise OSError("no space left")

    monkeypatch.setattr(geopandas.GeoDataFrame, "to_file", broken)
    with pytest.raises(OSError, match="no space"):
        write_areas(provinces("2025"), path, reference=REFERENCE)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["areas.gpkg"]


@pytest.mark.parametrize("name", ["areas.shp", "areas", "areas.png"])
def test_another_ending_is_refused(name: str, tmp_path: Path):
    with pytest.raises(UsageError, match=r"unknown format of areas: .*allowed: \.geojson, \.gpkg, \.parquet"):
        write_areas(provinces("2025"), tmp_path / name, reference=REFERENCE)
    with pytest.raises(UsageError, match="unknown format of areas"):
        draw_map(provinces("2025"), reference=REFERENCE).write(tmp_path / name)


def test_a_mixture_is_refused(tmp_path: Path):
    mixed = months().filter(pl.col("period").is_in(MONTHS[:2])).with_columns(
        sex=pl.when(pl.col("period") == MONTHS[0]).then(pl.lit("male")).otherwise(pl.lit("female"))
    )  # fmt: skip
    with pytest.raises(UsageError, match="a file of areas shows one sex, not a mixture"):
        write_areas(mixed, tmp_path / "areas.gpkg", reference=REFERENCE)


def test_official_boundaries_come_out_valid_with_every_ring_turned_right(shared_pack: Path, tmp_path: Path):
    official = load_reference(add_pack(shared_pack, tmp_path / "packs"))
    codes = official.areas("province", "2025")["code"].to_list()
    path = write_areas(values("province", "2025", codes), tmp_path / "areas.geojson", reference=official)
    whole = json.loads(path.read_text(encoding="utf-8"))
    assert sum(feature["properties"]["kind"] == "area" for feature in whole["features"]) == 34
    for feature in whole["features"]:
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shapely.is_valid(shape)
        assert all(shapely.LinearRing(ring).is_ccw is outer for outer, ring in rings(feature["geometry"]))
        assert feature["properties"].get("schematic") in (False, None)
