"""Numbers that identify: CCCD, CMND, insurance number and card, telephone. Judged by shape, mended by rule.

Structure of the CCCD: 3 digits province of registration, 1 digit century and sex (0/1 = 1900s man/woman,
2/3 = 2000s), 2 digits of the birth year, 6 serial. It has no check digit. Of the card: 2 letters, 1 benefit
digit, 2-digit province, 10-digit insurance number.
"""

from __future__ import annotations

import polars as pl

from ncdsurv.catalog.vocabulary import BirthPrecision, Sex
from ncdsurv.clean.columns import RAW, first_rule, once_per_text, raw, rule_name

_CCCD = r"^0[0-9]{2}[0-3][0-9]{8}$"
_CMND = r"^[0-9]{9}$"
_PASSPORT = r"^[A-Z][0-9]{7}$"
_CARD = r"^[A-Z]{2}[0-9]{3}([0-9]{10})$"
_NUMBER = r"^[0-9]{10}$"
_PHONE = r"^0[2-9][0-9]{8,9}$"
_CCCD_DIGITS, _CMND_DIGITS, _NUMBER_DIGITS = 12, 9, 10
_PLACEHOLDER = r"^(?:0+|1+|2+|3+|4+|5+|6+|7+|8+|9+|0?123456789(?:0(?:12)?)?|0*1)$"


def _compact(text: pl.Expr) -> pl.Expr:
    out = text.str.to_uppercase().str.replace_all(r"[^0-9A-Z;]", "")
    return pl.when(out != "").then(out)


def add_identifiers(frame: pl.DataFrame) -> pl.DataFrame:
    """Citizen id, insurance number and telephone of a batch, with their rule columns."""
    frame = once_per_text(frame, [RAW + "citizen_id"], _citizen)
    frame = once_per_text(frame, [RAW + "insurance_number"], _insurance)
    frame = once_per_text(frame, [RAW + "phone"], _phone)
    # since August 2025 the personal id stands in for the insurance number
    from_card = pl.col("citizen_id").is_null() & pl.col("card_citizen_id").is_not_null()
    return frame.with_columns(
        pl.coalesce("citizen_id", "card_citizen_id").alias("citizen_id"),
        first_rule("citizen_id", (from_card, "citizen_id_from_card"), step="card"),
    ).drop("card_citizen_id")


def _citizen(distinct: pl.DataFrame) -> pl.DataFrame:
    plain = _compact(raw("citizen_id"))
    digits = plain.str.contains(r"^[0-9]+$")
    length = plain.str.len_chars()
    padded = (
        pl.when(digits & length.is_between(10, 11))
        .then(plain.str.zfill(_CCCD_DIGITS))
        .when(digits & (length == _CMND_DIGITS - 1))
        .then(plain.str.zfill(_CMND_DIGITS))
        .otherwise(plain)
    )
    frame = distinct.with_columns(plain.alias("plain"), padded.alias("padded"))
    placeholder = pl.col("plain").str.contains(_PLACEHOLDER)
    shaped = pl.col("padded").str.contains(f"{_CCCD}|{_CMND}|{_PASSPORT}")
    good = shaped & ~placeholder
    return frame.with_columns(
        pl.when(good).then("padded").alias("citizen_id"),
        first_rule(
            "citizen_id",
            (placeholder, "placeholder_number"),
            (pl.col("plain").is_not_null() & ~shaped, "citizen_id_shape"),
            (good & (pl.col("plain") != pl.col("padded")), "leading_zero_restored"),
        ),
    ).drop("plain", "padded")


def _insurance(distinct: pl.DataFrame) -> pl.DataFrame:
    cards = _compact(raw("insurance_number")).str.split(";")
    frame = distinct.with_columns(cards.list.first().alias("plain"))
    plain = pl.col("plain")
    lost = plain.str.contains(r"^[0-9]{9}$")
    number = pl.coalesce(
        plain.str.extract(_CARD),
        pl.when(plain.str.contains(_NUMBER)).then(plain),
        pl.when(lost).then(plain.str.zfill(_NUMBER_DIGITS)),
    )
    placeholder = number.str.contains(_PLACEHOLDER).fill_null(False) | plain.str.contains(_PLACEHOLDER)
    personal = pl.when(plain.str.contains(_CCCD) & ~plain.str.contains(_PLACEHOLDER)).then(plain)
    return frame.with_columns(
        pl.when(~placeholder).then(number).alias("insurance_number"),
        personal.alias("card_citizen_id"),
        first_rule(
            "insurance_number",
            (placeholder, "placeholder_number"),
            (lost, "leading_zero_restored"),
            (plain.is_not_null() & number.is_null() & personal.is_null(), "insurance_number_shape"),
        ),
    ).drop("plain")


def _phone(distinct: pl.DataFrame) -> pl.DataFrame:
    plain = raw("phone").str.replace_all(r"[^0-9+]", "").str.replace(r"^(?:\+84|0084|84)(\d{9})$", "0$1")
    frame = distinct.with_columns(pl.when(plain != "").then(plain).alias("plain"))
    plain = pl.col("plain")
    lost = plain.str.contains(r"^[35789][0-9]{8}$")
    padded = pl.when(lost).then(plain.str.zfill(10)).otherwise(plain)
    good = padded.str.contains(_PHONE) & ~padded.str.contains(_PLACEHOLDER)
    return frame.with_columns(
        pl.when(good).then(padded).alias("phone"),
        first_rule(
            "phone", (lost & good, "leading_zero_restored"), (plain.is_not_null() & ~good, "phone_shape")
        ),
    ).drop("plain")


def check_against_person(frame: pl.DataFrame) -> pl.DataFrame:
    """Compare the CCCD's sex and birth year with the row; fill what is missing, drop another person's number.

    Both wrong: the number belongs to somebody else and is not used. One wrong: kept, and noted.
    """
    frame = once_per_text(frame, ["citizen_id"], _person_of)
    no_birth = pl.col("birth_date").is_null() & pl.col(rule_name("birth_date")).is_null()
    fill_birth = no_birth & pl.col("id_year").is_not_null()
    fill_sex = (pl.col("sex") == Sex.UNKNOWN.value) & pl.col("id_sex").is_not_null()
    other_year = (pl.col("birth_date").dt.year() != pl.col("id_year")).fill_null(False)
    other_sex = ((pl.col("sex") != Sex.UNKNOWN.value) & (pl.col("sex") != pl.col("id_sex"))).fill_null(False)
    return frame.with_columns(
        pl.when(other_year & other_sex).then(None).otherwise("citizen_id").alias("citizen_id"),
        pl.when(fill_birth)
        .then(pl.date(pl.col("id_year"), 1, 1))
        .otherwise("birth_date")
        .alias("birth_date"),
        pl.when(fill_birth)
        .then(pl.lit(BirthPrecision.YEAR.value))
        .otherwise("birth_date_precision")
        .alias("birth_date_precision"),
        pl.when(fill_sex).then("id_sex").otherwise("sex").alias("sex"),
        first_rule(
            "citizen_id",
            (other_year & other_sex, "citizen_id_of_another_person"),
            (other_year | other_sex, "citizen_id_doubtful"),
            step="person",
        ),
        first_rule("birth_date", (fill_birth, "birth_year_from_citizen_id"), step="person"),
        first_rule("sex", (fill_sex, "sex_from_citizen_id"), step="person"),
    ).drop("id_year", "id_sex")


def _person_of(distinct: pl.DataFrame) -> pl.DataFrame:
    """Birth year and sex that a CCCD tells."""
    is_cccd = pl.col("citizen_id").str.contains(_CCCD)
    digit = pl.when(is_cccd).then(pl.col("citizen_id").str.slice(3, 1)).cast(pl.Int16)
    year = (
        pl.lit(1900)
        + 100 * (digit // 2)
        + pl.when(is_cccd).then(pl.col("citizen_id").str.slice(4, 2)).cast(pl.Int16)
    )
    sex = (
        pl.when(digit % 2 == 0)
        .then(pl.lit(Sex.MALE.value))
        .when(digit % 2 == 1)
        .then(pl.lit(Sex.FEMALE.value))
    )
    return distinct.with_columns(year.cast(pl.Int32).alias("id_year"), sex.alias("id_sex"))
