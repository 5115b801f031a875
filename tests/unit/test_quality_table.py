"""Quality metrics on records a reader can count by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.tables import DIAGNOSES, PATIENTS, REJECTS, VISITS, conform, empty
from ncdsurv.errors import DefinitionError
from ncdsurv.quality import QUALITY, load_metrics, quality_table
from ncdsurv.quality.definitions import check_metrics, upper_limit
from ncdsurv.reference import load_reference

CATALOG = load_catalog()
REFERENCE = load_reference()
BP_DISEASE = next(d.id for d in CATALOG.diseases.values() if d.measurement == "blood_pressure")
SUGAR_DISEASE = next(d.id for d in CATALOG.diseases.values() if d.measurement == "glycaemia")
COMMUNE = REFERENCE.codes_within("79", "2025")[0]
DAY = date(2026, 5, 4)


def visit(record: str = "a", **columns: Any) -> dict[str, Any]:
    return {
        "record_id": record,
        "visit_id": f"{record}{columns.get('visited_on', DAY)}{columns.get('disease', '')}",
        "facility": "79001",
        "visited_on": DAY,
        "sequence": 0,
        "kind": "exam",
        "file_sha256": "file",
        "row_number": 1,
    } | columns


def table(
    visits: list[dict[str, Any]],
    known: dict[str, str] | None = None,
    rejects: list[dict[str, Any]] | None = None,
    flags: dict[str, bool] | None = None,
) -> pl.DataFrame:
    frame = conform(pl.DataFrame(visits, schema_overrides={"row_number": pl.Int64}), VISITS)
    records = sorted({row["record_id"] for row in visits})
    patients = pl.DataFrame(
        [
            {
                "record_id": record,
                "source": "moh",
                "facility": "79001",
                "commune_code": COMMUNE,
                "commune_vintage": "2025",
            }
            for record in records
        ]
    )
    diagnoses = pl.DataFrame(
        [{"record_id": record, "disease": disease} for record, disease in (known or {}).items()],
        schema={"record_id": pl.String, "disease": pl.String},
    )
    marks = pl.DataFrame(
        [
            {"record_id": record, "has_citizen_id": has, "has_insurance_number": True}
            for record, has in (flags or {}).items()
        ],
        schema={"record_id": pl.String, "has_citizen_id": pl.Boolean, "has_insurance_number": pl.Boolean},
    )
    return quality_table(
        frame,
        conform(patients, PATIENTS),
        conform(diagnoses, DIAGNOSES),
        conform(pl.DataFrame(rejects), REJECTS) if rejects else empty(REJECTS),
        marks,
        REFERENCE,
        CATALOG,
    )


def at_station(found: pl.DataFrame, metric: str) -> tuple[int, int]:
    row = found.filter(pl.col("metric") == metric, pl.col("facility") == "79001")
    return (row["numerator"].sum(), row["denominator"].sum())


def test_a_contact_of_someone_with_the_disease_needs_both_pressures():
    found = table(
        [
            visit("a", sbp=130, dbp=80),
            visit("b", sbp=130),
            visit("c"),
            visit("d", kind="screening"),
            visit("stranger"),
        ],
        known={"a": BP_DISEASE, "b": BP_DISEASE, "c": BP_DISEASE, "d": BP_DISEASE},
    )
    assert at_station(found, "blood_pressure_recorded") == (1, 3)


def test_two_rows_of_one_person_and_day_are_one_contact():
    found = table(
        [
            visit("a", disease=BP_DISEASE, sbp=130, dbp=80),
            visit("a", disease=SUGAR_DISEASE, hba1c_percent=6.5),
        ]
    )
    assert at_station(found, "blood_pressure_recorded") == (1, 1)
    assert at_station(found, "glycaemia_recorded") == (1, 1)


def test_last_digits_are_counted_once_per_person_and_day():
    readings = [130, 135, 139, 121]
    found = table([visit(name, sbp=sbp, dbp=80) for name, sbp in zip("abcd", readings)])
    assert at_station(found, "sbp_ends_in_0_or_5") == (2, 4)
    assert at_station(found, "sbp_ends_in_9") == (1, 4)
    assert at_station(found, "dbp_ends_in_0_or_5") == (4, 4)


def test_heaping_counts_the_last_value_at_target_among_its_neighbours():
    limit = int(upper_limit(load_metrics()["sbp_just_below_target"], CATALOG))
    readings = [limit, limit, limit - 2, limit + 2, limit + 3, limit - 3]
    found = table([visit(name, sbp=sbp, dbp=80) for name, sbp in zip("abcdef", readings)])
    assert at_station(found, "sbp_just_below_target") == (2, 4)


def test_glucose_steps_do_not_suffer_from_binary_fractions():
    limit = upper_limit(load_metrics()["fasting_glucose_just_below_target"], CATALOG)
    readings = [limit, limit, round(limit - 0.2, 2), round(limit + 0.2, 2), round(limit + 0.3, 2)]
    rows = [
        visit(name, glucose_mmol_l=value, glucose_kind="fasting") for name, value in zip("abcde", readings)
    ]
    found = table([*rows, visit("f", glucose_mmol_l=limit, glucose_kind="random")])
    assert at_station(found, "fasting_glucose_just_below_target") == (2, 4)


def test_a_reading_is_repeated_when_both_numbers_equal_the_one_before():
    days = [date(2026, 3, 2), date(2026, 4, 6), date(2026, 5, 4)]
    rows = [visit("a", visited_on=day, sbp=128, dbp=dbp) for day, dbp in zip(days, (76, 76, 77))]
    found = table([*reversed(rows), visit("b", sbp=128, dbp=77)])
    assert at_station(found, "blood_pressure_repeated") == (1, 2)


def test_records_without_a_citizen_number_are_counted_by_the_mark_alone():
    found = table([visit("a"), visit("b"), visit("c")], flags={"a": True, "b": False})
    assert at_station(found, "citizen_id_missing") == (2, 3)  # a record the vault does not know has no number


def reject(row: int, rule: str) -> dict[str, Any]:
    return {"file_sha256": "file", "source": "moh", "sheet": "THA", "row_number": row, "rule": rule}


def test_rejects_stand_in_all_and_by_rule_over_rows_kept_and_rejected():
    rejected = [reject(7, "no_date"), reject(7, "no_birth"), reject(8, "no_date")]
    found = table([visit("a", row_number=1), visit("b", row_number=2)], rejects=rejected)
    assert at_station(found, "rejected_rows") == (2, 4)
    assert at_station(found, "rejected_rows.no_date") == (2, 4)
    assert at_station(found, "rejected_rows.no_birth") == (1, 4)
    assert found.filter(pl.col("metric") == "rejected_rows")["month"].null_count() > 0


def test_a_file_without_one_good_row_still_counts_for_its_source_and_the_nation_is_told():
    lost = reject(3, "no_date") | {"file_sha256": "other"}
    found = table([visit("a")], rejects=[lost])
    assert at_station(found, "rejected_rows") == (0, 1)
    nation = found.filter(pl.col("metric") == "rejected_rows", pl.col("area_level") == "nation")
    assert set(nation.select("numerator", "denominator").iter_rows()) == {(1, 2)}


def test_sums_stand_for_province_and_nation_in_both_vintages_and_all_sources():
    found = table([visit("a", sbp=130, dbp=80)], known={"a": BP_DISEASE})
    above = found.filter(pl.col("metric") == "blood_pressure_recorded", pl.col("facility").is_null())
    keys = ["area_level", "area_vintage", "source"]
    assert set(above.select(keys).iter_rows()) == {
        (level, vintage, source)
        for level in ("province", "nation")
        for vintage in ("2024", "2025")
        for source in ("moh", "all")
    }
    of_2025 = above.filter(pl.col("area_vintage") == "2025", pl.col("area_level") == "province")
    assert set(of_2025["area_code"]) == {"79"}
    assert above["numerator"].unique().to_list() == [1]


def test_shape_flags_and_order():
    found = table([visit("a", sbp=130, dbp=80)], known={"a": BP_DISEASE})
    assert dict(found.schema) == dict(QUALITY)
    assert set(found["flag"]) == {"small_number"}
    assert found["value"].is_between(0, 100).all()
    assert found.select(pl.col("numerator") <= pl.col("denominator")).to_series().all()
    station = found.filter(pl.col("facility") == "79001")
    assert set(station["area_code"]) == {COMMUNE}
    assert set(station["month"].drop_nulls()) == {"2026-05"}


def test_no_visit_at_all_gives_an_empty_table_not_an_error():
    found = table([visit("a", kind="screening", row_number=None, file_sha256=None)])
    assert found.is_empty()


@pytest.mark.parametrize("metric", load_metrics())
def test_every_metric_is_said_in_both_languages_and_fits_the_catalog(metric: str):
    definition = load_metrics()[metric]
    check_metrics({metric: definition}, CATALOG)
    for text in (definition.names, definition.definition, definition.method):
        assert text.vi
        assert text.en


def test_a_metric_without_a_limit_in_its_preset_is_refused():
    metric = load_metrics()["sbp_just_below_target"].model_copy(update={"preset": "none_such"})
    with pytest.raises(DefinitionError, match="no upper limit"):
        check_metrics({metric.id: metric}, CATALOG)
