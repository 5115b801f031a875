"""What the engine refuses, in words: what was wrong, what was got, what is allowed, what to do."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.errors import IdentityError, UsageError
from ncdsurv.indicators import publish_values
from ncdsurv.spells import count_bucket, measures_schema
from ncdsurv.spells.layout import encode_condition
from tests.engine_records import layout, random_records

CATALOG = load_catalog()
RECORDS = random_records(1, 3, CATALOG, date(2025, 1, 1), 300)
MONTHS = {"first_month": 2025 * 12 + 1, "last_month": 2025 * 12 + 6}


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(
        UsageError, match=r"^unknown preset: got heart; allowed: hearts, qd97, tt37; do: try hearts$"
    ):
        count_bucket(layout(RECORDS, CATALOG), CATALOG, ["heart"], **MONTHS)


def test_months_in_the_wrong_order():
    with pytest.raises(
        UsageError, match=r"^the first month is after the last: got 24306 and 24301; do: swap them$"
    ):
        count_bucket(layout(RECORDS, CATALOG), CATALOG, first_month=24306, last_month=24301)


def test_a_person_without_a_residence_is_not_counted_somewhere_by_guess():
    homeless = {**RECORDS, "residences": RECORDS["residences"].clear()}
    with pytest.raises(
        IdentityError, match=r"^persons without a residence: got 3 persons; do: run the link step"
    ):
        layout(homeless, CATALOG)


def test_a_residence_outside_the_reference():
    abroad = RECORDS["residences"].with_columns(commune_2025=pl.lit("99999"))
    with pytest.raises(
        IdentityError, match=r"^residences outside the reference: got \d+ rows; do: check the reference"
    ):
        layout({**RECORDS, "residences": abroad}, CATALOG)


def test_without_numba_the_compiled_form_says_what_to_install(monkeypatch):
    monkeypatch.setattr("ncdsurv.spells.engine.find_spec", lambda name: None)
    bucket = layout(RECORDS, CATALOG)
    with pytest.raises(UsageError, match=r"needs numba: allowed: form polars; do: install ncdsurv\[fast\]$"):
        count_bucket(bucket, CATALOG, form="compiled", **MONTHS)
    found = count_bucket(bucket, CATALOG, form="auto", **MONTHS)
    assert found.equals(count_bucket(bucket, CATALOG, form="polars", **MONTHS))


def test_an_empty_bucket_gives_an_empty_frame_of_the_right_shape():
    nobody = {name: frame if name == "atoms" else frame.clear() for name, frame in RECORDS.items()}
    for form in ("polars", "compiled"):
        if form == "compiled":
            pytest.importorskip("numba")
        found = count_bucket(layout(nobody, CATALOG), CATALOG, form=form, **MONTHS)
        assert found.is_empty()
        assert dict(found.schema) == measures_schema(CATALOG)


def test_measures_of_other_definitions_are_not_published():
    frame = pl.DataFrame({"atom": [1], "month": [24301]})
    with pytest.raises(UsageError, match=r"^measures of other definitions: got no column"):
        publish_values(frame, None, CATALOG, "test")


@pytest.mark.parametrize("preset", list(CATALOG.presets))
def test_targets_in_hundredths_keep_every_edge_exactly(preset):
    """7.2 x 100 is 720.0000000000001 in floating point: a limit must not move by that."""
    for target in CATALOG.presets[preset].targets:
        for condition in target.readings.values():
            for test in encode_condition(condition).tests:
                assert all(float(limit).is_integer() for _, limit in test.bounds)
