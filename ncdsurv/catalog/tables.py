"""Schemas of the tables that travel between stages: column names and polars dtypes, in one place.

`raw -> records` (patients, diagnoses, visits) `+ rejects, duplicates, repairs`; `records -> persons`.
Identifiers stand apart: they live in the vault only.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ncdsurv.catalog.vocabulary import CONTACT_FLAGS

Schema = Mapping[str, pl.DataType]

_TEXT, _DAY, _INT16, _REAL, _ROW = pl.String(), pl.Date(), pl.Int16(), pl.Float64(), pl.Int64()
_ORIGIN: dict[str, pl.DataType] = {"file_sha256": _TEXT, "row_number": _ROW}

PATIENTS: Schema = {
    "record_id": _TEXT,
    "source": _TEXT,
    "facility": _TEXT,
    "sex": _TEXT,
    "birth_date": _DAY,
    "birth_precision": _TEXT,
    "commune_code": _TEXT,
    "commune_vintage": _TEXT,
    "valid_on": _DAY,
    **_ORIGIN,
}
DIAGNOSES: Schema = {
    "record_id": _TEXT,
    "disease": _TEXT,
    "icd10": _TEXT,
    "icd10_list": _TEXT,
    "detected_on": _DAY,
    "detected_where": _TEXT,
    "facility": _TEXT,
    "recorded_on": _DAY,
    "last_stated_on": _DAY,
    "withdrawn_on": _DAY,
    **_ORIGIN,
}
VISITS: Schema = {
    "record_id": _TEXT,
    "visit_id": _TEXT,
    "facility": _TEXT,
    "visited_on": _DAY,
    "sequence": pl.Int32(),
    "disease": _TEXT,
    "kind": _TEXT,
    "sbp": _INT16,
    "dbp": _INT16,
    "glucose_mmol_l": _REAL,
    "glucose_kind": _TEXT,
    "hba1c_percent": _REAL,
    "weight_kg": _REAL,
    "height_cm": _REAL,
    "lung_grade": pl.Int8(),
    "asthma_control": pl.Int8(),
    **dict.fromkeys(CONTACT_FLAGS, pl.Boolean()),
    "supply_days": _INT16,
    "next_visit_on": _DAY,
    "reported_target": pl.Int8(),
    "patient_status": _TEXT,
    "reported_history": _TEXT,
    "screening_findings": _TEXT,
    **_ORIGIN,
}
IDENTIFIERS: Schema = {
    "record_id": _TEXT,
    "name": _TEXT,
    "name_key": _TEXT,
    "citizen_id": _TEXT,
    "insurance_number": _TEXT,
    "phone": _TEXT,
    "address": _TEXT,
    "birth_date": _DAY,
    "birth_precision": _TEXT,
    "sex": _TEXT,
    "commune_code": _TEXT,
    "commune_vintage": _TEXT,
}
_PLACE: dict[str, pl.DataType] = {"file_sha256": _TEXT, "source": _TEXT, "sheet": _TEXT, "row_number": _ROW}
REJECTS: Schema = {**_PLACE, "rule": _TEXT, "column": _TEXT}
DUPLICATES: Schema = {**_PLACE, "duplicate_of": _TEXT}
REPAIRS: Schema = {**_PLACE, "column": _TEXT, "rule": _TEXT}
# What a book itself reports below its columns, beside what its lines hold: a cross-check, never a count of ours.
TOTALS: Schema = {
    **_PLACE,
    "label": _TEXT,
    "column": _TEXT,
    "month": _TEXT,
    "reported": pl.Int64(),
    "counted": pl.Int64(),
}
CROSSWALK: Schema = {"record_id": _TEXT, "person_id": _TEXT, "rule": _TEXT, "score": _REAL}
PERSONS: Schema = {
    "person_id": _TEXT,
    "sex": _TEXT,
    "birth_date": _DAY,
    "birth_precision": _TEXT,
    "died_on": _DAY,
}
RESIDENCES: Schema = {
    "person_id": _TEXT,
    "from_on": _DAY,
    "commune_2024": _TEXT,
    "commune_2025": _TEXT,
    "basis": _TEXT,
    "facility": _TEXT,
}
VALUES: Schema = {
    "release": _TEXT,
    "indicator": _TEXT,
    "preset": _TEXT,
    "disease": _TEXT,
    "area_code": _TEXT,
    "area_vintage": _TEXT,
    "area_level": _TEXT,
    "period": _TEXT,
    "sex": _TEXT,
    "age_band": _TEXT,
    "numerator": _REAL,
    "denominator": _REAL,
    "value": _REAL,
    "lower": _REAL,
    "upper": _REAL,
    "ci_method": _TEXT,
    "standardisation": _TEXT,
    "unit": _TEXT,
    "flag": _TEXT,
}


def conform(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The frame with exactly the schema's columns, order and dtypes; absent columns are null.

    >>> conform(pl.DataFrame({"person_id": ["a"]}), PERSONS).columns[:2]
    ['person_id', 'sex']
    """
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )


def empty(schema: Schema) -> pl.DataFrame:
    """A frame of the schema without rows."""
    return pl.DataFrame(schema=dict(schema))
