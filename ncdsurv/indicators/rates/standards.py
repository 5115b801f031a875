"""Standard populations, matched to age bands by their names, never by their place in a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.errors import StatisticsError, nearest
from ncdsurv.indicators.rates.border import column, column_numbers
from ncdsurv.indicators.rates.given import Floats, numbers

if TYPE_CHECKING:
    import narwhals as nw

_BAND = re.compile(r"(\d{1,3})\s*(?:[-–]\s*(\d{1,3})|\+)")


def world_standard(bands: Iterable[str]) -> dict[str, float]:
    """Weights of the WHO world standard population for age bands named like `40-49` or `80+`.

    Five-year groups that a band cuts are taken pro rata. The weights are normalised within the bands given, so
    a rate made with them is standardised over those ages only, and should say so.

    Args:
        bands: Names of age bands in completed years, both ends included; the last may be open (`80+`).

    Returns:
        Band -> weight, Float, in the order given; the sum is 1.

    Raises:
        StatisticsError: A name that is no age band, or bands that overlap.

    Source: Ahmad et al., Age standardization of rates: a new WHO standard, GPE Discussion Paper 31, WHO 2001.

    >>> {band: round(weight, 4) for band, weight in world_standard(["40-59", "60-79", "80+"]).items()}
    {'40-59': 0.6535, '60-79': 0.3017, '80+': 0.0448}
    """
    from ncdsurv.catalog import load_catalog
    from ncdsurv.catalog.models import AgeBand
    from ncdsurv.indicators.standard import band_weights

    found = []
    for band in bands:
        read = _BAND.fullmatch(str(band).strip())
        if read is None or (read[2] is not None and int(read[2]) < int(read[1])):
            raise StatisticsError("a name that is no age band", got=band, allowed="names like 40-49 or 80+")
        upper = int(read[2]) if read[2] else None
        found.append(AgeBand(id=str(band), lower=int(read[1]), upper=upper))
    for one, two in zip(ordered := sorted(found, key=lambda each: each.lower), ordered[1:], strict=False):
        if one.upper is None or two.lower <= one.upper:
            raise StatisticsError("age bands that overlap", got=f"{one.id} and {two.id}")
    standard = load_catalog().standard_population
    weights = band_weights(standard, found)
    if not (total := sum(weights.values())) > 0:
        raise StatisticsError("no age bands to weight", got="none", do="give names like 40-49 or 80+")
    return {band.id: weights[band.id] / total for band in found}


def weights_by_name(table: nw.DataFrame[Any], age: str, standard: Mapping[str, float] | str) -> Floats:
    """The standard's weight of each row, found by the name of its age band; over all bands the sum is 1.

    Args:
        table: Of `open_frame`.
        age: Column of the names of age bands.
        standard: Band -> weight, or the column that holds each row's weight.

    Raises:
        StatisticsError: An age band that the standard does not have, a weight that is not above 0, a band with
            two weights.
    """
    if isinstance(standard, str):
        standard = _of_column(_names(table, age), column_numbers(table, standard, "weight"))
    if not isinstance(standard, Mapping):
        raise StatisticsError(
            "a standard population without names",
            got=type(standard).__name__,
            allowed="age band -> weight, or the name of a column of weights",
        )
    weights = {str(band): float(numbers("weight", weight)) for band, weight in standard.items()}
    if not all(0 < weight < np.inf for weight in weights.values()):
        raise StatisticsError("a weight that is not above 0", do="give every age band a weight")
    total = sum(weights.values())
    return rows_by_name(table, age, {band: weight / total for band, weight in weights.items()})


def rows_by_name(table: nw.DataFrame[Any], age: str, figures: Mapping[str, float]) -> Floats:
    """The figure of each row's age band, found by the band's name.

    Raises:
        StatisticsError: A band that has none.
    """
    bands = _names(table, age)
    for band in dict.fromkeys(bands):
        if band not in figures:
            near = nearest(band, figures)
            raise StatisticsError(
                "unknown age band",
                got=band or "null",
                allowed=", ".join(figures),
                do=f"try {near}" if near else "name the bands as the standard does",
            )
    return np.array([figures[band] for band in bands], dtype=np.float64)


def _names(table: nw.DataFrame[Any], age: str) -> list[str]:
    return ["" if band is None or band != band else str(band) for band in column(table, age).to_list()]


def complete(table: nw.DataFrame[Any], by: list[str], age: str, bands: int) -> None:
    """Every group has every age band of the standard once.

    Raises:
        StatisticsError: A band twice in a group, or a group without one of the bands.
    """
    import narwhals as nw

    keys = table.select(*by, age)
    if keys.is_duplicated().any():
        raise StatisticsError(
            "an age band that stands twice in a group", do="sum its rows first, or name the groups in `by`"
        )
    sizes = keys.group_by(*by).agg(nw.len().alias("_bands")) if by else None
    fewest = int(sizes["_bands"].min()) if sizes is not None and len(sizes) else len(keys)
    if (len(keys) or not by) and fewest < bands:
        raise StatisticsError(
            "a group lacks age bands of the standard population",
            got=f"{fewest} of {bands}",
            do="give every band a row, or a standard of the bands there are",
        )


def _of_column(bands: list[str], weights: Floats) -> dict[str, float]:
    found: dict[str, float] = {}
    for band, weight in zip(bands, weights.tolist(), strict=True):
        if found.setdefault(band, weight) != weight:
            raise StatisticsError("an age band with two weights", got=band, do="give each band one weight")
    return found
