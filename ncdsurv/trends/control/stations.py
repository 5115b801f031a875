"""Names of places that no reference pack lists: stations are told by their code."""

from __future__ import annotations

from typing import Any

import polars as pl

from ncdsurv.catalog.vocabulary import Language, Level
from ncdsurv.trends.method import phrase


class WithStations:
    """A reference pack whose `areas` of a level it does not know are none, instead of an error."""

    def __init__(self, reference: Any) -> None:
        self._reference = reference

    def areas(self, level: str, vintage: str) -> pl.DataFrame:
        """Areas of a level and vintage; columns `code`, `name` at least."""
        if is_station(level):
            return pl.DataFrame(schema={"code": pl.String, "name": pl.String})
        return self._reference.areas(level, vintage)


def is_station(level: str | None) -> bool:
    """Whether a level is below the areas of a reference pack."""
    return level not in {str(one) for one in Level}


def station_names(code: str) -> dict[str, str]:
    """How a station is called in both languages."""
    return {str(one): phrase("control.station", str(one), code=code) for one in Language}
