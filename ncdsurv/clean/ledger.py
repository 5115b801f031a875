"""What happened to each row: one reject at most, every repair; with the place in the file, never the value."""

from __future__ import annotations

import polars as pl

from ncdsurv.clean.columns import RULE

ROW = "row"
PLACE = ("file_sha256", "source", "sheet", "row_number")


def reject_rules(
    frame: pl.DataFrame, required: dict[str, tuple[str, str]], *cases: tuple[pl.Expr, str | pl.Expr, str]
) -> pl.DataFrame:
    """Add `reject_rule` and `reject_column`: the first rule that a row breaks, null where it is kept.

    Args:
        frame: Cleaned rows with their rule columns.
        required: Column that must not be null -> (name of its raw field, rule when nothing else says why).
        cases: (condition, rule or what gives it, field) tried before the required columns.
    """
    rule: pl.Expr = pl.lit(None, dtype=pl.String)
    column: pl.Expr = pl.lit(None, dtype=pl.String)
    tests = [(test, pl.lit(name) if isinstance(name, str) else name, field) for test, name, field in cases]
    for need, (field, missing) in required.items():
        why = [pl.col(name) for name in frame.columns if name.startswith(f"{RULE}{need}:")]
        tests.append((pl.col(need).is_null(), pl.coalesce(*why, pl.lit(missing)), field))
    for condition, name_expr, field in reversed(tests):
        broken = condition.fill_null(False)
        rule = pl.when(broken).then(name_expr).otherwise(rule)
        column = pl.when(broken).then(pl.lit(field)).otherwise(column)
    return frame.with_columns(rule.alias("reject_rule"), column.alias("reject_column"))


def repairs_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Every rule applied to a row that was not rejected: place, column, rule."""
    parts = []
    empty = frame.null_count().row(0, named=True)
    for name in frame.columns:
        if not name.startswith(RULE) or frame.schema[name] != pl.String:
            continue
        if empty[name] == frame.height:
            continue
        field = name.removeprefix(RULE).rpartition(":")[0]
        parts.append(
            frame.filter(pl.col(name).is_not_null() & pl.col("reject_rule").is_null()).select(
                ROW, *PLACE, pl.lit(field).alias("column"), pl.col(name).alias("rule")
            )
        )
    if not parts:
        return frame.clear().select(
            ROW, *PLACE, column=pl.lit(None, dtype=pl.String), rule=pl.lit(None, dtype=pl.String)
        )
    return pl.concat(parts).sort(ROW, "column", "rule")
