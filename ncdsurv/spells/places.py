"""Where a person is counted: the atom lived in, or the facility or source last seen at, as small numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from ncdsurv.spells.layout import Bucket

By = Literal["atom", "facility", "source"]
PLACES: tuple[By, ...] = ("atom", "facility", "source")
NOT_TOLD = ""  # the place of somebody whose contacts name none


@dataclass(frozen=True)
class Places:
    """The places of a bucket's people.

    Attributes:
        labels: The places met, sorted; a place's number is its position.
        stays: person, from_month, place (Int32); at least one row for every person, ordered by both. Before
            the first one a person is counted in the first place.
    """

    labels: pl.Series
    stays: pl.DataFrame


def places_of(bucket: Bucket, by: By) -> Places:
    """The places of a bucket by atom, facility or source."""
    if by == PLACES[0]:
        return _numbered_atoms(bucket.segments)
    told = bucket.assignments.select("person", "from_month", place=pl.col(by).fill_null(NOT_TOLD))
    silent = bucket.people.select("person").join(told, on="person", how="anti")
    unknown = silent.select("person", from_month=pl.lit(0, pl.Int32), place=pl.lit(NOT_TOLD))
    stays = pl.concat([told, unknown]).sort("person", "from_month") if silent.height else told
    labels = stays["place"].unique().sort()
    number = labels.search_sorted(stays["place"]).cast(pl.Int32)
    return Places(labels, stays.with_columns(place=number))


def _numbered_atoms(segments: pl.DataFrame) -> Places:
    """The places by atom: a bucket's atoms lie near each other, so a table of them is quicker than a search."""
    atom = segments["atom"].to_numpy()
    lowest = int(atom.min()) if atom.size else 0
    away = atom - np.int32(lowest)
    met = np.zeros(int(away.max()) + 1 if atom.size else 0, dtype=np.bool_)
    met[away] = True
    number = (np.cumsum(met, dtype=np.int32) - np.int32(1))[away]
    stays = pl.DataFrame([segments["person"], segments["from_month"], pl.Series("place", number)])
    return Places(pl.Series("place", np.flatnonzero(met) + lowest, pl.Int32), stays)
