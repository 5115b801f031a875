"""The kept tally holds pseudonyms: a new key removes it, and others cannot read it."""

from __future__ import annotations

import polars as pl

from ncdsurv.registry import open_store
from ncdsurv.registry.tallied import Tallied, folder_of
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


def test_a_tally_that_broke_off_leaves_the_one_before_and_is_swept(tmp_path):
    store = open_store(tmp_path)
    cache, _ = keep(store)
    (folder_of(store) / ".tmp-half").mkdir()
    Tallied(store, "these definitions")
    assert not list(folder_of(store).glob(".tmp-*"))
    assert cache.read() is not None


def test_a_new_key_removes_it(tmp_path):
    store = open_store(tmp_path / "registry")
    store.ingest(sorted((SAMPLES / "viettel").iterdir())[0], source="viettel")
    keep(store)
    store.rotate_key()
    assert not folder_of(store).exists()
