from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from ncdsurv.errors import StoreError
from ncdsurv.store import Lake
from ncdsurv.store.tables import TABLES


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake", tmp_path / "vault")


def persons(*ids: str) -> pl.DataFrame:
    return pl.DataFrame({"person_id": list(ids)})


def ids(snapshot) -> list[str]:
    return snapshot.read("persons")["person_id"].sort().to_list()


def test_an_empty_lake_reads_as_empty_tables(lake):
    snapshot = lake.snapshot()
    assert snapshot.number == 0
    assert snapshot.read("visits").is_empty()
    assert lake.commits().is_empty()


def test_rows_become_visible_at_the_commit_and_all_tables_together(lake):
    with lake.transaction() as tx:
        tx.append("persons", persons("a"))
        tx.append("visits", pl.DataFrame({"visit_id": ["v"]}))
        assert ids(lake.snapshot()) == []
        tx.commit("ingest", "key")
    assert ids(lake.snapshot()) == ["a"]
    assert lake.snapshot().read("visits").height == 1
    assert lake.snapshot().key_id == "key"


def test_a_batch_that_breaks_off_leaves_no_trace_for_readers_nor_for_the_next_writer(lake):
    with lake.transaction() as tx:
        tx.append("persons", persons("a"))
        tx.commit("ingest")
    with lake.transaction() as tx:  # dies before its commit, after touching an old and a new table
        tx.append("persons", persons("lost"))
        tx.append("visits", pl.DataFrame({"visit_id": ["lost"]}))
    assert ids(lake.snapshot()) == ["a"]
    with lake.transaction() as tx:
        assert tx.scan("visits").collect().is_empty()
        tx.append("persons", persons("b"))
        tx.commit("ingest")
    assert ids(lake.snapshot()) == ["a", "b"]
    assert lake.snapshot().read("visits").is_empty()


def test_any_past_state_still_reads_as_the_whole_registry_of_that_day(lake):
    for number, name in enumerate(("a", "b", "c"), start=1):
        with lake.transaction() as tx:
            tx.append("persons", persons(name))
            assert tx.commit("ingest").number == number
    with lake.transaction() as tx:
        tx.overwrite("persons", persons("z"))
        tx.commit("link", note={"why": "linked anew"})
    assert [ids(lake.snapshot(number)) for number in (1, 2, 3, 4)] == [
        ["a"],
        ["a", "b"],
        ["a", "b", "c"],
        ["z"],
    ]
    assert lake.snapshot().note == {"why": "linked anew"}
    assert lake.commits()["kind"].to_list() == ["ingest", "ingest", "ingest", "link"]
    with pytest.raises(StoreError, match="unknown commit"):
        lake.snapshot(9)


def test_a_transaction_sees_its_own_writes(lake):
    with lake.transaction() as tx:
        tx.append("persons", persons("a"))
        tx.append("persons", persons("b"))
        assert sorted(tx.scan("persons").collect()["person_id"]) == ["a", "b"]


def test_identifiers_stand_in_the_vault_closed_to_others(lake):
    with lake.transaction() as tx:
        tx.append("identifiers", pl.DataFrame({"record_id": ["r"], "name": ["x"]}))
        tx.commit("ingest")
    assert (lake.vault / "identifiers" / "_delta_log").is_dir()
    assert not (lake.folder / "identifiers").exists()
    assert lake.vault.stat().st_mode & 0o777 == 0o700


def test_a_lost_table_is_reported_and_not_taken_for_an_empty_one(lake):
    import shutil

    with lake.transaction() as tx:
        tx.append("persons", persons("a"))
        tx.commit("ingest")
    shutil.rmtree(lake.path("persons"))
    with pytest.raises(StoreError, match="damaged: got persons"):
        lake.snapshot().read("persons")
    with pytest.raises(StoreError, match="damaged: got persons"), lake.transaction():
        pass


@pytest.mark.parametrize("folder", ["lake", "a lake, đã cũ"])
def test_a_registry_of_an_older_version_grows_the_columns_that_came_later(tmp_path, folder):
    place = (tmp_path / folder, tmp_path / "vault")
    young = Lake(*place)
    old = Lake(*place)
    without = {name: dtype for name, dtype in TABLES["visits"].schema.items() if name != "lung_grade"}
    old.tables = {**old.tables, "visits": replace(TABLES["visits"], schema=without)}
    with old.transaction() as tx:
        tx.append("visits", pl.DataFrame({"visit_id": ["before"]}))
        tx.commit("ingest")
    assert young.snapshot().read("visits").select("visit_id", "lung_grade").rows() == [("before", None)]
    with young.transaction() as tx:
        tx.append("visits", pl.DataFrame({"visit_id": ["after"], "lung_grade": [3]}))
        tx.commit("ingest")
    found = young.snapshot().read("visits").sort("visit_id").select("visit_id", "lung_grade")
    assert found.rows() == [("after", 3), ("before", None)]
    assert young.snapshot(1).read("visits")["visit_id"].to_list() == ["before"]
    with young.transaction() as tx:
        tx.overwrite("visits", pl.DataFrame({"visit_id": ["new"], "lung_grade": [1]}))
        tx.commit("ingest")
    assert young.snapshot().read("visits").select("visit_id", "lung_grade").rows() == [("new", 1)]
