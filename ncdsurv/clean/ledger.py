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
    tests = [(test, pl.lit(name) if isinstance(name, str) else name, field) for test, name, field in cases]
    for need, (field, missing) in required.items():
        why = [pl.col(name) for name in frame.columns if name.startswith(f"{RULE}{need}:")]
        tests.append((pl.col(need).is_null(), pl.coalesce(*why, pl.lit(missing)), field))
    broken = frame.select(pl.any_horizontal(test.fill_null(False) for test, _, _ in tests)).to_series()
    rule: pl.Expr = pl.lit(None, dtype=pl.String)
    column: pl.Expr = pl.lit(None, dtype=pl.String)
    for condition, name_expr, field in reversed(tests):
        holds = condition.fill_null(False)
        rule = pl.when(holds).then(name_expr).otherwise(rule)
        column = pl.when(holds).then(pl.lit(field)).otherwise(column)
    names = ("reject_rule", "reject_column")
    place = pl.int_range(pl.len(), dtype=pl.UInt32).filter(broken)
    found = frame.filter(broken).select(rule.alias(names[0]), column.alias(names[1]))  # most rows break none
    found = found.with_columns(frame.select(place.alias("place")))
    everywhere = frame.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("place"))
    return frame.with_columns(
        everywhere.join(found, on="place", how="left", maintain_order="left").drop("place")
    )


def repairs_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Every rule applied to a row that was not rejected: place, column, rule."""
    rules = [name for name in frame.columns if name.startswith(RULE) and frame.schema[name] == pl.String]
    rows = frame.select(ROW, *PLACE, *rules).filter(frame["reject_rule"].is_null())
    parts = []
    for name in rules:
        if rows[name].null_count() == rows.height:
            continue
        field = name.removeprefix(RULE).rpartition(":")[0]
        parts.append(
            rows.select(ROW, *PLACE, name)
            .filter(pl.col(name).is_not_null())
            .select(ROW, *PLACE, pl.lit(field).alias("column"), pl.col(name).alias("rule"))
        )
    if not parts:
        return frame.clear().select(
            ROW, *PLACE, column=pl.lit(None, dtype=pl.String), rule=pl.lit(None, dtype=pl.String)
        )
    return pl.concat(parts).sort(ROW, "column", "rule")
