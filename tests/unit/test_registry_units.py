"""Figures by facility and source system: counted where people were last seen, published, checked, asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from benchmarks.engine_data import make_bucket
from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import Period, Unit, month_label
from ncdsurv.errors import IdentityError, UsageError
from ncdsurv.indicators.units import UNKNOWN_UNIT, iter_unit_values, unit_catalog
from ncdsurv.registry import open_store
from ncdsurv.registry.counting import UNITS, answer, count, question_of
from ncdsurv.registry.units import UnitChecks, add_units
from ncdsurv.spells import count_wide, measure_plan
from ncdsurv.store.release import Release
from ncdsurv.store.revision import compare
from tests.conftest import SAMPLES
from tests.engine_units import with_stations

CATALOG = load_catalog()
LEAN = unit_catalog(CATALOG)
PLAN = measure_plan(LEAN)
LAST = Period.parse("2026-04").last_month
FIRST = LAST - 5
CELL = ["facility", "source", "month", "disease"]


@pytest.fixture(scope="module")
def bucket():
    return with_stations(make_bucket(3, 60, CATALOG, FIRST, LAST))


@pytest.fixture(scope="module")
def cells(bucket):
    return count(bucket, LEAN, FIRST, LAST, by_unit=True).cells


def test_the_lean_catalog_holds_the_flagged_indicators_and_no_other():
    flagged = {name for name, one in CATALOG.indicators.items() if one.by_facility}
    assert {"enrolled", "under_care", "control_rate", "missed_visit_rate", "overdue"} <= flagged
    assert set(LEAN.indicators) == flagged
    assert len(PLAN.columns) < len(measure_plan(CATALOG).columns) / 3


@pytest.mark.parametrize("unit", list(Unit))
def test_counting_facility_and_source_at_once_gives_what_each_gives_alone(bucket, cells, unit):
    alone = count_wide(bucket, LEAN, first_month=FIRST, last_month=LAST, by=unit.value)
    by = [unit.value, "month", "disease"]
    summed = alone.group_by(by).agg(pl.col(PLAN.columns).sum()).sort(by)
    ours = cells.group_by(by).agg(pl.col(PLAN.columns).sum()).sort(by)
    assert ours[unit.value].n_unique() > 1
    assert ours.equals(summed)


def test_units_add_up_to_the_count_by_home(bucket, cells):
    homes = count_wide(bucket, LEAN, first_month=FIRST, last_month=LAST)
    by = ["month", "disease"]
    ours, theirs = (f.group_by(by).agg(pl.col(PLAN.columns).sum()).sort(by) for f in (cells, homes))
    assert ours.equals(theirs)


def test_a_release_asks_for_them_and_counts_each_cell_once(bucket):
    question = question_of(FIRST, LAST)
    assert question.by_unit == {UNITS}
    found = answer(bucket, question)[UNITS].cells
    assert found.columns[: len(CELL)] == CELL
    assert not found.select(CELL).is_duplicated().any()
    twice = add_units([found, found])
    assert twice.select(CELL).equals(found.select(CELL))
    assert (twice["under_care"] == 2 * found["under_care"]).all()


def hand_made(rows: list[tuple[str, str, int, int]]) -> pl.DataFrame:
    """Counts of hypertension in the last month: facility, source, under care, overdue."""
    counts = {name: pl.lit(0, pl.Int32) for name in PLAN.columns}
    named = pl.DataFrame(rows, schema=["facility", "source", "under_care", "overdue"], orient="row")
    rest = {name: zero for name, zero in counts.items() if name not in named.columns}
    return named.with_columns(month=pl.lit(LAST, pl.Int32), disease=pl.lit("hypertension"), **rest)


def published(rows: list[tuple[str, str, int, int]]) -> pl.DataFrame:
    return pl.concat(iter_unit_values(hand_made(rows), CATALOG, "spec", FIRST, LAST))


def test_every_facility_and_every_source_stands_in_both_vintages_with_small_numbers_flagged():
    found = published([("A", "his", 40, 3), ("A", "book", 5, 0), ("", "book", 7, 1)])
    rows = found.filter(indicator="under_care", preset="hearts", area_vintage="2025")
    assert rows.select("area_level", "area_code", "value").rows() == [
        ("facility", "A", 45.0),
        ("facility", UNKNOWN_UNIT, 7.0),
        ("source", "book", 12.0),
        ("source", "his", 40.0),
    ]
    assert rows["period"].unique().to_list() == [month_label(LAST)]
    other = found.filter(indicator="under_care", preset="hearts", area_vintage="2024")
    assert other.drop("area_vintage").equals(rows.drop("area_vintage"))
    overdue = found.filter(indicator="overdue", preset="hearts", area_vintage="2025", area_level="facility")
    assert overdue.select("area_code", "value", "flag").rows() == [
        ("A", 3.0, "small_number"),
        (UNKNOWN_UNIT, 1.0, "small_number"),
    ]
    share = found.filter(indicator="control_rate", preset="hearts", area_code="A", area_vintage="2025")
    assert share.select("denominator", "value", "flag").rows() == [(0.0, None, "no_denominator")]


def test_facilities_that_do_not_add_up_to_the_nation_are_not_published():
    values = published([("A", "his", 40, 3), ("B", "book", 5, 0)])
    plan = measure_plan(CATALOG)
    nation = pl.DataFrame(
        {
            "period": [month_label(LAST)] * 3,
            "disease": ["hypertension"] * 3,
            "preset": list(CATALOG.presets),
            **{name: [0] * 3 for name in plan.names},
        }
    ).with_columns(under_care=pl.lit(45), overdue=pl.lit(3))
    nation = nation.with_columns(pl.lit(45).alias(plan.denominators["follow_up_rate"]))
    good = values.filter(indicator="under_care")
    UnitChecks(nation, plan).check(good)
    for broken in (good.filter(pl.col("area_code") != "B"), good.with_columns(numerator=pl.lit(1.0))):
        with pytest.raises(IdentityError, match="facilities = sources = sum of the counts"):
            UnitChecks(nation, plan).check(broken)
    more = nation.with_columns(disease=pl.lit("asthma"))
    with pytest.raises(IdentityError, match="under_care"):
        UnitChecks(pl.concat([nation, more]), plan).check(good)


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    store = open_store(tmp_path_factory.mktemp("units") / "registry")
    store.ingest(sorted((SAMPLES / "viettel").iterdir())[:3], source="viettel")
    return store.build_release("2026-06", 2)


def test_a_release_answers_for_facilities_and_sources_and_still_for_areas(release):
    stations = release.values("under_care", level="facility", preset="hearts", vintage="2025")
    assert stations.height > 0
    assert set(stations["area_level"]) == {"facility"}
    one = stations["area_code"][0]
    assert release.values("under_care", level="facility", area=one).height > 0
    sources = release.values("under_care", level="source", preset="hearts", vintage="2025")
    assert set(sources["area_code"]) == {"viettel"}
    nation = release.values("under_care", level="nation", preset="hearts", vintage="2025")
    months = sources["period"].unique().to_list()
    of_nation = nation.filter(pl.col("period").is_in(months)).sort("disease", "period")
    by = ["disease", "period"]
    assert (
        of_nation.filter(pl.col("value") > 0)
        .select(*by, "value")
        .equals(sources.sort(by).select(*by, "value").filter(pl.col("value") > 0))
    )
    summed = stations.group_by(by).agg(pl.col("value").sum()).sort(by)
    assert summed.equals(sources.select(*by, "value").sort(by))
    assert not set(release.values("under_care")["area_level"]) & set(Unit)
    both = release.values("under_care", level=["facility", "nation"], vintage="2025")
    assert set(both["area_level"]) == {"facility", "nation"}
    assert "facilities = sources = sum of the counts, in every month" in release.manifest["checks"]


def test_an_unknown_facility_is_refused_by_name(release):
    with pytest.raises(UsageError, match="unknown area"):
        release.values("under_care", level="facility", area="no such station")


def test_a_revision_of_one_facility_is_found_at_its_level_only(release, tmp_path):
    later = Release(Path(shutil.copytree(release.folder, tmp_path / release.id)))
    values = release.scan_units().collect()
    changed = pl.int_range(pl.len()) == values.height // 2
    values.with_columns(pl.when(changed).then(pl.lit(7.5)).otherwise("value").alias("value")).write_parquet(
        later.folder / "facilities.parquet"
    )
    assert compare(release, later).is_empty()
    assert compare(release, later, str(values["area_level"][values.height // 2])).height == 1
