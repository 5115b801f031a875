"""Communes given by name or only in the address: one that fits, or none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

from ncdsurv.catalog.vocabulary import REFORM_DATE, Level
from ncdsurv.clean.columns import raw
from ncdsurv.reference.addresses import Gazetteer

_NEW = {
    "named_code": pl.String,
    "named_vintage": pl.String,
    "named_near": pl.Boolean,
    "named_open": pl.Boolean,
}
_WIDER = r"(?i)tỉnh|thành phố|huyện|quận|thị xã|t[px]\.|tp |tinh |thanh pho|huyen |quan |thi xa"
_DAYS = {True: REFORM_DATE, False: REFORM_DATE - timedelta(days=1)}  # which lists can be meant
_KEYS = ["named_text", "named_late", "station_commune", "station_vintage"]
_kept: list[tuple[Any, Gazetteer]] = []  # of the last reference asked: it costs half a second to make


def add_named_commune(frame: pl.DataFrame, coded: pl.Expr, reference: Any) -> pl.DataFrame:
    """Look up the commune of rows without a usable code.

    Args:
        frame: Rows with `raw:commune`, `raw:address`, `visited_on` and the station's commune.
        coded: Where a code says it already.
        reference: Names of both vintages and the crosswalk; without names nothing is found.

    Returns:
        The frame with `named_code`, `named_vintage`, `named_near` (told by the station's province) and
        `named_open` (several communes fit).
    """
    place = "named_row"
    frame = frame.with_row_index(place)
    asking = _asking(frame.filter(~coded & pl.col("visited_on").is_not_null()), place)
    asked = asking.select(_KEYS).unique()
    gazetteer = None if asked.is_empty() else _gazetteer(reference)
    if gazetteer is None:
        return frame.drop(place).with_columns(pl.lit(None, dtype).alias(name) for name, dtype in _NEW.items())
    provinces: dict[tuple[str, str], str] = {}
    for vintage in asked["station_vintage"].drop_nulls().unique():
        chain = reference.parents(vintage).select("commune", "province")
        provinces |= {(commune, vintage): province for commune, province in chain.iter_rows()}
    found = []
    for address, late, commune, vintage in asked.iter_rows():
        home = provinces.get((commune, vintage))
        hit = gazetteer.find(address, _DAYS[late], (home, vintage) if home else None)
        found.append((hit.code, hit.vintage, hit.near, hit.ambiguous))
    answers = pl.DataFrame(found, schema=_NEW, orient="row")
    told = asking.join(asked.hstack(answers), on=_KEYS, how="left", nulls_equal=True).drop(_KEYS)
    return frame.join(told, on=place, how="left", maintain_order="left").drop(place)


def _asking(rows: pl.DataFrame, place: str) -> pl.DataFrame:
    """Of the rows without a code those with a text that may name a commune, and what the answer depends on."""
    name = pl.when(raw("commune").str.contains(r"\p{L}")).then(raw("commune"))
    address = pl.col("address")
    wider = pl.when(name.is_null() | address.str.contains(_WIDER)).then(
        address
    )  # a hamlet tells nothing more
    text = pl.concat_str(name, wider, separator=", ", ignore_nulls=True)
    return rows.select(
        place,
        text.alias("named_text"),
        (pl.col("visited_on") >= REFORM_DATE).alias("named_late"),
        "station_commune",
        "station_vintage",
    ).filter(pl.col("named_text").str.contains(r"\p{L}"))


def _gazetteer(reference: Any) -> Gazetteer | None:
    if _kept and _kept[0][0] is reference:
        return _kept[0][1]
    if "name" not in reference.areas(level=Level.COMMUNE.value, vintage="2025").columns:
        return None
    _kept[:] = [(reference, Gazetteer(reference))]
    return _kept[0][1]
