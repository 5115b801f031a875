"""Names and addresses: one Unicode form, legacy fonts repaired, and a key that forgives spelling of tones."""

from __future__ import annotations

from typing import Any

import polars as pl

from ncdsurv.clean.columns import RAW, first_rule, once_per_text, raw, rule_name
from ncdsurv.ingest.legacy import IMPOSSIBLE, repair

_LOOK_ALIKES = {"\u00d0": "\u0110", "\u0189": "\u0110", "\u00f0": "\u0111", "\u0256": "\u0111"}
_INVISIBLE = "[\u200b-\u200f\u2060\ufeff\u00ad]"


def tidy(text: pl.Expr) -> pl.Expr:
    """Text composed (NFC), with the right Đ, without invisible marks, single spaces; empty is null."""
    out = text.str.normalize("NFC").str.replace_all(_INVISIBLE, "")
    out = out.str.replace_many(list(_LOOK_ALIKES), list(_LOOK_ALIKES.values()))
    out = out.str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.when(out != "").then(out)


def name_key(name: pl.Expr) -> pl.Expr:
    """A name without accents, case and marks: equal for hoà and hòa, Đ and its look-alikes, NFC and NFD.

    Args:
        name: A text expression.

    Returns:
        Capital ASCII words with single spaces; null where no letter is left.

    >>> frame = pl.DataFrame({"name": ["Nguyễn Thị Hoà", "NGUYỄN THỊ HÒA", "H'Nguyên Êban"]})
    >>> frame.select(name_key(pl.col("name"))).to_series().to_list()
    ['NGUYEN THI HOA', 'NGUYEN THI HOA', 'HNGUYEN EBAN']
    """
    key = tidy(name).str.normalize("NFD").str.replace_all(r"\p{Mn}", "")
    key = key.str.to_uppercase().str.replace_all("\u0110", "D").str.replace_all(r"['’ʼ`]", "")
    key = key.str.replace_all(r"[^A-Z0-9]+", " ").str.strip_chars()
    return pl.when(key != "").then(key)


def add_text(frame: pl.DataFrame, field: str, key: str | None = None) -> pl.DataFrame:
    """Clean one text field of a batch.

    Args:
        frame: Rows with `raw:<field>`, `file` and `sheet`.
        field: Name of the field.
        key: Name of a column for its `name_key`, if one is wanted.

    Returns:
        The frame with `<field>` and its rule columns (legacy encoding per column, composition).
    """
    frame = _repair_legacy(frame, field)
    before = pl.col(field)

    def work(distinct: pl.DataFrame) -> pl.DataFrame:
        clean = distinct.with_columns(
            first_rule(
                field,
                (before.str.normalize("NFC") != before, "unicode_composed"),
                (before.str.contains_any(list(_LOOK_ALIKES)), "look_alike_letter"),
                step="unicode",
            ),
            tidy(before).alias("tidy"),
        )
        return clean if key is None else clean.with_columns(name_key(pl.col("tidy")).alias(key))

    frame = once_per_text(frame, [field], work)
    return frame.with_columns(pl.col("tidy").alias(field)).drop("tidy")


def _repair_legacy(frame: pl.DataFrame, field: str) -> pl.DataFrame:
    frame = frame.with_columns(raw(field).alias(field))
    texts = frame[RAW + field].unique()
    odd = texts.filter(texts.str.contains(IMPOSSIBLE)).to_frame()
    if not odd.height:
        return frame
    suspect = frame.join(odd, on=RAW + field, how="semi").select("file", "sheet").unique()
    cells = frame.select("file", "sheet", RAW + field).drop_nulls().unique()
    cells = cells.join(suspect, on=["file", "sheet"], how="semi").sort("file", "sheet", RAW + field)
    rows = []
    for (file, sheet), column in cells.group_by("file", "sheet"):
        composed = {text: text for text in column[RAW + field].to_list()}
        rows += [(file, sheet, old, new) for old, new in repair(list(composed)).items()]
    if not rows:
        return frame
    schema: dict[str, Any] = {
        "file": frame.schema["file"],
        "sheet": pl.String,
        RAW + field: pl.String,
        "right": pl.String,
    }
    right = pl.DataFrame(rows, schema=schema, orient="row")
    return (
        frame.join(right, on=["file", "sheet", RAW + field], how="left", maintain_order="left")
        .with_columns(
            first_rule(field, (pl.col("right").is_not_null(), "legacy_encoding"), step="legacy"),
            pl.col("right").fill_null(pl.col(field)).alias(field),
        )
        .drop("right")
    )


__all__ = ["add_text", "name_key", "rule_name", "tidy"]
