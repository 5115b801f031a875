"""Facility codes: five characters, the 13-digit location number beside them, validity and successors."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from ncdsurv.clean.columns import RAW, first_rule, once_per_text, raw

_DIGITS = 5
_GLN = r"^\d{13}$"
_HOPS = 8  # mergers of mergers


def add_facility(frame: pl.DataFrame, reference: Any) -> pl.DataFrame:
    """The facility's code: lost zeros restored, a GLN turned into it, a code past its validity into its successor.

    Args:
        frame: Rows with `raw:facility` and `visited_on`.
        reference: Its `.facilities` may give `gln`, `valid_to` and `successor`.
    """
    listed = _listed(reference)
    by_gln = dict(listed.filter(pl.col("gln").is_not_null()).select("gln", "code").iter_rows())
    return _in_force(once_per_text(frame, [RAW + "facility"], lambda texts: _codes(texts, by_gln)), listed)


def _codes(texts: pl.DataFrame, by_gln: dict[str, str]) -> pl.DataFrame:
    written = raw("facility").str.strip_chars().str.to_uppercase()
    code = pl.when(written != "").then(written)
    lost = code.str.contains(r"^\d{4}$")
    is_gln = code.str.contains(_GLN).fill_null(False)
    texts = texts.with_columns(pl.when(lost).then(code.str.zfill(_DIGITS)).otherwise(code).alias("facility"))
    by_number = pl.col("facility").replace_strict(by_gln, default=None, return_dtype=pl.String)
    texts = texts.with_columns(
        pl.when(is_gln).then(by_number).otherwise("facility").alias("facility"),
        first_rule("facility", (lost, "leading_zero_restored")),
    )
    known = pl.col("facility").is_not_null()
    return texts.with_columns(
        first_rule(
            "facility", (is_gln & known, "facility_from_gln"), (is_gln, "facility_gln_unknown"), step="gln"
        )
    )


def _listed(reference: Any) -> pl.DataFrame:
    wanted = {
        "code": pl.String,
        "valid_from": pl.Date,
        "valid_to": pl.Date,
        "successor": pl.String,
        "gln": pl.String,
    }
    stations = reference.facilities
    if stations is None or "code" not in stations.columns:
        return pl.DataFrame(schema=wanted)
    return stations.select(
        (pl.col(name) if name in stations.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in wanted.items()
    )


def _in_force(frame: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Codes that ended before the visit: their successor at that day, or a note where none is known."""
    ended = listed.filter(pl.col("valid_to").is_not_null())["code"].unique()
    ended = ended.filter(ended.is_in(frame["facility"].unique().implode()))
    if ended.is_empty():
        return frame
    visits = frame.select("facility", "visited_on")
    old = visits.filter(pl.col("facility").is_in(ended.to_list())).unique()
    spans: dict[str, list[tuple[dt.date | None, str | None]]] = {}
    for code, until, successor in listed.select("code", "valid_to", "successor").iter_rows():
        spans.setdefault(code, []).append((until, successor))
    news = [_at(code, day, spans) for code, day in old.iter_rows()]
    old = old.with_columns(
        pl.Series("now", [code for code, _ in news], dtype=pl.String),
        pl.Series("held", [held for _, held in news], dtype=pl.Boolean),
    )
    frame = frame.join(
        old, on=["facility", "visited_on"], how="left", nulls_equal=True, maintain_order="left"
    )
    moved = (pl.col("now") != pl.col("facility")).fill_null(False)
    return frame.with_columns(
        first_rule(
            "facility",
            (moved, "facility_succeeded"),
            (~pl.col("held").fill_null(True), "facility_not_in_force"),
            step="validity",
        ),
        pl.coalesce("now", "facility").alias("facility"),
    ).drop("now", "held")


def _at(
    code: str, day: dt.date | None, spans: dict[str, list[tuple[dt.date | None, str | None]]]
) -> tuple[str, bool]:
    """The code that stands for a facility on a day, and whether it is in force then."""
    for _ in range(_HOPS):
        rows = spans.get(code, [])
        if day is None or not rows or any(until is None or day <= until for until, _ in rows):
            return code, True
        successor = next((following for _, following in rows if following), None)
        if successor is None:
            return code, False
        code = successor
    return code, False
