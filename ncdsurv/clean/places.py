"""Commune codes: text with leading zeros and a vintage beside each; names and addresses where no code stands."""

from __future__ import annotations

from typing import Any

import polars as pl

from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.catalog.vocabulary import REFORM_DATE, Level, Vintage
from ncdsurv.clean.columns import RAW, first_rule, once_per_text, raw
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
    codes = _commune_codes(reference)

    def work(texts: pl.DataFrame) -> pl.DataFrame:
        digits = raw("commune").str.extract(r"^\D{0,8}(\d{1,5})(?:\D|$)")
        texts = texts.with_columns(
            digits.str.zfill(_DIGITS).alias("code"),
            (digits.str.len_chars() < _DIGITS).fill_null(False).alias("lost_zero"),
        )
        listed = {v: codes.filter(pl.col("vintage") == v.value)["code"].to_list() for v in Vintage}
        return texts.with_columns(
            pl.col("code").is_in(known).fill_null(False).alias(f"in_{v.value}") for v, known in listed.items()
        )

    frame = once_per_text(frame, [RAW + "commune"], work).with_columns(
        (by_date if fixed == _BY_DATE else pl.lit(str(fixed))).alias("vintage")
    )
    wanted = pl.when(pl.col("vintage") == Vintage.V2024.value)
    here = wanted.then(f"in_{Vintage.V2024.value}").otherwise(f"in_{Vintage.V2025.value}")
    there = wanted.then(f"in_{Vintage.V2025.value}").otherwise(f"in_{Vintage.V2024.value}")
    other = wanted.then(pl.lit(Vintage.V2025.value)).otherwise(pl.lit(Vintage.V2024.value))
    frame = frame.with_columns(here.alias("here"), there.alias("there"))
    here, there = pl.col("here"), pl.col("there")
    frame = add_named_commune(_station_commune(frame, reference), here | there, reference)
    named, near = pl.col("named_code").is_not_null(), pl.col("named_near").fill_null(False)
    open_ = pl.col("named_open").fill_null(False)
    lost_zero = pl.col("lost_zero")
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
        .drop(
            "code",
            "vintage",
            "lost_zero",
            "here",
            "there",
            "station_commune",
            "station_vintage",
            *(f"in_{v.value}" for v in Vintage),
        )
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
    latest = stations.sort("station_vintage").unique("facility", keep="last", maintain_order=True)
    for vintage in Vintage:
        own = stations.filter(pl.col("station_vintage") == vintage.value)
        latest = latest.join(
            own.select("facility", pl.col("station_commune").alias(f"at_{vintage.value}")),
            on="facility",
            how="left",
            maintain_order="left",
        )
    frame = frame.join(latest, on="facility", how="left", maintain_order="left")
    exact: pl.Expr = pl.lit(None, dtype=pl.String)
    for vintage in Vintage:
        exact = pl.when(pl.col("vintage") == vintage.value).then(f"at_{vintage.value}").otherwise(exact)
    frame = frame.with_columns(exact.alias("exact"))
    return frame.with_columns(
        pl.coalesce("exact", "station_commune").alias("station_commune"),
        pl.when(pl.col("exact").is_not_null())
        .then("vintage")
        .otherwise("station_vintage")
        .alias("station_vintage"),
    ).drop("exact", *(f"at_{vintage.value}" for vintage in Vintage))
