"""Commune codes: text with leading zeros and a vintage beside each; names and addresses where no code stands."""

from __future__ import annotations

from typing import Any

import polars as pl

from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.catalog.vocabulary import REFORM_DATE, Level, Vintage
from ncdsurv.clean.columns import first_rule, raw
from ncdsurv.clean.named_communes import add_named_commune

_DIGITS = 5
_BY_DATE = "by_visit_date"


def add_commune(frame: pl.DataFrame, mapping: SourceMapping, reference: Any) -> pl.DataFrame:
    """Commune of residence with its vintage, checked against that vintage's list.

    The list is that in force on the day of the visit unless the mapping fixes it; a code found only in the
    other list keeps its meaning there. Without a usable code the commune of the station stands in.

    Args:
        frame: Rows with `raw:commune`, `facility`, `visited_on`.
        mapping: The source.
        reference: Gives `.areas(level, vintage)` and `.facilities`.
    """
    how = mapping.fields.get("commune")
    fixed = how.vintage if how else _BY_DATE
    by_date = (
        pl.when(pl.col("visited_on") < REFORM_DATE)
        .then(pl.lit(Vintage.V2024.value))
        .otherwise(pl.lit(Vintage.V2025.value))
    )
    digits = raw("commune").str.extract(r"^\D{0,8}(\d{1,5})(?:\D|$)")
    padded = digits.str.zfill(_DIGITS)
    frame = frame.with_columns(
        padded.alias("code"),
        (by_date if fixed == _BY_DATE else pl.lit(str(fixed))).alias("vintage"),
    )
    codes = _commune_codes(reference)
    for vintage in Vintage:
        known = codes.filter(pl.col("vintage") == vintage.value)["code"]
        frame = frame.with_columns(pl.col("code").is_in(known.to_list()).alias(f"in_{vintage.value}"))
    wanted = pl.when(pl.col("vintage") == Vintage.V2024.value)
    here = wanted.then(f"in_{Vintage.V2024.value}").otherwise(f"in_{Vintage.V2025.value}").fill_null(False)
    there = wanted.then(f"in_{Vintage.V2025.value}").otherwise(f"in_{Vintage.V2024.value}").fill_null(False)
    other = wanted.then(pl.lit(Vintage.V2025.value)).otherwise(pl.lit(Vintage.V2024.value))
    frame = add_named_commune(_station_commune(frame, reference), here | there, reference)
    named, near = pl.col("named_code").is_not_null(), pl.col("named_near").fill_null(False)
    open_ = pl.col("named_open").fill_null(False)
    lost_zero = (digits.str.len_chars() < _DIGITS).fill_null(False)
    station = pl.col("station_commune").is_not_null()
    return (
        frame.with_columns(
            pl.when(here | there)
            .then("code")
            .otherwise(pl.coalesce("named_code", "station_commune"))
            .alias("commune_code"),
            pl.when(here)
            .then("vintage")
            .when(there)
            .then(other)
            .when(named)
            .then("named_vintage")
            .when(station)
            .then("station_vintage")
            .alias("commune_vintage"),
            first_rule(
                "commune_code",
                (here & lost_zero, "leading_zero_restored"),
                (there & ~here, "commune_of_other_vintage"),
                (~here & ~there & named & near, "commune_from_name_near_station"),
                (~here & ~there & named, "commune_from_name"),
                (~here & ~there & station, "residence_from_facility"),
                (~here & ~there & open_, "commune_ambiguous"),
                (~here & ~there & raw("commune").is_not_null(), "commune_unknown"),
            ),
            first_rule(
                "commune_code", (~here & ~there & ~named & open_ & station, "commune_ambiguous"), step="name"
            ),
        )
        .drop("named_code", "named_vintage", "named_near", "named_open")
        .drop("code", "vintage", "station_commune", "station_vintage", *(f"in_{v.value}" for v in Vintage))
    )


def _commune_codes(reference: Any) -> pl.DataFrame:
    return pl.concat(
        reference.areas(level=Level.COMMUNE.value, vintage=vintage.value).select(
            pl.col("code").cast(pl.String), pl.lit(vintage.value).alias("vintage")
        )
        for vintage in Vintage
    ).unique()


def _station_commune(frame: pl.DataFrame, reference: Any) -> pl.DataFrame:
    """The commune in which the row's station stands, in the row's vintage if the list has it."""
    stations = reference.facilities
    wanted = ["code", "commune_code", "vintage"]
    if stations is None or not set(wanted) <= set(stations.columns) or stations.height == 0:
        return frame.with_columns(
            pl.lit(None, dtype=pl.String).alias("station_commune"),
            pl.lit(None, dtype=pl.String).alias("station_vintage"),
        )
    stations = (
        stations.select(
            pl.col("code").cast(pl.String).alias("facility"),
            pl.col("commune_code").cast(pl.String).alias("station_commune"),
            pl.col("vintage").cast(pl.String).alias("station_vintage"),
        )
        .drop_nulls()
        .unique(["facility", "station_vintage"], keep="last", maintain_order=True)
    )
    exact = stations.with_columns(
        pl.col("station_vintage").alias("vintage"), pl.col("station_commune").alias("exact")
    ).drop("station_commune", "station_vintage")
    latest = stations.sort("station_vintage").unique("facility", keep="last", maintain_order=True)
    frame = frame.join(exact, on=["facility", "vintage"], how="left", maintain_order="left")
    frame = frame.join(latest, on="facility", how="left", maintain_order="left")
    has_exact = pl.col("exact").is_not_null()
    return frame.with_columns(
        pl.coalesce("exact", "station_commune").alias("station_commune"),
        pl.when(has_exact).then("vintage").otherwise("station_vintage").alias("station_vintage"),
    ).drop("exact")
