"""Codes read by the list in force on the day: what a code means, and which version of a list held."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ncdsurv.catalog.code_lists import CodeList
from ncdsurv.catalog.sources import FieldMapping, SourceMapping
from ncdsurv.clean.columns import first_rule, raw
from ncdsurv.errors import unknown

_LEADING = r"^\s*(\w+)\s*(?:[-.:)–=].*)?$"


def add_listed(
    frame: pl.DataFrame, field: str, mapping: SourceMapping, lists: Mapping[str, CodeList]
) -> pl.DataFrame:
    """Translate a field whose codes come from a dated list; a code of another version is read and noted.

    Args:
        frame: Rows with `raw:<field>` and the date by which the list is chosen.
        field: Name of the field.
        mapping: The source; `fields.<field>.code_list` names the list, `values` words that the
            source has beside it.
        lists: The catalog's code lists.

    Returns:
        The frame with `<field>` and its rule column.

    Raises:
        UsageError: A mapping of a user's own names a list that the catalog does not have.
    """
    how: FieldMapping = mapping.fields[field]
    name = str(how.code_list)
    if name not in lists:
        raise unknown("code list", name, lists)
    found = lists[name]
    code = raw(field).str.extract(_LEADING).str.to_uppercase()
    if found.digits:
        digits = code.str.contains(r"^\d+$") & (code.str.len_chars() < found.digits)
        code = pl.when(digits).then(code.str.zfill(found.digits)).otherwise(code)
    frame = frame.with_columns(
        code.alias("listed"),
        version_at(found, pl.col(found.by)).alias("version"),
    )
    meanings = {
        version.id: pl.col("listed").replace_strict(version.meanings, default=None, return_dtype=pl.String)
        for version in found.lists
    }
    here: pl.Expr = pl.lit(None, dtype=pl.String)
    for name, meaning in meanings.items():
        here = pl.when(pl.col("version") == name).then(meaning).otherwise(here)
    own = {spelling.upper(): code for code, group in how.values.items() for spelling in group}
    if own:  # words of the source that stand in no list
        here = pl.coalesce(here, pl.col("listed").replace_strict(own, default=None, return_dtype=pl.String))
    anywhere = pl.coalesce(here, *reversed(list(meanings.values())))
    frame = frame.with_columns(here.alias("here"), anywhere.alias("anywhere"))
    unread = raw(field).is_not_null() & pl.col("anywhere").is_null()
    return frame.with_columns(
        pl.coalesce("here", "anywhere", pl.lit(how.default, dtype=pl.String)).alias(field),
        first_rule(
            field,
            (unread, "code_unknown"),
            (pl.col("here").is_null() & pl.col("anywhere").is_not_null(), "code_of_another_list"),
        ),
    ).drop("listed", "version", "here", "anywhere")


def version_at(found: CodeList, day: pl.Expr) -> pl.Expr:
    """Id of the version in use on a day; null without a day."""
    out: pl.Expr = pl.lit(found.lists[0].id)
    for version in found.lists[1:]:
        out = pl.when(day >= version.first_day).then(pl.lit(version.id)).otherwise(out)
    return pl.when(day.is_not_null()).then(out)
