"""Codes of a source turned into the words of the registry, by the tables of its mapping."""

from __future__ import annotations

import re

import polars as pl

from ncdsurv.catalog.sources import FieldMapping, SourceMapping
from ncdsurv.catalog.vocabulary import BirthPrecision, Sex
from ncdsurv.clean.columns import RAW, RULE, first_rule, once_per_text, raw, rule_name
from ncdsurv.ingest.headers import fold

_LEADING = re.compile(r"^\s*(\w+)\s*[-.:)–=]")
_WHOLE_DATE = r"^\s*(\d{1,2}\s*[/.\-]\s*\d{1,2}\s*[/.\-]\s*\d{4}|\d{4}-\d{1,2}-\d{1,2})"
_AGE = r"(?i)^\s*(\d{1,4})(?:[.,]0+)?\s*(?:t|tuổi|tuoi|years?)?\s*$"
_YEAR_FROM = 1850  # a number in an age column that is a year of birth


def add_coded(frame: pl.DataFrame, field: str, mapping: SourceMapping) -> pl.DataFrame:
    """Translate one coded field; a spelling without translation leaves the default and is logged.

    Args:
        frame: Rows with `raw:<field>`.
        field: Name of the field.
        mapping: The source.

    Returns:
        The frame with `<field>` and its rule column.
    """
    how = mapping.fields.get(field)
    if how is None or not how.columns:
        default = how.default if how else None
        return frame.with_columns(
            pl.lit(default, dtype=pl.String).alias(field),
            pl.lit(None, dtype=pl.String).alias(rule_name(field)),
        )
    words = {fold(spelling): code for code, group in how.values.items() for spelling in group}

    def work(distinct: pl.DataFrame) -> pl.DataFrame:
        codes = [_code(text, words, how) for text in distinct[RAW + field]]
        return distinct.with_columns(pl.Series(field, codes, dtype=pl.String)).with_columns(
            pl.col(field).fill_null(pl.lit(how.default, dtype=pl.String)),
            first_rule(
                field,
                (
                    raw(field).is_not_null() & pl.col(field).is_null() & pl.lit(not how.by_words),
                    "code_unknown",
                ),
            ),
        )

    return once_per_text(frame, [RAW + field], work)


def _code(text: str | None, words: dict[str, str], how: FieldMapping) -> str | None:
    if text is None:
        return None
    folded = fold(text)
    if how.by_words:
        return next((code for word, code in words.items() if word in folded), None)
    if folded in words:
        return words[folded]
    leading = _LEADING.match(text)  # "2 - Bệnh nhân cũ"
    return words.get(fold(leading[1])) if leading else None


def add_sex(frame: pl.DataFrame, mapping: SourceMapping) -> pl.DataFrame:
    """Sex by the source's codes; else by which of two age columns is filled; else unknown."""
    frame = add_coded(frame, "sex", mapping)
    man, woman = _filled("age_male", "age_female"), _filled("age_female", "age_male")
    by_column = (
        pl.when(man & ~woman).then(pl.lit(Sex.MALE.value)).when(woman & ~man).then(pl.lit(Sex.FEMALE.value))
    )
    return frame.with_columns(pl.coalesce("sex", by_column, pl.lit(Sex.UNKNOWN.value)).alias("sex"))


def _filled(field: str, other: str) -> pl.Expr:
    """Whether a sex's own column says something; a 0 beside the other's number says nothing."""
    zero, number = r"^\s*0+(\.0+)?\s*$", r"[1-9]"
    nothing = raw(field).str.contains(zero) & raw(other).str.contains(number).fill_null(False)
    return raw(field).is_not_null() & ~nothing.fill_null(False)


def dates_in_age_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Whole birth dates written where an age or a year is expected count as the birth date."""
    written = [
        pl.when(raw(field).str.contains(_WHOLE_DATE)).then(raw(field))
        for field in ("age", "age_male", "age_female")
    ]
    return frame.with_columns(pl.coalesce(raw("birth_date"), *written).alias(RAW + "birth_date"))


def add_sheet_kind(frame: pl.DataFrame, mapping: SourceMapping) -> pl.DataFrame:
    """The kind of contact that a kind of sheet is about, whatever its cells say: a screening stays one."""
    fixed = {name: sheet.kind.value for name, sheet in mapping.sheets.items() if sheet.kind}
    own = pl.col("sheet_kind").replace_strict(fixed, default=None, return_dtype=pl.String)
    return frame.with_columns(pl.coalesce(own, pl.col("kind")).alias("kind"))


def add_birth_from_age(frame: pl.DataFrame) -> pl.DataFrame:
    """Birth year from an age or year column (one, or one per sex) where no birth date is written."""
    number = pl.coalesce(
        pl.when(_filled("age_male", "age_female")).then(_age("age_male")),
        pl.when(_filled("age_female", "age_male")).then(_age("age_female")),
        _age("age"),
    )
    year = pl.when(number >= _YEAR_FROM).then(number).otherwise(pl.col("visited_on").dt.year() - number)
    fill = pl.col("birth_date").is_null() & pl.col(rule_name("birth_date")).is_null() & year.is_not_null()
    return frame.with_columns(
        pl.when(fill).then(pl.date(year, 1, 1)).otherwise("birth_date").alias("birth_date"),
        pl.when(fill)
        .then(pl.lit(BirthPrecision.YEAR.value))
        .otherwise("birth_date_precision")
        .alias("birth_date_precision"),
        first_rule("birth_date", (fill & (number < _YEAR_FROM), "birth_year_from_age"), step="age"),
    )


def _age(field: str) -> pl.Expr:
    return raw(field).str.extract(_AGE).cast(pl.Int32)


__all__ = [
    "RULE",
    "add_birth_from_age",
    "add_coded",
    "add_sex",
    "add_sheet_kind",
    "dates_in_age_columns",
]
