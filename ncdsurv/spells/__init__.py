"""The engine: a bucket of people becomes spells, spells become changes, changes add up to counts."""

from ncdsurv.spells.arrange import bucket_layout, visit_columns
from ncdsurv.spells.carry import not_carried
from ncdsurv.spells.engine import (
    CELL_COLUMNS,
    UNKNOWN_BAND,
    WIDE_CELL,
    Asked,
    band_names,
    count_and_carry,
    count_packed,
    count_wide,
    person_spells,
    wide_schema,
)
from ncdsurv.spells.layout import (
    ASSIGNMENTS,
    CASES,
    CONTACTS,
    LAYOUT,
    NEVER,
    PEOPLE,
    SEGMENTS,
    Bucket,
    lay_out,
)
from ncdsurv.spells.long import add_buckets, count_bucket, long_view, measures_schema
from ncdsurv.spells.plan import Column, Measure, Plan, measure_plan

__all__ = [
    "ASSIGNMENTS",
    "CASES",
    "CELL_COLUMNS",
    "CONTACTS",
    "LAYOUT",
    "NEVER",
    "PEOPLE",
    "SEGMENTS",
    "UNKNOWN_BAND",
    "WIDE_CELL",
    "Asked",
    "Bucket",
    "Column",
    "Measure",
    "Plan",
    "add_buckets",
    "band_names",
    "bucket_layout",
    "count_and_carry",
    "count_bucket",
    "count_packed",
    "count_wide",
    "lay_out",
    "long_view",
    "measure_plan",
    "measures_schema",
    "not_carried",
    "person_spells",
    "visit_columns",
    "wide_schema",
]
