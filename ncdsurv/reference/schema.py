"""The tables of a reference pack: columns, types, what may be left out. The pack's README says it in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from ncdsurv.catalog.vocabulary import Level, Sex, Vintage

VINTAGES = tuple(str(v) for v in Vintage)
LEVELS = tuple(str(level) for level in Level)  # from small to large
SEXES = (str(Sex.MALE), str(Sex.FEMALE), "both")
KEYS: dict[str, list[str]] = {
    "areas": ["vintage", "code"],
    "crosswalk": ["code_2024", "code_2025"],
    "population": ["vintage", "level", "code", "year", "sex", "age_group"],
    "facilities": ["code", "valid_from"],
    "boundaries": ["vintage", "level", "code"],
}
CODE_LENGTH = {
    "province": 2,
    "district": 3,
    "commune": 5,
}  # digits of the codes of the National Statistics Office
RELATIONS = ("whole", "part", "district_to_special_zone")


@dataclass(frozen=True)
class Column:
    """One column: its type, whether a pack may leave it out (`default` then stands in), and what it may hold."""

    dtype: Any
    required: bool = True
    default: Any = None
    allowed: tuple[str, ...] | None = None
    low: float | None = None
    high: float | None = None


TABLES: dict[str, dict[str, Column]] = {
    "areas": {
        "code": Column(pl.String),
        "vintage": Column(pl.String, allowed=VINTAGES),
        "level": Column(pl.String, allowed=LEVELS),
        "name": Column(pl.String),
        "name_en": Column(pl.String, required=False),
        "type": Column(pl.String, required=False),
        "parent_code": Column(pl.String, required=False),
        "lon": Column(pl.Float64, required=False, low=-180, high=180),
        "lat": Column(pl.Float64, required=False, low=-90, high=90),
        "area_km2": Column(pl.Float64, required=False, low=0),
        "position": Column(pl.String, required=False),
        "pilot": Column(pl.Boolean, required=False),
    },
    "crosswalk": {
        "code_2024": Column(pl.String),
        "code_2025": Column(pl.String),
        "share_population": Column(pl.Float64, low=0, high=1),
        "relation": Column(pl.String, allowed=RELATIONS),
        "method": Column(pl.String, required=False, default="given"),
        "main": Column(pl.Boolean, required=False),
    },
    "population": {
        "vintage": Column(pl.String, allowed=VINTAGES),
        "level": Column(pl.String, allowed=LEVELS),
        "code": Column(pl.String),
        "year": Column(pl.Int32, low=1900, high=2100),
        "sex": Column(pl.String, allowed=SEXES),
        "age_group": Column(pl.String),
        "population": Column(pl.Float64, low=0),
        "source": Column(pl.String, required=False),
        "estimated": Column(pl.Boolean, required=False, default=False),
    },
    "facilities": {
        "code": Column(pl.String),
        "name": Column(pl.String),
        "commune_code": Column(pl.String),
        "vintage": Column(pl.String, allowed=VINTAGES),
        "valid_from": Column(pl.Date, required=False),
        "valid_to": Column(pl.Date, required=False),
        "successor": Column(pl.String, required=False),
        "gln": Column(pl.String, required=False),
    },
    "boundaries": {
        "vintage": Column(pl.String, allowed=VINTAGES),
        "level": Column(pl.String, allowed=LEVELS),
        "code": Column(pl.String),
        "geometry": Column(pl.Binary),
    },
}


def dtypes(table: str) -> dict[str, Any]:
    """Column types of a table, in order."""
    return {name: column.dtype for name, column in TABLES[table].items()}


def empty(table: str) -> pl.DataFrame:
    """The table without a row."""
    return pl.DataFrame(schema=dtypes(table))


def conform(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Give `frame` exactly the columns of a table, in order, left-out columns filled with their default."""
    columns = [
        (pl.col(name) if name in frame.columns else pl.lit(column.default)).cast(column.dtype).alias(name)
        for name, column in TABLES[table].items()
    ]
    return frame.select(columns)


def parse_text(name: str, dtype: Any) -> pl.Expr:
    """A text column as its type; what cannot be read becomes null (the validation counts those)."""
    text = pl.col(name).str.strip_chars()
    if dtype == pl.String:
        return pl.col(name)
    if dtype == pl.Boolean:
        return (
            text.str.to_lowercase().replace_strict({"true": True, "false": False}, default=None).alias(name)
        )
    if dtype == pl.Date:
        return text.str.to_date("%Y-%m-%d", strict=False)
    return text.cast(dtype, strict=False)
