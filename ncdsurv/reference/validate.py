"""Check an outside pack, and say everything that is wrong with it at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import polars as pl

from ncdsurv.errors import nearest
from ncdsurv.reference import checks
from ncdsurv.reference.convert import layouts
from ncdsurv.reference.pack import ARCHIPELAGOS, DESCRIPTION, read_parquet
from ncdsurv.reference.problems import Problem, shown
from ncdsurv.reference.schema import KEYS, TABLES, parse_text

SOURCE_FIELDS = ("id", "what", "origin", "licence")
LEFT_ALONE = ("README.md", "LICENCE", "LICENCES.md", "LICENSE")


@dataclass
class _Read:
    """Tables of a pack as far as they can be read, and the problems met on the way."""

    tables: dict[str, pl.DataFrame]
    problems: list[Problem]


def validate_pack(folder: Path | str) -> list[Problem]:
    """Every problem of a reference pack; an empty list when it can be used.

    Args:
        folder: A folder with pack.toml and any of the tables areas, crosswalk, population, facilities, boundaries
            (CSV or Parquet). Their columns: ncdsurv/reference/README.md.

    Returns:
        Problems in order of file; `str()` of one is a sentence: file, column, what, got, allowed, what to do.
    """
    folder = Path(folder)
    problems = _check_description(folder)
    read = _read_tables(folder)
    problems += read.problems
    if not any(frame.height for frame in read.tables.values()) and not read.problems:
        problems.append(
            Problem(str(folder), None, "no table in the pack", allowed=", ".join(TABLES), do="add one")
        )
    return problems + checks.check_tables(read.tables)


def _check_description(folder: Path) -> list[Problem]:
    path = folder / DESCRIPTION
    if not path.exists():
        known = ", ".join(layout["id"] for layout in layouts())
        allowed = f"a pack, or a folder of a known layout: {known}"
        return [
            Problem(
                DESCRIPTION, None, "the file is missing", str(folder), allowed, "write it: id, title, sources"
            )
        ]
    try:
        about = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [Problem(DESCRIPTION, None, "cannot be read as TOML", got=str(error), do="mend the file")]
    problems = []
    identifier = about.get("id")
    if not isinstance(identifier, str) or not identifier.replace("_", "").replace("-", "").isalnum():
        problems.append(Problem(DESCRIPTION, "id", "is not a short name", got=repr(identifier),
                                allowed="letters, digits, - and _", do='write id = "province_79_2026"'))  # fmt: skip
    if not about.get("title"):
        problems.append(Problem(DESCRIPTION, "title", "is missing", do="say in one line what the pack is"))
    sources = about.get("source", [])
    if not isinstance(sources, list) or not sources:
        problems.append(Problem(DESCRIPTION, "source", "is missing", allowed="at least one [[source]]",
                                do=f"add one with {', '.join(SOURCE_FIELDS)}"))  # fmt: skip
        return problems
    for number, source in enumerate(sources, start=1):
        missing = [field for field in SOURCE_FIELDS if not source.get(field)]
        if missing:
            problems.append(Problem(DESCRIPTION, f"source {number}", "lacks fields", got=", ".join(sorted(source)),
                                    do=f"add {', '.join(missing)}"))  # fmt: skip
    return problems


def _read_tables(folder: Path) -> _Read:
    tables: dict[str, list[pl.DataFrame]] = {name: [] for name in TABLES}
    problems: list[Problem] = []
    for path in sorted(p for p in folder.iterdir() if p.is_file()) if folder.is_dir() else []:
        if path.name in (DESCRIPTION, ARCHIPELAGOS, *LEFT_ALONE):
            continue
        name = path.stem if path.stem in TABLES else path.stem.split("_")[0]
        if name not in TABLES or path.suffix not in (".csv", ".parquet"):
            if not (folder / DESCRIPTION).exists():
                continue  # most likely not a pack at all: one sentence says so
            near = nearest(path.stem, TABLES)
            allowed = f"{', '.join(TABLES)} as .csv or .parquet"
            problems.append(Problem(path.name, None, "is not a table of a pack", allowed=allowed,
                                    do=f"rename it to {near}" if near else "take it out"))  # fmt: skip
            continue
        try:
            raw = (read_parquet(path) if path.suffix == ".parquet"
                   else pl.read_csv(path, infer_schema=False, comment_prefix="#"))  # fmt: skip
        except (pl.exceptions.PolarsError, OSError) as error:
            problems.append(Problem(path.name, None, "cannot be read", got=str(error).splitlines()[0][:150],
                                    do="save it as UTF-8 CSV with one header row, or as Parquet"))  # fmt: skip
            continue
        found = list(_check_columns(path.name, name, raw))
        problems += found
        if not any(problem.fatal for problem in found):
            tables[name].append(_typed(raw, name).with_columns(file=pl.lit(path.name)))
    return _Read({n: pl.concat(f) if f else _typed(pl.DataFrame(), n).with_columns(file=pl.lit("")) for n, f
                  in tables.items()}, problems)  # fmt: skip


def _check_columns(file: str, table: str, raw: pl.DataFrame) -> Iterable[Problem]:
    """Missing and unknown columns, empty and unreadable values, values outside what is allowed."""
    columns = TABLES[table]
    for name, column in columns.items():
        if column.required and name not in raw.columns:
            near = nearest(name, [c for c in raw.columns if c not in columns])
            yield Problem(file, name, "the column is missing", got=", ".join(raw.columns), fatal=True,
                          do=f"rename {near} to {name}" if near else "add it")  # fmt: skip
    for name in raw.columns:
        if name not in columns and not name.startswith("note"):
            near = nearest(name, columns)
            yield Problem(file, name, "the column is not known", allowed=", ".join(columns) + ", note...",
                          do=f"rename it to {near}" if near else "take it out, or call it note")  # fmt: skip
    typed = _typed(raw, table)
    for name in (name for name in columns if name in raw.columns):
        column, values = columns[name], typed[name]
        empty = raw[name].is_null()
        unread = values.is_null() & ~empty
        if unread.any():
            yield Problem(file, name, f"{unread.sum()} values cannot be read", got=shown(raw[name].filter(unread)),
                          allowed=_type_words(column.dtype), do="mend them")  # fmt: skip
        if column.required and empty.any():
            rows = (empty.arg_true() + 2).head(3).to_list()
            yield Problem(file, name, f"{empty.sum()} values are empty", got=f"rows {', '.join(map(str, rows))}",
                          do="fill them")  # fmt: skip
        if column.allowed:
            odd = values.filter(~values.is_in(list(column.allowed)) & values.is_not_null())
            if odd.len():
                yield Problem(file, name, f"{odd.len()} values are not allowed", got=shown(odd),
                              allowed=", ".join(column.allowed), do="use these words")  # fmt: skip
        if column.low is not None or column.high is not None:
            low, high = column.low, column.high
            beyond = ~values.is_between(-inf if low is None else low, inf if high is None else high)
            if beyond.any():
                yield Problem(file, name, f"{beyond.sum()} values are out of range", got=shown(values.filter(beyond)),
                              allowed=f"{low if low is not None else ''} to {high if high is not None else ''}",
                              do="mend them")  # fmt: skip
    keys = [key for key in KEYS[table] if key in raw.columns]
    twice = typed.filter(pl.struct(keys).is_duplicated()) if keys else typed.clear()
    if twice.height:
        yield Problem(file, " + ".join(keys), f"{twice.height} rows share a key", got=shown(twice[keys[-1]]),
                      allowed="one row each", do="keep one")  # fmt: skip


def _typed(raw: pl.DataFrame, table: str) -> pl.DataFrame:
    """The table's columns with their types; unreadable values are null, left-out columns hold their default."""
    picked: list[Any] = []
    for name, column in TABLES[table].items():
        if name not in raw.columns:
            picked.append(pl.lit(column.default).cast(column.dtype).alias(name))
        elif raw.schema[name] == pl.String:
            picked.append(parse_text(name, column.dtype))
        else:
            picked.append(pl.col(name).cast(column.dtype, strict=False))
    if not raw.columns:
        return pl.DataFrame(schema={name: column.dtype for name, column in TABLES[table].items()})
    return raw.select(picked)


def _type_words(dtype: Any) -> str:
    words = {
        pl.Boolean: "true or false",
        pl.Date: "YYYY-MM-DD",
        pl.Int32: "a whole number",
        pl.Float64: "a number",
    }
    return words.get(dtype, "text")
