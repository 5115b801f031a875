"""Readings that an analyst's frame gives in another unit, judged as one who reads that unit would. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ncdsurv.catalog import Catalog
from ncdsurv.catalog.cards import written
from ncdsurv.errors import InputError

UNIT_COLUMNS: Mapping[str, str] = {"glucose_unit": "glucose_mmol_l", "hba1c_unit": "hba1c_percent"}
"""Column that names a unit -> the reading that is in it; the registry's unit where it is empty."""


def in_the_registrys_unit(visits: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Readings converted by the pairs of `plausibility.toml`, so that no limit shifts with the unit.

    Args:
        visits: Readings and the columns of `UNIT_COLUMNS`.
        catalog: Units and limits.

    Returns:
        The visits without the columns of units.

    Raises:
        InputError: A unit that is not known, or a value that cannot be of the unit it is said to be in.

    >>> from ncdsurv.catalog import load_catalog
    >>> told = {"glucose_mmol_l": [130.0], "glucose_unit": ["mg/dL"], "hba1c_percent": [6.5], "hba1c_unit": [None]}
    >>> in_the_registrys_unit(pl.DataFrame(told), load_catalog()).to_dicts()
    [{'glucose_mmol_l': 7.2, 'hba1c_percent': 6.5}]
    """
    for column, reading in UNIT_COLUMNS.items():
        plausible = catalog.plausibility[reading]
        allowed = (plausible.unit, *plausible.other_units)
        unit = visits[column]
        if odd := unit.drop_nulls().is_in(list(allowed)).not_().sum():
            raise InputError(
                f"visits: {column} has a unit that is not known",
                got=f"{odd} rows",
                allowed=", ".join(allowed),
                do="write the unit so, or convert the values",
            )
        value, told = pl.col(reading), pl.col(column)
        for name, other in plausible.other_units.items():
            given = visits.filter(told == name).select(value=reading).drop_nulls()
            if odd := given.height - given.filter(other.limits.expr()).height:
                raise InputError(
                    f"visits: {reading} is not plausible in {name}",
                    got=f"{odd} rows",
                    allowed=f"{written(other.limits)} {name}",
                    do="see whether the unit is right, or leave the value empty",
                )
            converted = other.convert(value).round(other.decimals)
            visits = visits.with_columns(
                pl.when((told == name).fill_null(False)).then(converted).otherwise(value).alias(reading)
            )
    return visits.drop(UNIT_COLUMNS)
