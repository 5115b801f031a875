"""Helpers of the cleaning steps: raw columns, rule columns, and work done once per distinct text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

RAW = "raw:"
RULE = "rule:"


def raw(field: str) -> pl.Expr:
    """The text of a field as received."""
    return pl.col(RAW + field)


def rule_name(field: str, step: str = "") -> str:
    """Name of the column that says which rule changed (or emptied) a field in a step."""
    return f"{RULE}{field}:{step}"


def first_rule(field: str, *cases: tuple[pl.Expr, str], step: str = "") -> pl.Expr:
    """The rule column of a field: the first case that holds names its rule, else null."""
    found: pl.Expr = pl.lit(None, dtype=pl.String)
    for condition, rule in reversed(cases):
        found = pl.when(condition).then(pl.lit(rule)).otherwise(found)
    return found.alias(rule_name(field, step))


def once_per_text(
    frame: pl.DataFrame, columns: Sequence[str], work: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """Do work on the distinct combinations of some columns and bring the result back to every row.

    Args:
        frame: Any rows.
        columns: What the work depends on.
        work: Takes the distinct rows (these columns only), returns them with new columns.
    """
    distinct = frame.select(columns).unique()
    return bring_back(frame, work(distinct), columns)


def bring_back(frame: pl.DataFrame, found: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Join what was found for distinct combinations of some columns; the other columns are not touched."""
    on = list(columns)
    joined = frame.select(on).join(found, on=on, how="left", nulls_equal=True, maintain_order="left")
    return frame.with_columns(joined.drop(on))
