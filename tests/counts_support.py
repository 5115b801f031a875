"""Counts from an ascii table, in one old province, and the values published from them."""

from __future__ import annotations

import polars as pl

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import Period
from ncdsurv.indicators import publish_values
from ncdsurv.reference import load_reference
from ncdsurv.spells import measures_schema
from tests.engine_story import rows

CATALOG, REFERENCE = load_catalog(), load_reference()
PROVINCE, VINTAGE = "64", "2024"
ATOMS = REFERENCE.atom_areas(VINTAGE).filter(province=PROVINCE)["atom"].to_list()
CELL = {"atom", "month", "disease", "sex", "age_band", "preset"}


def measures(table: str) -> pl.DataFrame:
    """Counts from an ascii table; a column left out has its usual value, a measure left out is 0."""
    usual = {"atom": "0", "disease": "hypertension", "sex": "female", "age_band": "60-69", "preset": "hearts"}
    schema = measures_schema(CATALOG)
    found = []
    for row in rows(table):
        full = {**usual, **{name: text for name, text in row.items() if text}}
        assert not full.keys() - schema.keys(), "a column that is no measure"
        counts = {name: int(full.get(name, 0)) for name in schema if name not in CELL}
        words = {name: full[name] for name in CELL - {"atom", "month"}}
        place = {"atom": ATOMS[int(full["atom"])], "month": Period.parse(full["month"]).last_month}
        found.append({**words, **place, **counts})
    return pl.DataFrame(found, schema=dict(schema))


def values(table: str, first: str = "2026-04", last: str = "2026-06", **chosen: str) -> pl.DataFrame:
    """Values of the old province in the last month, both sexes and all ages, unless chosen otherwise."""
    months = {"first_month": Period.parse(first).first_month, "last_month": Period.parse(last).last_month}
    found = publish_values(measures(table), REFERENCE, CATALOG, "spec", **months)
    usual = {"area_vintage": VINTAGE, "area_level": "province", "area_code": PROVINCE, "period": last}
    usual |= {"sex": "both", "age_band": "all", "standardisation": "crude", "disease": "hypertension"}
    return found.filter(**(usual | chosen))
