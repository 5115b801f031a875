"""GeoJSON answers by RFC 7946, light enough for the service."""

from __future__ import annotations

import json
import subprocess
import sys

import polars as pl
import pytest
import shapely

from ncdsurv.errors import UsageError
from ncdsurv.maps import to_geojson
from tests.unit.test_maps_draw import PILOTS, REFERENCE, provinces, values


def test_it_is_a_feature_collection_without_crs_and_survives_json():
    answer = json.loads(json.dumps(to_geojson(provinces("2025"), REFERENCE, period="2026-06")))
    assert answer["type"] == "FeatureCollection"
    assert "crs" not in answer
    areas = [feature for feature in answer["features"] if feature["properties"]["kind"] == "area"]
    assert len(areas) == 34
    assert len({feature["id"] for feature in answer["features"]}) == len(answer["features"])
    west, south, east, north = answer["bbox"]
    assert 102 < west < east < 110
    assert 8 < south < north < 24


def test_outer_rings_run_counter_clockwise_and_holes_clockwise():
    answer = to_geojson(
        values("commune", "2025", REFERENCE.codes_within("79", "2025")), REFERENCE, within="79"
    )
    for feature in answer["features"]:
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        for part in shapely.get_parts(shape):
            assert part.exterior.is_ccw
            assert not any(ring.is_ccw for ring in part.interiors)


def test_properties_are_the_published_row_and_areas_without_one_are_there_too():
    frame = values("province", "2024", PILOTS)
    answer = to_geojson(frame, REFERENCE, period="2026-06", level="province", vintage="2024")
    by_code = {f["properties"].get("area_code"): f["properties"] for f in answer["features"]}
    row = frame.row(0, named=True)
    for name in ("numerator", "denominator", "value", "lower", "upper", "flag"):
        assert by_code[row["area_code"]][name] == row[name]
    assert by_code["01"]["status"] == "not_reported"
    assert by_code["01"]["value"] is None
    assert (answer["indicator"], answer["release"]) == ("control_rate", "2026-06-abc")
    assert answer["schematic"] is True


def test_the_archipelagos_are_in_every_national_collection_and_only_there():
    national = to_geojson(provinces("2025"), REFERENCE)
    names = [
        f["properties"]["name"] for f in national["features"] if f["properties"]["kind"] == "archipelago"
    ]
    assert names == [one.label("vi") for one in REFERENCE.archipelagos()]
    local = to_geojson(
        values("commune", "2025", REFERENCE.codes_within("56", "2025")), REFERENCE, within="56"
    )
    assert {f["properties"]["kind"] for f in local["features"]} == {"area"}
    special = next(f for f in local["features"] if f["geometry"]["type"] == "MultiPoint")
    assert special["properties"]["name"] == "Đặc khu Trường Sa"


def test_a_mixture_is_refused():
    with pytest.raises(UsageError, match="vintage"):
        to_geojson(pl.concat([provinces("2024"), provinces("2025")]), REFERENCE)


def test_it_loads_neither_geopandas_nor_matplotlib():
    script = (
        "import sys\n"
        "import polars as pl\n"
        "from ncdsurv.maps import to_geojson\n"
        "from ncdsurv.reference import load_reference\n"
        "row = dict(release='r', indicator='control_rate', preset='hearts', disease='hypertension',\n"
        "    area_code='01', area_vintage='2025', area_level='province', period='2026-06', sex='both',\n"
        "    age_band='all', numerator=1.0, denominator=2.0, value=50.0, lower=1.0, upper=99.0,\n"
        "    ci_method='wilson', standardisation='crude', unit='percent', flag='ok')\n"
        "to_geojson(pl.DataFrame([row]), load_reference())\n"
        "heavy = {'geopandas', 'matplotlib', 'mapclassify', 'pandas', 'pyproj', 'statsmodels'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
