"""The engine: a bucket of people becomes spells, spells become changes, changes add up to counts."""

from ncdsurv.spells.arrange import bucket_layout
from ncdsurv.spells.engine import (
    CELL_COLUMNS,
    UNKNOWN_BAND,
    add_buckets,
    band_names,
    count_bucket,
    measures_schema,
    person_spells,
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
from ncdsurv.spells.states import Measure, Plan, measure_plan

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
    "Bucket",
    "Measure",
    "Plan",
    "add_buckets",
    "band_names",
    "bucket_layout",
    "count_bucket",
    "lay_out",
    "measure_plan",
    "measures_schema",
    "person_spells",
]
