"""Turn a folder of another layout into a reference pack. The mapping is data: `layouts/*.toml`."""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from ncdsurv.errors import DefinitionError
from ncdsurv.reference import schema
from ncdsurv.reference.ages import is_group
from ncdsurv.reference.pack import DESCRIPTION, read_parquet

LAYOUTS = Path(__file__).parent / "layouts"
PARQUET = ("population", "boundaries")  # written as Parquet: large, or binary


@cache
def layouts() -> tuple[dict[str, Any], ...]:
    """The known layouts, by name of file."""
    return tuple(tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(LAYOUTS.glob("*.toml")))


def find_layout(folder: Path) -> dict[str, Any] | None:
    """The layout whose tell-tale files are all in `folder`, if any."""
    return next((one for one in layouts() if all((folder / name).exists() for name in one["detect"])), None)


def convert(folder: Path, layout: Mapping[str, Any], out: Path) -> Path:
    """Write the pack that `layout` makes of `folder` into the empty folder `out`.

    Raises:
        DefinitionError: Files or columns are missing; names every one of them.
    """
    problems: list[str] = []
    tables: dict[str, list[pl.DataFrame]] = defaultdict(list)
    for entry in layout["table"]:
        path = folder / entry["file"]
        if not path.exists():
            if not entry.get("optional"):
                problems.append(f"{entry['file']}: the file is missing; do: put it there")
            continue
        frame = _read(path)
        missing = sorted(set(entry["columns"].values()) - set(frame.columns))
        problems += [
            f"{entry['file']}: column {name} is missing; got: {', '.join(frame.columns)}; do: add it"
            for name in missing
        ]
        if not missing:
            tables[entry["to"]].append(_shape(frame, entry))
    if problems:
        raise DefinitionError(problems)
    for name, frames in tables.items():
        columns = [column for column in schema.TABLES[name] if any(column in f.columns for f in frames)]
        whole = pl.concat([_complete(frame, columns) for frame in frames])
        if name in PARQUET:
            types = schema.dtypes(name)
            whole = whole.with_columns(
                schema.parse_text(c, types[c]) for c in columns if types[c] != pl.Binary
            )
            whole.write_parquet(out / f"{name}.parquet", compression="zstd")
        else:
            whole.write_csv(out / f"{name}.csv")
    (out / DESCRIPTION).write_text(_toml(layout["pack"]), encoding="utf-8")
    return out


def _read(path: Path) -> pl.DataFrame:
    """A source file, every value as text (geometry as WKB)."""
    if path.suffix == ".csv":
        return pl.read_csv(path, infer_schema=False)
    if path.suffix == ".parquet":
        frame = read_parquet(path)
        return frame.with_columns(pl.exclude("geometry").cast(pl.String))
    import shapely

    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    rows = [
        {**{key: str(value) for key, value in feature["properties"].items()},
         "geometry": shapely.to_wkb(shapely.from_geojson(json.dumps(feature["geometry"])))}
        for feature in features
    ]  # fmt: skip
    return pl.DataFrame(rows)


def _shape(frame: pl.DataFrame, entry: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of one source file under the pack's column names, still as text."""
    for name, dropped in entry.get("without", {}).items():
        frame = frame.filter(~pl.col(name).is_in(dropped))
    picked = {target: pl.col(source) for target, source in entry["columns"].items()}
    if "geometry" in frame.columns:
        picked["geometry"] = pl.col("geometry")
    for target, source in entry.get("fallback", {}).items():
        picked[target] = pl.coalesce(picked[target], pl.col(source))
    for target, value in entry.get("fill", {}).items():
        picked[target] = picked[target].fill_null(value)
    for target, mapping in entry.get("values", {}).items():
        picked[target] = picked[target].replace(mapping)
    wide = [name for name in frame.columns if is_group(name)] if entry.get("ages_wide") else []
    shaped = frame.select(*wide, **picked)
    if wide:
        shaped = shaped.unpivot(wide, index=list(picked), variable_name="age_group", value_name="population")
    return shaped.with_columns(**{name: pl.lit(value) for name, value in entry.get("constant", {}).items()})


def _complete(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    lower = [name for name in ("pilot", "estimated") if name in frame.columns]
    frame = frame.with_columns(pl.col(lower).str.to_lowercase())
    return frame.select(
        pl.col(c) if c in frame.columns else pl.lit(None, pl.String).alias(c) for c in columns
    )


def _toml(about: Mapping[str, Any]) -> str:
    """`pack.toml` of a layout: JSON's text and list forms are valid TOML."""
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in about.items() if key != "source"
    ]
    for source in about.get("source", []):
        lines += [
            "",
            "[[source]]",
            *(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in source.items()),
        ]
    return "\n".join(lines) + "\n"
