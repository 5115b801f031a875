"""Releases: the same from the same, checked before they exist, never changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.errors import IdentityError, StoreError, UsageError
from ncdsurv.reference import is_invented
from ncdsurv.registry import build, open_store
from ncdsurv.registry.buckets import assign_buckets
from ncdsurv.registry.checks import ValueChecks, check_measures, partitions
from ncdsurv.spells import add_buckets, count_bucket, measure_plan
from ncdsurv.store import Release, compare
from ncdsurv.store.release import VALUES_ORDER
from tests.conftest import SAMPLES
from tests.registry_support import all_buckets


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A registry of two sample files, to be written to."""
    store = open_store(tmp_path_factory.mktemp("small") / "registry")
    store.ingest(sorted((SAMPLES / "viettel").iterdir())[:2], source="viettel")
    return store


def test_a_release_is_whole_and_its_manifest_says_what_it_is_made_of(sample_release):
    names = {path.name for path in sample_release.folder.iterdir()}
    assert names == {
        "manifest.json",
        "measures.parquet",
        "values.parquet",
        "catalog.json",
        "quality.parquet",
        "sensitivity.parquet",
        "facilities.parquet",
        "dossier.json",
    }
    manifest = sample_release.manifest
    assert set(manifest["files"]) == names - {"manifest.json"}
    assert manifest["definitions_hash"] == load_catalog().definitions_hash
    assert manifest["counts"]["rows_in"] == sum(
        manifest["counts"][part] for part in ("kept", "rejected", "duplicates")
    )
    assert manifest["counts"]["values"] == sample_release.scan_values().select(pl.len()).collect().item()
    assert manifest["vintage"]["tables"]["visits"] >= 0
    assert len(manifest["checks"]) > len(ValueChecks.HELD)
    assert sample_release.dossier["disclosure_control"] == "none"
    sample_release.verify()


def test_a_release_of_samples_alone_says_that_its_people_are_invented(small, tmp_path):
    assert not any(pack["invented"] for pack in small.reference.manifest)
    release = small.build_release("2026-06", months=3)
    assert release.manifest["invented"] is True
    assert is_invented(release, small.reference)
    other = open_store(tmp_path / "other")
    path = tmp_path / "56019_kham_202606.csv"
    path.write_bytes((SAMPLES / "viettel" / path.name).read_bytes() + b"\n")  # a file nobody knows
    other.ingest(path, source="viettel")
    real = other.build_release("2026-06", months=1)
    assert real.manifest["invented"] is False
    assert not is_invented(real, other.reference)


def test_the_same_records_and_definitions_give_the_same_release_without_counting_again(small, monkeypatch):
    first = small.build_release("2026-06", months=3)
    before = (first.folder / "manifest.json").stat().st_mtime_ns
    monkeypatch.setattr(build, "count_buckets", lambda *_, **__: pytest.fail("counted again"))
    again = small.build_release("2026-06", months=3)
    assert again.id == first.id
    assert (again.folder / "manifest.json").stat().st_mtime_ns == before
    assert first.id.startswith("2026-06-")


def test_other_months_are_another_release(small):
    assert small.build_release("2026-05", months=3).id != small.build_release("2026-05", months=2).id


def test_nothing_later_than_the_reference_month_enters(small):
    early = small.build_release("2025-12", months=2)
    assert set(early.manifest["contents"]["period"]) == {"2025-11", "2025-12"}
    late = small.build_release("2026-06", months=8)
    columns = ["area_code", "area_vintage", "indicator", "preset", "disease", "numerator"]
    one, two = (
        release.values(period="2025-12", area=None)
        .filter(pl.col("numerator") > 0)
        .select(columns)
        .sort(columns)
        for release in (early, late)
    )
    assert one.height > 0
    assert one.equals(two)


def test_a_release_that_breaks_an_identity_is_not_written(small, monkeypatch):
    def wrong(*arguments, **named):
        for part in original(*arguments, **named):
            national = (pl.col("area_level") == "nation") & (pl.col("sex") == "both")
            yield part.with_columns(
                pl.when(national)
                .then(pl.col("numerator") + 1)
                .otherwise(pl.col("numerator"))
                .alias("numerator")
            )

    original = build.iter_values
    before = small.releases.ids()
    monkeypatch.setattr(build, "iter_values", wrong)
    with pytest.raises(IdentityError, match="nothing was published"):
        small.build_release("2026-04", months=2)
    assert small.releases.ids() == before
    assert {path.name for path in small.releases.folder.iterdir()} == set(before)  # nothing half-made stays


def test_the_months_are_checked_before_anything_is_counted(small, tmp_path):
    with pytest.raises(UsageError, match="must be a month"):
        small.build_release("2026-Q2")
    with pytest.raises(UsageError, match="no visit up to the reference month: got 2019-01"):
        small.build_release("2019-01")
    with pytest.raises(StoreError, match="registry is empty"):
        open_store(tmp_path / "nothing").build_release("2026-06")


def test_exclusive_states_are_found_to_add_up_from_the_definitions_alone():
    catalog = load_catalog()
    plan = measure_plan(catalog)
    found = partitions(plan, "hearts")
    outcomes = found[plan.denominators["control_rate"]]
    assert set(outcomes) == {
        plan.numerators[name]
        for name in ("control_rate", "uncontrolled_rate", "visited_unmeasured_rate", "missed_visit_rate")
    }


def test_counts_that_do_not_add_up_are_caught(small):
    catalog = load_catalog()
    small.link()
    buckets = all_buckets(small.lake.snapshot())
    month = 2026 * 12 + 6
    counts = add_buckets(count_bucket(b, catalog, first_month=month, last_month=month) for b in buckets)
    plan = measure_plan(catalog)
    divided = {preset: partitions(plan, preset) for preset in catalog.presets}
    assert check_measures(counts, plan, catalog) == check_measures(counts, plan, catalog, divided)
    assert any(held.startswith("qd97: under_care = ") for held in check_measures(counts, plan, catalog))
    name = plan.numerators["control_rate"]
    at = counts.with_row_index("row").filter(pl.col(name) > 0)["row"][0]
    wrong = counts.with_row_index("row").with_columns(
        pl.when(pl.col("row") == at).then(pl.col(name) - 1).otherwise(pl.col(name)).alias(name)
    )
    for given in (None, divided):
        with pytest.raises(IdentityError, match="1 cells.*hearts|1 cells.*tt37|1 cells.*qd97"):
            check_measures(wrong.drop("row"), plan, catalog, given)


def test_buckets_keep_neighbours_together_and_communes_whole():
    atoms = pl.DataFrame({"atom": range(6), "commune_2024": list("abcdef"), "commune_2025": list("uuvvww")})
    residences = (
        pl.DataFrame(
            {
                "person_id": [f"{i:03d}" for i in range(60)],
                "commune_2024": [c for c in "abcdef" for _ in range(10)],
            }
        )
        .join(atoms, on="commune_2024")
        .with_columns(pl.lit(None, pl.Date).alias("from_on"))
    )
    homes = assign_buckets(residences, atoms, size=20).join(residences, on="person_id")
    assert homes["person_id"].n_unique() == 60
    assert homes.group_by("commune_2024").agg(pl.col("bucket").n_unique())["bucket"].max() == 1
    assert homes.group_by("bucket").len()["len"].max() == 20
    assert homes.sort("atom")["bucket"].is_sorted()


def test_who_comes_often_makes_buckets_smaller_for_a_bucket_has_no_more_visits_than_fit():
    atoms = pl.DataFrame({"atom": range(4), "commune_2024": list("abcd"), "commune_2025": list("uuvv")})
    people = pl.DataFrame({"person_id": list("01234567"), "commune_2024": list("aabbccdd")})
    residences = people.join(atoms, on="commune_2024").with_columns(from_on=pl.lit(None, pl.Date))
    visits = people.select("person_id", visits=pl.Series([5, 5, 1, 1, 1, 1, 9, 9]))

    def found(most_visits: int) -> list[int]:
        homes = assign_buckets(residences, atoms, visits=visits, most_visits=most_visits)
        return homes.sort("person_id")["bucket"].to_list()

    assert found(32) == [0] * 8
    assert found(31) == [0] * 4 + [2] * 4
    assert found(11) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert found(1) == [0, 0, 1, 1, 2, 2, 3, 3]  # a commune is never divided
    silent = assign_buckets(residences, atoms, visits=visits.clear(), most_visits=1)
    assert silent["bucket"].unique().to_list() == [0]


def test_buckets_of_any_size_give_the_same_counts(small, monkeypatch):
    from ncdsurv.registry import buckets

    catalog, month = load_catalog(), 2026 * 12 + 6
    small.link()
    snapshot = small.lake.snapshot()

    def counts(tables) -> pl.DataFrame:
        parts = [count_bucket(b, catalog, first_month=month - 5, last_month=month) for b in tables]
        return add_buckets(parts)

    whole = counts(all_buckets(snapshot))
    monkeypatch.setattr(buckets.assign_buckets, "__defaults__", (7,))
    with small.lake.transaction() as tx:
        homes = buckets.assign_buckets(snapshot.read("residences"), small.reference.atoms).drop("home")
        records = snapshot.read("crosswalk").select("record_id", "person_id").join(homes, on="person_id")
        by_record = records.select("record_id", "bucket")
        told = {
            "persons": snapshot.read("persons").join(homes, on="person_id"),
            "residences": snapshot.read("residences").join(homes, on="person_id"),
            "records": records,
            "diagnoses": snapshot.read("diagnoses").join(by_record, on="record_id"),
            "visits": snapshot.read("visits").join(by_record, on="record_id"),
        }
        digester = buckets.Digester()
        for name, frame in told.items():
            digester.add(name, frame)
        layout = buckets.LayoutWriter(tx, catalog, small.reference.atoms, digester.digests())
        layout.add(told)
        layout.finish()
        assert len(layout.touched) > 1
        divided = counts(all_buckets(tx.commit("link", note=snapshot.note)))
    assert divided.equals(whole)


def test_values_come_filtered_and_in_one_order(sample_release):
    found = sample_release.values("control_rate", disease="hypertension", level="province", preset="hearts")
    assert found.height > 0
    assert found.select(VALUES_ORDER).is_duplicated().sum() == 0
    assert found.equals(found.sort(VALUES_ORDER))
    assert found["sex"].unique().to_list() == ["both"]
    both = sample_release.values(
        "control_rate", preset=["hearts", "tt37"], level="nation", sex=None, age_band=None
    )
    assert set(both["preset"]) == {"hearts", "tt37"}
    assert both["sex"].n_unique() > 1


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"indicator": "control_rat"}, "unknown indicator: got control_rat.*try control_rate"),
        ({"disease": "hypertention"}, "unknown disease: got hypertention.*try hypertension"),
        ({"area": "999999"}, "unknown area: got 999999"),
        ({"level": "comune"}, "unknown area level: got comune.*try commune"),
        ({"period": "2030-01"}, "unknown period: got 2030-01"),
        ({"preset": "heart"}, "unknown preset: got heart.*try hearts"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_mistyped_filter_is_an_error_with_the_nearest_name_and_never_an_empty_table(
    sample_release, filters, message
):
    with pytest.raises(UsageError, match=message):
        sample_release.values(**filters)


def test_a_mistyped_release_is_named_and_a_path_is_no_id(sample_store):
    latest = sample_store.releases.latest().id
    with pytest.raises(UsageError, match=f"unknown release.*try {latest}"):
        sample_store.releases.open(latest[:-1] + "x")
    with pytest.raises(UsageError, match="unknown release"):
        sample_store.releases.open("../releases/" + latest)
    assert sample_store.releases.open("latest").id == latest
    with pytest.raises(StoreError, match="has no release"):
        open_store("nowhere").releases.latest()


def copy_of(release: Release, folder: Path) -> Release:
    shutil.copytree(release.folder, folder / release.id)
    return Release(folder / release.id)


def test_a_release_that_was_changed_is_found_out(small, tmp_path):
    release = copy_of(small.build_release("2026-06", months=3), tmp_path)
    release.verify()
    dossier = release.folder / "dossier.json"
    dossier.write_text(json.dumps(json.loads(dossier.read_text()) | {"disclosure_control": "all"}))
    with pytest.raises(StoreError, match=r"was changed: got .*dossier.json"):
        release.verify()


def test_the_difference_of_two_releases_is_the_cells_that_changed(small, tmp_path):
    before = small.build_release("2026-06", months=3)
    after = copy_of(before, tmp_path)
    assert compare(before, after).is_empty()
    frame = pl.read_parquet(after.folder / "values.parquet").with_row_index("row")
    changed = pl.col("row") == 5
    frame = frame.with_columns(pl.when(changed).then(pl.lit(41.0)).otherwise(pl.col("value")).alias("value"))
    frame.filter(pl.col("row") != 9).drop("row").write_parquet(after.folder / "values.parquet")
    found = compare(before, after)
    assert found.height == 2
    assert found["only_in"].to_list().count("before") == 1
    assert found.filter(pl.col("only_in").is_null())["value_after"].to_list() == [41.0]
