"""Printing for people and for machines: aligned columns, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import typer


def show_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def show_rows(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> None:
    """Rows as left-aligned columns under a header; numbers to the right."""
    names = list(columns)
    table = [[_cell(row.get(name)) for name in names] for row in rows]
    numeric = [bool(table) and all(_is_number(line[i]) for line in table) for i in range(len(names))]
    widths = [max([len(name), *(len(line[i]) for line in table)]) for i, name in enumerate(names)]
    for line in [names, *table]:
        cells = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        )
        typer.echo("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _is_number(text: str) -> bool:
    return text == "" or text.replace(",", "").replace(".", "", 1).lstrip("-").isdigit()
