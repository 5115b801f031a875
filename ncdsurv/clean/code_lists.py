"""Codes read by the list in force on the day: what a code means, and which version of a list held."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ncdsurv.catalog.code_lists import CodeList
from ncdsurv.catalog.sources import FieldMapping, SourceMapping
from ncdsurv.clean.columns import RAW, first_rule, once_per_text, raw
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
    own = {spelling.upper(): code for code, group in how.values.items() for spelling in group}

    def work(texts: pl.DataFrame) -> pl.DataFrame:
        code = raw(field).str.extract(_LEADING).str.to_uppercase()
        if found.digits:
            digits = code.str.contains(r"^\d+$") & (code.str.len_chars() < found.digits)
            code = pl.when(digits).then(code.str.zfill(found.digits)).otherwise(code)
        # words of the source that stand in no list count in every version
        said = _said(code, own) if own else pl.lit(None, dtype=pl.String)
        means = {version.id: _said(code, version.meanings) for version in found.lists}
        return texts.with_columns(
            said.alias("said"),
            *(pl.coalesce(meaning, said).alias(f"here:{name}") for name, meaning in means.items()),
            pl.coalesce(said, *reversed(list(means.values()))).alias("anywhere"),
        )

    frame = once_per_text(frame, [RAW + field], work)
    day = pl.col(found.by)
    here = pl.col("said")
    for version in found.lists:
        begun = day.is_not_null() if version is found.lists[0] else day >= version.first_day
        here = pl.when(begun).then(f"here:{version.id}").otherwise(here)
    unread = raw(field).is_not_null() & pl.col("anywhere").is_null()
    return (
        frame.with_columns(here.alias("here"))
        .with_columns(
            pl.coalesce("here", "anywhere", pl.lit(how.default, dtype=pl.String)).alias(field),
            first_rule(
                field,
                (unread, "code_unknown"),
                (pl.col("here").is_null() & pl.col("anywhere").is_not_null(), "code_of_another_list"),
            ),
        )
        .drop("said", "here", "anywhere", *(f"here:{version.id}" for version in found.lists))
    )


def _said(code: pl.Expr, meanings: Mapping[str, str]) -> pl.Expr:
    return code.replace_strict(meanings, default=None, return_dtype=pl.String)


def version_at(found: CodeList, day: pl.Expr) -> pl.Expr:
    """Id of the version in use on a day; null without a day."""
    out: pl.Expr = pl.lit(found.lists[0].id)
    for version in found.lists[1:]:
        out = pl.when(day >= version.first_day).then(pl.lit(version.id)).otherwise(out)
    return pl.when(day.is_not_null()).then(out)
