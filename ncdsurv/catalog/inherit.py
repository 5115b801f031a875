"""A mapping that extends another: column names are written once and a source says only what differs.

`extends = "NAME"` takes over the tables of `bases/NAME.toml` (which is no source of its own) or of the source
NAME. Tables are merged key by key and the own value wins; `also = [...]` inside a field adds columns behind
the inherited ones, and `drops = ["field", ...]` takes inherited fields away.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ncdsurv.errors import nearest

SOURCES = Path(__file__).parent / "definitions" / "sources"
BASES = "bases"

Table = dict[str, Any]


def inherit(table: Table, folder: Path | None = None) -> tuple[Table, list[str]]:
    """The table with everything it inherits.

    Args:
        table: A source's TOML as read.
        folder: Folder of the sources; None, or one without bases, is the package's.

    Returns:
        The merged table, and every problem: an unknown or circular base, an `also` or `drops` of nothing.
    """
    here = folder if folder is not None and (folder / BASES).is_dir() else SOURCES
    return _inherit(table, here, ())


def _inherit(table: Table, folder: Path, chain: tuple[str, ...]) -> tuple[Table, list[str]]:
    own = dict(table)
    name, drops = own.pop("extends", None), own.pop("drops", [])
    base: Table = {}
    problems: list[str] = []
    if name is not None:
        base, problems = _base(name, folder, chain)
        if problems:
            return own, problems
    fields = base.get("fields", {})
    if not isinstance(drops, list):
        return own, ["[drops] give a list of fields"]
    for field in drops:
        if field not in fields:
            near = nearest(str(field), fields)
            problems.append(
                f"[drops] {field!r} is not inherited" + (f". Do: try {near!r}" if near else ". Do: remove it")
            )
    kept = {field: value for field, value in fields.items() if field not in drops}
    merged = _merge({**base, "fields": kept} if fields else base, own, (), problems)
    return merged, problems


def _base(name: Any, folder: Path, chain: tuple[str, ...]) -> tuple[Table, list[str]]:
    known = {
        path.stem: path for path in (*sorted(folder.glob("*.toml")), *sorted((folder / BASES).glob("*.toml")))
    }
    if name not in known:
        near = nearest(str(name), known)
        return {}, [
            f"[extends] unknown base {name!r}; allowed: {', '.join(sorted(known))}"
            + (f". Do: try {near!r}" if near else "")
        ]
    if name in chain:
        return {}, [f"[extends] goes round in a circle: {' -> '.join((*chain, name))}. Do: break it"]
    try:
        table = tomllib.loads(known[name].read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [f"[extends] base {name!r} is not readable as TOML ({error})"]
    merged, problems = _inherit(table, folder, (*chain, name))
    return merged, [f"base {name!r}: {problem}" for problem in problems]


def _merge(base: Table, own: Table, place: Sequence[str], problems: list[str]) -> Table:
    merged = dict(base)
    for key, value in own.items():
        before = merged.get(key)
        if key == "also" and place and place[0] == "fields":
            if "columns" not in base:
                problems.append(
                    f"[{'.'.join(place)}] also: no columns are inherited. Do: write columns = [...]"
                )
            more = value if isinstance(value, list) else [value]
            merged["columns"] = [*base.get("columns", []), *more]
        elif isinstance(before, dict) and isinstance(value, dict):
            merged[key] = _merge(before, value, (*place, key), problems)
        elif isinstance(value, dict):
            merged[key] = _merge({}, value, (*place, key), problems)
        else:
            merged[key] = value
    return merged
