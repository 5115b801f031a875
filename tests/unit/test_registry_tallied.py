"""The kept tally holds pseudonyms: a new key removes it, and others cannot read it."""

from __future__ import annotations

import polars as pl
import pytest

from ncdsurv.registry import open_store
from ncdsurv.registry.tallied import LATEST, Tallied, folder_of
from ncdsurv.registry.tally import ACTIVITY, KEPT
from tests.conftest import SAMPLES


def keep(store, by: str = "these definitions"):
    cache = Tallied(store, by)
    told = pl.DataFrame({"facility": ["79001"], "month": ["2026-05"], "n": [3]})
    reading = pl.DataFrame({"record_id": ["r1"]})
    with cache.keeping(5, 2, {"rows": {}}) as keeper:
        keeper.readings(reading)
        tally = {"one": told.with_columns(reading=1.5), "two": told, KEPT: told, ACTIVITY: told}
        keeper.finish(tally, told, told)
    return cache, tally


def test_what_was_kept_is_read_again_frame_by_frame(tmp_path):
    cache, tally = keep(open_store(tmp_path))
    found = cache.read()
    assert found is not None
    assert (found.month, found.received, found.state) == (5, 2, {"rows": {}})
    assert found.tally.keys() == tally.keys()
    assert all(found.tally[name].equals(frame) for name, frame in tally.items())
    assert found.last_readings().collect()["record_id"].to_list() == ["r1"]


def test_one_tally_is_kept_and_nobody_else_reads_it(tmp_path):
    store = open_store(tmp_path)
    keep(store)
    cache, _ = keep(store, "other definitions")
    (entry,) = (path for path in folder_of(store).iterdir() if path.is_dir())
    assert entry.stat().st_mode & 0o077 == 0
    assert Tallied(store, "these definitions").read() is None
    assert cache.read() is not None


def test_whoever_writes_sweeps_what_no_build_can_go_on_from_and_leaves_what_the_last_one_kept(tmp_path):
    store = open_store(tmp_path)
    with store.writing():
        assert not folder_of(store).exists()
    cache, _ = keep(store)
    (kept,) = (path.name for path in folder_of(store).iterdir() if path.is_dir())
    for left in (".tmp-half", "0123456789abcdef"):  # killed before, and after, it had its name
        (folder_of(store) / left).mkdir()
        (folder_of(store) / left / "visitors.arrow").write_bytes(b"rows")
    with store.writing():
        assert {path.name for path in folder_of(store).iterdir()} == {kept, LATEST}
    assert cache.read() is not None


@pytest.mark.parametrize("harm", ["{", "[]", None], ids=["nonsense", "other words", "gone"])
def test_a_tally_that_nothing_names_is_swept_for_it_is_never_read(tmp_path, harm):
    store = open_store(tmp_path)
    keep(store)
    latest = folder_of(store) / LATEST
    latest.unlink() if harm is None else latest.write_text(harm, encoding="utf-8")
    with store.writing():
        assert [path for path in folder_of(store).iterdir() if path.is_dir()] == []


def test_a_new_key_removes_it(tmp_path):
    store = open_store(tmp_path / "registry")
    store.ingest(sorted((SAMPLES / "viettel").iterdir())[0], source="viettel")
    keep(store)
    store.rotate_key()
    assert not folder_of(store).exists()
