"""A registry's records and buckets, read whole: tests are small, and hold what the package does in parts against it."""

from __future__ import annotations

from typing import Any

import polars as pl

from ncdsurv.registry.buckets import Buckets
from ncdsurv.spells import Bucket


def current_visits(snapshot: Any) -> pl.DataFrame:
    """The visits as last reported: of two rows with one visit_id the one of the later file counts."""
    told: pl.DataFrame = snapshot.read("visits")
    return told.sort("visit_id", "received", "row_number").unique(
        "visit_id", keep="last", maintain_order=True
    )


def all_buckets(snapshot: Any) -> list[Bucket]:
    """Every bucket of a state, by number."""
    found = Buckets(snapshot)
    return [found.read(number) for number in found.numbers]
