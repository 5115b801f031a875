"""Areas of both vintages: names, codes and parents from the PyPI package `vietnamadminunits` (MIT)."""

from __future__ import annotations

import sqlite3
import tomllib
import unicodedata
from importlib.util import find_spec
from pathlib import Path

import polars as pl

SOURCES = Path(__file__).parent / "sources"
NATION = "VN"
PREFIXES = ("Thành phố", "Tỉnh", "Quận", "Huyện", "Thị xã", "Phường", "Xã", "Thị trấn", "Đặc khu")
AREA_COLUMNS = ["code", "vintage", "level", "name", "name_en", "type", "parent_code", "lon", "lat", "area_km2",
                "position", "pilot"]  # fmt: skip


def package_data() -> Path:
    """Folder of the package's data files, found without importing it (its import parses 4 MB of JSON)."""
    spec = find_spec("vietnamadminunits")
    if spec is None or spec.origin is None:
        raise SystemExit("vietnamadminunits is not installed: pip install vietnamadminunits==1.0.4")
    return Path(spec.origin).parent / "data"


def read_table(table: str) -> pl.DataFrame:
    """One table of the package's SQLite file, text in NFC."""
    with sqlite3.connect(f"file:{package_data() / 'dataset.db'}?mode=ro", uri=True) as connection:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        rows = [tuple(_nfc(value) for value in row) for row in cursor.fetchall()]
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)


def read_toml(name: str) -> dict:
    """A source file of this folder."""
    return tomllib.loads((SOURCES / name).read_text(encoding="utf-8"))


def without_accents(text: str) -> str:
    """`text` in plain letters, as English texts print Vietnamese names.

    >>> without_accents("Đắk Lắk")
    'Dak Lak'
    """
    plain = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return unicodedata.normalize("NFC", "".join(c for c in plain if unicodedata.category(c) != "Mn"))


def build_areas(legacy: pl.DataFrame, current: pl.DataFrame, points: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Every area of both vintages, one row each.

    Args:
        legacy: Table `admin_units_legacy` of the package (units in force until 30 June 2025).
        current: Table `admin_units` (units from 1 July 2025).
        points: Per vintage, frame [code, lon, lat, position] of the communes.
    """
    frames = []
    for vintage in ("2024", "2025"):
        table = legacy if vintage == "2024" else current
        regions = read_toml("regions.toml")[vintage]["regions"]
        region_of = {province: region["code"] for region in regions for province in region["provinces"]}
        rows = [(NATION, "nation", "Việt Nam", "Viet Nam", "quốc gia", None, None, None, None)]
        rows += [
            (r["code"], "region", r["name"], r["name_en"], "vùng", NATION, None, None, None) for r in regions
        ]
        for row in _distinct(
            table, "provinceCode", "province", "provinceShort", "provinceLon", "provinceLat"
        ):
            code, full, short, lon, lat = row
            rows.append((code, "province", short, None, _type(full), region_of[code], lon, lat, None))
        if vintage == "2024":
            columns = ("districtCode", "district", "provinceCode", "districtLon", "districtLat")
            for code, full, parent, lon, lat in _distinct(table, *columns):
                rows.append((code, "district", full, None, _type(full), parent, lon, lat, None))
        parent = "districtCode" if vintage == "2024" else "provinceCode"
        if "wardAreaKm2" not in table.columns:
            table = table.with_columns(wardAreaKm2=pl.lit(None, pl.Float64))
        known = table.drop_nulls("wardCode").join(
            points[vintage].rename({"code": "wardCode"}), on="wardCode", how="left", maintain_order="left"
        )
        area = pl.when(pl.col("wardAreaKm2") > 0).then(
            "wardAreaKm2"
        )  # the package writes 0 where it has none
        communes = known.select(
            pl.col("wardCode").alias("code"), level=pl.lit("commune"), name="ward", name_en=pl.lit(None, pl.String),
            type=pl.col("ward").map_elements(_type, return_dtype=pl.String), parent_code=parent,
            lon="lon", lat="lat", area_km2=area, position="position",
        )  # fmt: skip
        schema = dict.fromkeys(AREA_COLUMNS[:1] + AREA_COLUMNS[2:7], pl.String) | dict.fromkeys(
            AREA_COLUMNS[7:10], pl.Float64
        )
        upper = pl.DataFrame(rows, schema=schema, orient="row").with_columns(position=pl.lit("package"))
        frames.append(
            pl.concat([upper, communes], how="vertical_relaxed").with_columns(vintage=pl.lit(vintage))
        )
    areas = _english_names(pl.concat(frames))
    areas = areas.with_columns(pl.col("lon", "lat").round(5), pilot=_pilot(areas, legacy))
    rank = pl.col("level").replace_strict(
        {"nation": 0, "region": 1, "province": 2, "district": 3, "commune": 4}
    )
    position = pl.when(pl.col("lon").is_not_null()).then("position")
    return areas.with_columns(position=position).sort("vintage", rank, "code").select(AREA_COLUMNS)


def _pilot(areas: pl.DataFrame, legacy: pl.DataFrame) -> pl.Expr:
    """Units of 2024 inside a pilot province; 2025 units are marked later, from the crosswalk."""
    provinces = read_toml("pilots.toml")["provinces_2024"]
    inside = legacy.filter(pl.col("provinceCode").is_in(provinces))
    codes = {"province": provinces, "district": inside["districtCode"].unique().to_list(),
             "commune": inside["wardCode"].drop_nulls().to_list()}  # fmt: skip
    hit = [(pl.col("level") == level) & pl.col("code").is_in(values) for level, values in codes.items()]
    return (pl.col("vintage") == "2024") & pl.any_horizontal(hit)


def _english_names(areas: pl.DataFrame) -> pl.DataFrame:
    """Plain-letter names (the type left out) where no English name is given."""
    given = {(v, level, code): name for v, levels in read_toml("names_en.toml").items()
             for level, names in levels.items() for code, name in names.items()}  # fmt: skip
    names = [
        given.get((row["vintage"], row["level"], row["code"]))
        or row["name_en"]
        or without_accents(_short(row["name"]))
        for row in areas.iter_rows(named=True)
    ]
    return areas.with_columns(name_en=pl.Series(names))


def _short(full: str) -> str:
    prefix = next((p for p in PREFIXES if full.lower().startswith(p.lower() + " ")), None)
    rest = full[len(prefix) + 1 :] if prefix else full
    return full if rest.isdigit() else rest  # "Quận 1" stays whole


def _type(full: str) -> str:
    return next((p for p in PREFIXES if full.lower().startswith(p.lower())), "?").lower()


def _distinct(table: pl.DataFrame, *columns: str) -> list[tuple]:
    return (
        table.select(columns)
        .unique(subset=columns[0], keep="first", maintain_order=True)
        .sort(columns[0])
        .rows()
    )


def _nfc(value: object) -> object:
    return unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else value
