"""Dates as stations write them, with how much of them is known. Nothing is guessed.

Six spellings: dd/mm/yyyy, yyyy-mm-dd, yyyymmdd, ddmmyyyy, yyyymmddHHMM and the Excel serial number; and months by name
(see `month_names`).
Decision 130 writes an unknown day and month as 0000; books often hold the year alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ncdsurv.catalog.vocabulary import BirthPrecision
from ncdsurv.clean.columns import RAW, first_rule, rule_name
from ncdsurv.clean.month_names import number_months

_TIME = r"(?:[ T,]+(\d{1,2}):(\d{2}).*)?$"
_YMD = r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})" + _TIME
_DMY = r"^(\d{1,2})\s?[-/. ]\s?(\d{1,2})\s?[-/. ]\s?(\d{4})" + _TIME
_DIGITS = r"^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(?:\d{2})?)?$"
_DDMMYYYY = r"^(\d{1,2})(\d{2})(\d{4})$"
_MONTH_YEAR = r"^(\d{1,2})[-/.](\d{4})$"
_YEAR_MONTH = r"^(\d{4})[-/.](\d{1,2})$"
_YEAR = r"^(\d{4})$"
_SERIAL = r"^(\d{4,5})(\.\d+)?$"
_TWO_DIGIT_YEAR = r"^\d{1,2}\s?[-/. ]\s?\d{1,2}\s?[-/. ]\s?\d{2}$|^\d{6}$"

_STAMP, _STAMP_BYTES = r"^\d\d/\d\d/[12]\d\d\d \d\d:\d\d$", 16
_YEARS = (1800, 2200)  # what a calendar year can be; plausibility proper is data
_BUDDHIST_YEARS = (2443, 2700)  # 543 years ahead: a computer set to the Thai or Khmer calendar
_SERIAL_EPOCH = pl.date(1899, 12, 30)  # serial 1 is 1 January 1900, and 1900 counts as a leap year
_SERIALS = (2701, 73_050)  # May 1907 to the end of 2099
_MINUTES_PER_DAY = 1440
_MONTHS = 12
_FEW, _ENOUGH = 3, 8  # cells of each spelling, and in all, before a swap is believed

DAY, MONTH, YEAR = BirthPrecision.DAY.value, BirthPrecision.MONTH.value, BirthPrecision.YEAR.value


def read_dates(texts: pl.Series) -> pl.DataFrame:
    """Read date texts.

    Args:
        texts: Text cells, any spelling.

    Returns:
        One row per text: `date` (the first day of what is known), `precision` (day, month, year),
        `minutes` of the day when a time stands beside it, `spelling` (`ymd`, `dmy` or null),
        `rule` why a text gave no date, or how it was mended.

    >>> read_dates(pl.Series(["05/03/1961", "196500000000"]))["precision"].to_list()
    ['day', 'year']
    """
    frame = (
        texts.rename("text")
        .to_frame()
        .with_columns(pl.col("text").cast(pl.String).str.strip_chars(" \t\r\n'\"`\u00a0").alias("t"))
    )
    if frame["t"].str.contains(r"\p{L}{3}").any():
        frame = frame.with_columns(number_months("t"))
    frame = frame.with_columns(_parts("ymd", _YMD, ("y", "m", "d", "hour", "minute")))
    frame = frame.with_columns(
        _parts("dmy", _DMY, ("d", "m", "y", "hour", "minute")),
        _parts("digits", _DIGITS, ("y", "m", "d", "hour", "minute")),
        _parts("ddmmyyyy", _DDMMYYYY, ("d", "m", "y")),
        _parts("month_year", _MONTH_YEAR, ("m", "y")),
        _parts("year_month", _YEAR_MONTH, ("y", "m")),
        _parts("year", _YEAR, ("y",)),
    )
    digits_are_ymd = _field("digits", "y").is_between(*_YEARS) & (_field("digits", "m") <= _MONTHS)
    frame = frame.with_columns(
        _pick(
            ["ymd", "dmy"], "digits", digits_are_ymd, ["ddmmyyyy", "month_year", "year_month", "year"], part
        )
        for part in ("y", "m", "d", "hour", "minute")
    )
    serial = pl.col("t").str.extract(_SERIAL).cast(pl.Int32, strict=False)
    is_serial = serial.is_between(*_SERIALS) & pl.col("t").str.contains(_SERIAL)
    buddhist = pl.col("y").is_between(*_BUDDHIST_YEARS)
    in_years = pl.col("y").is_between(*_YEARS)
    month, day = pl.col("m").fill_null(0), pl.col("d").fill_null(0)
    written = pl.format(
        "{}-{}-{}",
        pl.col("y").cast(pl.String).str.zfill(4),
        pl.when(month == 0).then(1).otherwise(month).cast(pl.String).str.zfill(2),
        pl.when((day == 0) | (month == 0)).then(1).otherwise(day).cast(pl.String).str.zfill(2),
    )
    from_parts = pl.when(in_years & ((month > 0) | (day == 0))).then(
        written.str.to_date("%Y-%m-%d", strict=False)
    )
    serial_minutes = (
        pl.col("t").str.extract(_SERIAL, 2).cast(pl.Float64, strict=False) * _MINUTES_PER_DAY
    ).round()
    frame = frame.with_columns(
        pl.when(is_serial & ~in_years.fill_null(False) & ~buddhist.fill_null(False))
        .then(_SERIAL_EPOCH + pl.duration(days=serial))
        .otherwise(from_parts)
        .alias("date"),
        pl.when(is_serial & ~in_years.fill_null(False))
        .then(pl.lit(DAY))
        .when(month == 0)
        .then(pl.lit(YEAR))
        .when(day == 0)
        .then(pl.lit(MONTH))
        .otherwise(pl.lit(DAY))
        .alias("precision"),
        pl.coalesce(pl.col("hour") * 60 + pl.col("minute").fill_null(0), serial_minutes)
        .cast(pl.Int32)
        .alias("minutes"),
        pl.when(_field("ymd", "y").is_not_null())
        .then(pl.lit("ymd"))
        .when(_field("dmy", "y").is_not_null())
        .then(pl.lit("dmy"))
        .alias("spelling"),
    )
    written_something = pl.col("t").is_not_null() & (pl.col("t") != "")
    zero_lost = pl.col("t").str.contains(r"^\d{7}$") & pl.col("date").is_not_null()
    rule = (
        pl.when(pl.col("date").is_not_null())
        .then(pl.when(zero_lost).then(pl.lit("leading_zero_restored")))
        .when(~written_something | pl.col("t").str.contains(r"^[0/\-. :]*$"))
        .then(None)
        .when(buddhist)
        .then(pl.lit("buddhist_era_year"))
        .when(pl.col("t").str.contains(_TWO_DIGIT_YEAR))
        .then(pl.lit("two_digit_year"))
        .when(pl.col("y").is_not_null())
        .then(pl.lit("impossible_date"))
        .otherwise(pl.lit("unreadable_date"))
    )
    known = pl.col("date").is_not_null()
    return frame.select(
        "text",
        "date",
        pl.when(known).then("precision").alias("precision"),
        pl.when(known & (pl.col("precision") == DAY)).then("minutes").alias("minutes"),
        "spelling",
        rule.alias("rule"),
    )


def _parts(name: str, pattern: str, fields: tuple[str, ...]) -> pl.Expr:
    groups = pl.col("t").str.extract_groups(pattern).struct.rename_fields(fields)
    return groups.alias(name)


def _field(name: str, part: str) -> pl.Expr:
    return pl.col(name).struct.field(part).cast(pl.Int32, strict=False)


_HAS = {
    "ymd": ("y", "m", "d", "hour", "minute"),
    "dmy": ("y", "m", "d", "hour", "minute"),
    "digits": ("y", "m", "d", "hour", "minute"),
    "ddmmyyyy": ("y", "m", "d"),
    "month_year": ("y", "m"),
    "year_month": ("y", "m"),
    "year": ("y",),
}


def _pick(before: list[str], digits: str, digits_hold: pl.Expr, after: list[str], part: str) -> pl.Expr:
    choices = [_field(name, part) for name in before if part in _HAS[name]]
    choices.append(pl.when(digits_hold).then(_field(digits, part)))
    choices += [_field(name, part) for name in after if part in _HAS[name]]
    return pl.coalesce(choices).alias(part)


def add_dates(frame: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """Read the date fields of a batch and mend swapped days and months per file, sheet and column.

    The signature of the swap: in one column every real date cell has a day of 12 or less, while every
    text cell has a day above 12. A spreadsheet with US settings turned the readable half into m/d dates.
    Where one column shows it, the file's other columns are mended too unless a cell of theirs denies it.

    Args:
        frame: Rows with `raw:<field>`, `file` and `sheet`.
        fields: Names of the fields.

    Returns:
        The frame with, per field, `<field>` (Date), `<field>_precision`, `<field>_minutes`, rule columns.
    """
    cells = {field: _day_and_clock(frame[RAW + field]) for field in fields}
    read = read_dates(pl.concat([cell["text"] for cell in cells.values()]).unique())
    for field, cell in cells.items():
        found = cell.join(read, on="text", how="left", nulls_equal=True, maintain_order="left")
        if "clock" in cell.columns:
            clock = pl.when(pl.col("precision") == DAY).then("clock")
            found = found.with_columns(pl.coalesce(clock, "minutes").alias("minutes"))
        names = {name: f"{field}_{name}" for name in ("precision", "minutes", "spelling")}
        renamed = found.select("date", *names, "rule").rename(
            {"date": field, "rule": rule_name(field), **names}
        )
        frame = frame.with_columns(renamed)
    cells_too = [field for field in fields if (frame[f"{field}_spelling"] == "ymd").any()]
    if cells_too:
        frame = _unswapped_where_certain(frame, fields, cells_too)
    return frame.drop(f"{field}_spelling" for field in fields)


def _day_and_clock(texts: pl.Series) -> pl.DataFrame:
    """Texts without their time of day, and beside them `clock` in minutes where there is any.

    Nearly every visit has a minute of its own, but few have a day of their own: days are read once each.
    """
    text = pl.col("text")
    frame = texts.rename("text").cast(pl.String).to_frame()
    if not (texts.str.len_bytes() == _STAMP_BYTES).any():
        return frame
    stamped = text.str.contains(_STAMP)
    hour, minute = (text.str.slice(start, 2).cast(pl.Int32, strict=False) for start in (11, 14))
    return frame.select(
        pl.when(stamped).then(text.str.slice(0, 10)).otherwise(text).alias("text"),
        pl.when(stamped).then(hour * 60 + minute).alias("clock"),
    )


def _unswapped_where_certain(
    frame: pl.DataFrame, fields: Sequence[str], cells_too: Sequence[str]
) -> pl.DataFrame:
    """Mend the columns of files of which at least one column shows the swap; only date cells can be swapped."""
    signs = pl.concat([_signs(frame, field) for field in cells_too])
    swapped_files = signs.filter("certain").select("file").unique()
    if swapped_files.height:
        for field in fields:
            columns = signs.filter(pl.col("field") == field, pl.col("possible")).select("file", "sheet")
            frame = _unswapped(frame, field, columns.join(swapped_files, on="file", how="semi"))
    return frame


def _signs(frame: pl.DataFrame, field: str) -> pl.DataFrame:
    """Per file and sheet: whether a column may be swapped, and whether it shows so beyond doubt."""
    spelling, day = pl.col(f"{field}_spelling"), pl.col(field).dt.day()
    cell, text = spelling == "ymd", spelling == "dmy"
    full = (pl.col(f"{field}_precision") == DAY) & pl.col(field).is_not_null()
    cells, texts = pl.col("cells"), pl.col("texts")
    return (
        frame.lazy()
        .filter(full & (cell | text))
        .group_by("file", "sheet")
        .agg(
            cell.sum().alias("cells"),
            text.sum().alias("texts"),
            day.filter(cell).max().alias("cell_day"),
            day.filter(text).min().alias("text_day"),
        )
        .select(
            "file",
            "sheet",
            pl.lit(field).alias("field"),
            (
                (cells > 0)
                & (pl.col("cell_day") <= _MONTHS)
                & ((texts == 0) | (pl.col("text_day") > _MONTHS))
            ).alias("possible"),
            ((cells >= _FEW) & (texts >= _FEW) & (cells + texts >= _ENOUGH)).alias("enough"),
        )
        .with_columns((pl.col("possible") & pl.col("enough")).alias("certain"))
        .collect()
    )


def _unswapped(frame: pl.DataFrame, field: str, sheets: pl.DataFrame) -> pl.DataFrame:
    marked = sheets.with_columns(pl.lit(True).alias("swapped"))
    frame = frame.join(marked, on=["file", "sheet"], how="left", maintain_order="left")
    full = (pl.col(f"{field}_precision") == DAY) & pl.col(field).is_not_null()
    mend = pl.col("swapped").fill_null(False) & (pl.col(f"{field}_spelling") == "ymd") & full
    other = pl.date(pl.col(field).dt.year(), pl.col(field).dt.day(), pl.col(field).dt.month())
    return frame.with_columns(
        first_rule(field, (mend, "day_month_swapped"), step="swap"),
        pl.when(mend).then(other).otherwise(field).alias(field),
    ).drop("swapped")
