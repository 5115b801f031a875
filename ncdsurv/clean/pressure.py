"""Blood pressure: two columns, one cell such as `120/80`, or the vital-sign text of XML5 (`CSST<..HA120/70..>`)."""

from __future__ import annotations

import polars as pl

from ncdsurv.catalog.plausibility import Plausible
from ncdsurv.clean.amounts import number, within
from ncdsurv.clean.columns import RAW, first_rule, once_per_text, raw

_PAIR = r"^\D{0,12}(\d{1,3})(?:[.,]0+)?\s*[/\\\-]\s*(\d{1,3})(?:[.,]0+)?\D{0,12}$"
_NAMED = r"(?i)(?:^|[^\p{L}])(?:HA|H\.A\.?|huyết áp|BP)\s*[:=]?\s*"
_VITAL = _NAMED + r"(\d{2,3})(?:[.,]0+)?\s*[/\\]\s*(\d{2,3})"
_VITAL_APART = r"(?i)HATT\s*[:=]?\s*(\d{2,3})\D{1,12}HATTr\s*[:=]?\s*(\d{2,3})"
_SIGNS = r"(?i)CSST[^\n]{0,120}"  # the vital signs by the convention of Decision 4750
_LOOKS_LIKE_A_PAIR = r"^\s*\d[\d\s/\\.,\-]*$"


def add_pressure(frame: pl.DataFrame, systolic: Plausible, diastolic: Plausible) -> pl.DataFrame:
    """Systolic and diastolic pressure of a batch, in whole mmHg.

    Separate columns come first, then a pair in the systolic column, then the joined cell or text (the
    last reading of several). Zero is missing; outside the limits, or systolic not above diastolic, a
    value is not used.
    """
    columns = [RAW + "sbp", RAW + "dbp", RAW + "blood_pressure"]

    def work(distinct: pl.DataFrame) -> pl.DataFrame:
        read = distinct.with_columns(
            number(raw("sbp")).alias("own_s"),
            number(raw("dbp")).alias("own_d"),
            _pair(raw("sbp")).alias("in_sbp"),
            pl.coalesce(_vital(raw("blood_pressure")), _pair(raw("blood_pressure"))).alias("joined"),
        )
        return _judged(_chosen(read), systolic, diastolic).drop(
            "own_s", "own_d", "in_sbp", "joined", "s", "d"
        )

    return once_per_text(frame, columns, work)


def _pair(text: pl.Expr) -> pl.Expr:
    """`s/d` of a cell that holds a pair and little else."""
    found = text.str.extract_groups(_PAIR)
    return pl.when(text.str.contains(_PAIR)).then(
        pl.concat_str(found.struct.field("1"), pl.lit("/"), found.struct.field("2"))
    )


def _vital(text: pl.Expr) -> pl.Expr:
    """`s/d` of the last blood pressure named in a text; what stands in the vital signs outranks other words."""
    signs = text.str.extract_all(_SIGNS).list.last()
    return pl.coalesce(
        *(_last_named(where, how) for where in (signs, text) for how in (_VITAL, _VITAL_APART))
    )


def _last_named(text: pl.Expr, pattern: str) -> pl.Expr:
    found = text.str.extract_all(pattern).list.last().str.extract_groups(pattern)
    return pl.concat_str(found.struct.field("1"), pl.lit("/"), found.struct.field("2"))


def _chosen(frame: pl.DataFrame) -> pl.DataFrame:
    own = (pl.col("own_s") > 0) | (pl.col("own_d") > 0)
    in_sbp = pl.col("in_sbp").is_not_null()
    pair = pl.when(in_sbp).then("in_sbp").when(~own.fill_null(False)).then("joined").str.split("/")
    part = [
        pair.list.get(i, null_on_oob=True).str.strip_chars().cast(pl.Float64, strict=False) for i in (0, 1)
    ]
    return frame.with_columns(
        pl.coalesce(part[0], "own_s").alias("s"),
        pl.coalesce(part[1], "own_d").alias("d"),
        first_rule("sbp", (in_sbp, "pair_in_one_column"), step="pair"),
        first_rule(
            "blood_pressure",
            (
                pl.col("joined").is_null() & raw("blood_pressure").str.contains(_LOOKS_LIKE_A_PAIR),
                "unreadable_pressure",
            ),
        ),
    )


def _judged(frame: pl.DataFrame, systolic: Plausible, diastolic: Plausible) -> pl.DataFrame:
    frame = frame.with_columns(_one("sbp", "s", systolic) + _one("dbp", "d", diastolic))
    reversed_ = (pl.col("sbp") <= pl.col("dbp")).fill_null(False)
    return frame.with_columns(
        *(pl.when(~reversed_).then(field).cast(pl.Int16).alias(field) for field in ("sbp", "dbp")),
        first_rule("sbp", (reversed_, "systolic_not_above_diastolic"), step="order"),
    )


def _one(field: str, value: str, limits: Plausible) -> list[pl.Expr]:
    whole = (pl.col(value) + 0.5).floor()  # a half goes up: never make a reading look better
    good = within(limits.limits, pl.col(value))
    return [
        pl.when(good).then(whole).alias(field),
        first_rule(
            field,
            (raw(field).is_not_null() & pl.col(value).is_null(), "not_a_number"),
            (pl.col(value) == 0, "zero_is_missing"),
            (pl.col(value).is_not_null() & ~good, "out_of_range"),
            (good & (whole != pl.col(value)), "rounded"),
        ),
    ]
