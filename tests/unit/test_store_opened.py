"""A version of a table is opened once, and what is held of it is never taken for another."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import deltalake
import polars as pl
import pytest

from ncdsurv.errors import StoreError
from ncdsurv.store import Lake
from ncdsurv.store.opened import newest_version

DAMAGED = "do: restore the lake from a backup, or ingest the kept files anew"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", tmp_path / "vault")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tables that were opened, as they are."""
    names: list[str] = []
    whole = deltalake.DeltaTable.__init__

    def noted(self: Any, uri: Any, *words: Any, **more: Any) -> None:
        names.append(Path(uri).name)
        whole(self, uri, *words, **more)

    monkeypatch.setattr(deltalake.DeltaTable, "__init__", noted)
    return names


def persons(*ids: str) -> pl.DataFrame:
    return pl.DataFrame({"person_id": list(ids)})


def add(lake: Lake, table: str, frame: pl.DataFrame) -> None:
    with lake.transaction() as tx:
        tx.append(table, frame)
        tx.commit("ingest")


def ids(lake: Lake) -> list[str]:
    return lake.snapshot().read("persons")["person_id"].sort().to_list()


def entry(lake: Lake, table: str, version: int) -> Path:
    return lake.folder / table / "_delta_log" / f"{version:020d}.json"


def test_a_version_is_opened_once_however_often_it_is_read(lake: Lake, opened: list[str]) -> None:
    add(lake, "persons", persons("a"))
    reader = Lake(lake.folder, lake.vault)
    opened.clear()
    for _ in range(3):
        assert ids(reader) == ["a"]
    assert sorted(opened) == ["commits", "persons"]
    add(lake, "persons", persons("b"))
    opened.clear()
    assert ids(reader) == ["a", "b"]
    assert sorted(opened) == ["commits", "persons"]
    assert reader.snapshot(1).read("persons")["person_id"].to_list() == ["a"]


def test_the_newest_version_is_told_without_opening_the_table(lake: Lake, opened: list[str]) -> None:
    assert lake.at("persons").version() is None
    for name in ("a", "b", "c"):
        add(lake, "persons", persons(name))
    opened.clear()
    (entry(lake, "persons", 0).parent / "_commit_5f0c.json.tmp").write_text("", "utf-8")
    assert lake.at("persons").version() == 2
    assert opened == []
    lake.at("persons").opened().create_checkpoint()
    for version in range(3):
        entry(lake, "persons", version).unlink()
    assert lake.at("persons").version() == 2
    assert ids(lake) == ["a", "b", "c"]


def test_a_table_written_anew_under_the_same_number_is_not_the_one_that_is_held(lake: Lake) -> None:
    with lake.transaction() as tx:  # dies before its commit
        tx.append("persons", persons("lost"))
        assert tx.scan("persons").collect()["person_id"].to_list() == ["lost"]
    add(Lake(lake.folder, lake.vault), "persons", persons("kept"))  # another process
    assert lake.snapshot().versions["persons"] == 0
    assert ids(lake) == ["kept"]


def test_a_frame_read_later_is_of_its_own_state(lake: Lake) -> None:
    add(lake, "persons", persons("a"))
    before = lake.snapshot()
    frame = before.scan("persons")
    with lake.transaction() as tx:
        tx.overwrite("persons", persons("z"))
        assert tx.scan("persons").collect()["person_id"].to_list() == ["z"]
        assert frame.collect()["person_id"].to_list() == ["a"]
        tx.append("persons", persons("y"))
        tx.commit("link")
    assert frame.collect()["person_id"].to_list() == before.read("persons")["person_id"].to_list() == ["a"]
    assert ids(lake) == ["y", "z"]


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


@pytest.mark.parametrize("harm", [_half, Path.unlink])
def test_a_log_that_cannot_be_read_is_told_by_the_table_alone(
    lake: Lake, harm: Callable[[Path], Any]
) -> None:
    for name in ("a", "b", "c"):
        add(lake, "persons", persons(name))
    harm(entry(lake, "persons", 1))
    lake = Lake(lake.folder, lake.vault)  # the one that wrote holds what it wrote
    with pytest.raises(StoreError) as caught:
        ids(lake)
    assert str(caught.value) == f"a table of the registry is damaged: got persons, version 2; {DAMAGED}"
    with lake.transaction() as tx, pytest.raises(StoreError, match="^a table of the registry is damaged"):
        tx.append("persons", persons("d"))


def _emptied(lake: Lake, table: str, version: int) -> Path:
    path = entry(lake, table, version)
    path.write_bytes(b"")
    return path


@pytest.mark.parametrize("version", [0, 1, 2])
def test_an_entry_that_lost_its_content_is_not_taken_for_one_that_changed_nothing(
    lake: Lake, version: int
) -> None:
    for name in ("a", "b", "c"):
        add(lake, "persons", persons(name))
    _emptied(lake, "persons", version)
    for reader in (Lake(lake.folder, lake.vault), Lake(lake.folder, lake.vault)):
        with pytest.raises(StoreError) as caught:
            ids(reader)
        assert str(caught.value) == f"a table of the registry is damaged: got persons, version 2; {DAMAGED}"
        with pytest.raises(StoreError, match="^a table of the registry is damaged"):
            add(reader, "persons", persons("d"))
    assert newest_version(path.name for path in entry(lake, "persons", 0).parent.iterdir()) == 2


def test_the_newest_entry_without_content_is_told_by_whoever_asks_for_it(lake: Lake) -> None:
    for name in ("a", "b", "c"):
        add(lake, "persons", persons(name))
    assert ids(lake) == ["a", "b", "c"]
    _emptied(lake, "persons", 2)
    for ask in (lake.at("persons").version, lake.at("persons").opened, lambda: ids(lake)):
        with pytest.raises(StoreError) as caught:
            ask()
        assert str(caught.value) == f"a table of the registry is damaged: got persons, version 2; {DAMAGED}"
    assert lake.snapshot(2).read("persons").height == 2  # of which that entry says nothing


def test_a_commit_that_lost_its_content_is_no_step_back(lake: Lake) -> None:
    for name in ("a", "b", "c"):
        add(lake, "persons", persons(name))
    before = _emptied(lake, "commits", 2)
    for reader in (lake, Lake(lake.folder, lake.vault)):
        with pytest.raises(StoreError) as caught:
            reader.snapshot()
        assert str(caught.value) == f"a table of the registry is damaged: got commits, version 2; {DAMAGED}"
        with pytest.raises(StoreError, match="damaged: got commits"):
            add(reader, "persons", persons("d"))
    assert before.read_bytes() == b""
    assert not entry(lake, "commits", 3).exists()


def test_what_stands_before_a_checkpoint_may_be_gone_or_empty(lake: Lake) -> None:
    for name in ("a", "b", "c"):
        add(lake, "persons", persons(name))
    lake.at("persons").opened().create_checkpoint()
    add(lake, "persons", persons("d"))
    for version in (0, 1):
        _emptied(lake, "persons", version)
    assert ids(Lake(lake.folder, lake.vault)) == ["a", "b", "c", "d"]
    _emptied(lake, "persons", 3)
    with pytest.raises(StoreError, match="damaged: got persons, version 3"):
        ids(Lake(lake.folder, lake.vault))


@pytest.mark.parametrize("empty", [[1], [2], [1, 2]])
def test_what_a_power_cut_emptied_of_an_interrupted_batch_is_taken_back(lake: Lake, empty: list[int]) -> None:
    """Only a commit is flushed: entries that no commit names may come back from the disk without content."""
    add(lake, "persons", persons("a"))
    with lake.transaction() as tx:
        tx.append("persons", persons("lost"))
        tx.append("persons", persons("too"))
    for version in empty:
        _emptied(lake, "persons", version)
    assert ids(lake) == ["a"]
    add(lake, "persons", persons("b"))
    for reader in (lake, Lake(lake.folder, lake.vault)):
        assert ids(reader) == ["a", "b"]
        assert reader.snapshot(1).read("persons")["person_id"].to_list() == ["a"]


def test_what_a_checkpoint_tells_of_an_interrupted_batch_is_not_taken_apart(lake: Lake) -> None:
    add(lake, "persons", persons("a"))
    with lake.transaction() as tx:
        tx.append("persons", persons("lost"))
    lake.at("persons").opened().create_checkpoint()
    left = _emptied(lake, "persons", 1)
    with pytest.raises(StoreError, match="damaged: got persons, version 1"), lake.transaction():
        pass
    assert left.exists()
    assert ids(lake) == ["a"]


def test_an_entry_that_no_commit_names_harms_writers_and_no_reader(lake: Lake) -> None:
    add(lake, "persons", persons("a"))
    with lake.transaction() as tx:
        tx.append("persons", persons("lost"))
    _half(entry(lake, "persons", 1))
    assert ids(lake) == ["a"]
    with pytest.raises(StoreError, match="^a table of the registry is damaged"), lake.transaction():
        pass


@pytest.mark.parametrize(
    ("table", "parts", "wanted"),
    [
        ("people", [{"bucket": [0], "place": [0]}, {"bucket": [1], "place": [0]}], pl.col("bucket") == 1),
        ("ingest_log", [{"received": [1]}, {"received": [2]}], pl.col("received") == 2),
    ],
)
def test_files_are_skipped_by_what_the_log_tells_of_them(
    lake: Lake, table: str, parts: list[dict[str, list[int]]], wanted: pl.Expr
) -> None:
    first = set[Path]()
    for part in parts:
        add(lake, table, pl.DataFrame(part))
        first = first or set(lake.path(table).rglob("*.parquet"))
    frame = lake.snapshot().scan(table).filter(wanted)
    assert frame.collect().height == 1
    for path in first:
        path.unlink()
    assert frame.collect().height == 1
    assert lake.snapshot().scan(table).filter(wanted).collect().height == 1


def test_a_registry_reached_through_a_plain_name_of_a_folder_with_an_odd_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "Sổ đăng ký"
    odd.mkdir()
    monkeypatch.chdir(odd)
    here = Lake(Path("lake"), Path("vault"))
    add(here, "persons", persons("a"))
    assert ids(here) == ["a"]
    plain = tmp_path / "plain"
    plain.symlink_to(odd)
    assert ids(Lake(plain / "lake", plain / "vault")) == ["a"]
    shutil.rmtree(odd / "lake" / "persons")
    with pytest.raises(StoreError, match="damaged: got persons"):
        ids(Lake(plain / "lake", plain / "vault"))
