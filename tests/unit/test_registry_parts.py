"""A nation's visits do not fit into memory at once: taken in parts, they give what they give whole."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ncdsurv.registry import buckets, open_store, visits
from ncdsurv.registry.visits import visits_by_record, visits_in_parts
from ncdsurv.spells import LAYOUT
from ncdsurv.store.parts import parts_in
from tests.conftest import SAMPLES
from tests.registry_support import all_buckets, current_visits

MANY, FEW = 10**9, 50


@pytest.fixture(scope="module")
def files():
    return sorted((SAMPLES / "viettel").iterdir())[:3]


@pytest.fixture(scope="module")
def store(tmp_path_factory, files):
    """Three files of one station system."""
    store = open_store(tmp_path_factory.mktemp("parts") / "registry")
    store.ingest(files, source="viettel")
    return store


@pytest.fixture
def rows():
    return pl.DataFrame(
        {"part": [2, 0, 2, 1, 0, 2], "day": range(6), "place": ["a", "b", None, "d", "e", "f"]}
    )


@pytest.mark.parametrize("limit", [MANY, 4, 0])
def test_rows_come_back_by_part_whether_they_are_in_memory_or_on_disk(rows, tmp_path, limit):
    with parts_in(tmp_path, limit) as parts:
        parts.put(rows.head(3), "part")
        parts.put(rows.tail(3), "part")
        on_disk = list(tmp_path.rglob("*.arrows"))
        for number in (0, 1, 2):
            expected = rows.filter(pl.col("part") == number).drop("part")
            assert_frame_equal(parts.read(number), expected)
        assert_frame_equal(parts.read(7), rows.drop("part").clear())
    assert bool(on_disk) == (limit < rows.height)
    assert list(tmp_path.iterdir()) == []


def test_however_many_parts_there_are_one_file_is_open_at_a_time(tmp_path):
    many = pl.DataFrame({"part": list(range(300)) * 2, "day": range(600)})
    divisions = [parts_in(tmp_path, 0) for _ in range(2)]
    before = len(os.listdir("/proc/self/fd"))
    with divisions[0] as one, divisions[1] as other:
        for piece in many.iter_slices(200):
            for parts in (one, other):
                parts.put(piece, "part")
        assert len(list(tmp_path.rglob("*.arrows"))) == 600
        assert len(os.listdir("/proc/self/fd")) <= before + 1
        assert [part["day"].to_list() for part in other.all()] == [[day, day + 300] for day in range(300)]
        assert one.read(7)["day"].to_list() == [7, 307]
        one.put(pl.DataFrame({"part": [7], "day": [1000]}), "part")
        assert one.read(7)["day"].to_list() == [7, 307, 1000]
        assert len(os.listdir("/proc/self/fd")) <= before + 1


LINKED = """
import sys
from ncdsurv.registry import open_store, visits
visits.PART_ROWS = 8
print(open_store(sys.argv[1], key_file=sys.argv[2]).link()["persons"])
"""
FILES_AT_ONCE = 100


def test_linking_opens_no_more_files_where_there_are_more_parts(store, files, tmp_path):
    """A few visits are a part, and all were told again: two divisions stand at the same time."""
    few = open_store(tmp_path / "registry", key_file=store.vault.folder / "key")
    few.ingest(files, source="viettel")
    told = few.lake.snapshot().read("visits")
    assert told.height > 2 * FILES_AT_ONCE
    with few.lake.transaction() as tx:
        tx.append("visits", told.with_columns(pl.col("received") + 1))
        tx.commit("ingest")

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES_AT_ONCE, FILES_AT_ONCE))

    command = [sys.executable, "-c", LINKED, str(few.folder), str(store.vault.folder / "key")]
    package = {"PYTHONPATH": str(Path(visits.__file__).parents[2])}
    done = subprocess.run(
        command,
        env={**os.environ, **package},
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    store.link()
    assert int(done.stdout) == store.lake.snapshot().read("persons").height
    assert few.lake.snapshot().read("contacts").height == store.lake.snapshot().read("contacts").height


def test_visits_in_parts_are_the_visits_as_last_reported_each_once(store, tmp_path):
    snapshot = store.lake.snapshot()
    whole = current_visits(snapshot)
    with visits_in_parts(snapshot, tmp_path, FEW) as found:
        parts = list(found)
    assert len(parts) > 2
    assert_frame_equal(pl.concat(parts).sort("visit_id"), whole.sort("visit_id"))


def test_a_record_is_in_one_part_only_with_the_file_that_first_told_of_each_visit(store, tmp_path):
    snapshot = store.lake.snapshot()
    with visits_by_record(snapshot, tmp_path, FEW) as found:
        parts = list(found)
    assert len(parts) > 2
    whole = pl.concat(parts)
    assert sum(part["record_id"].n_unique() for part in parts) == whole["record_id"].n_unique()
    first = snapshot.read("visits").group_by("visit_id").agg(first_received=pl.col("received").min())
    assert_frame_equal(whole.select(first.columns).sort("visit_id"), first.sort("visit_id"))


def test_a_correction_wins_in_parts_as_it_does_whole(store, tmp_path):
    told = store.lake.snapshot().read("visits")
    # A correction stands in another row of another file, so nothing but the visit itself brings the two together.
    later = told.with_columns(
        pl.col("received") + 1,
        row_number=pl.col("row_number").reverse() + 1_000,
        sbp=pl.lit(199, told.schema["sbp"]),
    )
    both = pl.concat([later.head(20), told, later.tail(20)])

    class Told:
        def scan(self, _):
            return both.lazy()

    with visits_in_parts(Told(), tmp_path, FEW) as found:  # type: ignore[arg-type]
        last = pl.concat(list(found))
    corrected = pl.concat([later.head(20), later.tail(20)])["visit_id"]
    assert set(last.filter(pl.col("visit_id").is_in(corrected.implode()))["sbp"]) == {199}
    assert last.height == told["visit_id"].n_unique()


def test_a_nation_has_larger_parts_rather_than_more_of_them(store, monkeypatch):
    snapshot = store.lake.snapshot()
    held = snapshot.read("visits").height
    monkeypatch.setattr(visits, "PART_ROWS", 1)
    monkeypatch.setattr(visits, "MOST_PARTS", 10)
    assert visits.part_rows(snapshot) == -(-held // 10)
    monkeypatch.setattr(visits, "PART_ROWS", held)
    assert visits.part_rows(snapshot) == held


def test_a_registry_linked_in_parts_is_the_same_registry(store, files, tmp_path, monkeypatch):
    store.link()
    whole = store.lake.snapshot()
    monkeypatch.setattr(visits, "PART_ROWS", FEW)
    monkeypatch.setattr(buckets.assign_buckets, "__defaults__", (40,))
    divided = open_store(tmp_path / "registry", key_file=store.vault.folder / "key")
    divided.ingest(files, source="viettel")
    divided.link()
    state = divided.lake.snapshot()
    for name in ("persons", "residences", "crosswalk"):
        key = whole.scan(name).collect_schema().names()
        assert_frame_equal(state.read(name).sort(key), whole.read(name).sort(key))
    assert state.read("people")["bucket"].n_unique() > 2
    contacts = [name for name in LAYOUT["contacts"] if name != "person"]
    assert_frame_equal(
        state.read("contacts").select(contacts).sort(contacts),
        whole.read("contacts").select(contacts).sort(contacts),
    )
    assert not list(divided.folder.glob(".tmp-*"))


def test_a_bucket_laid_out_in_parts_of_its_people_is_the_bucket_laid_out_whole(
    store, files, tmp_path, monkeypatch
):
    """At first and when more records came; and no part has more visits than it may."""
    seen = []

    def noted(people, homes, links, diagnosed, told, *others):
        seen.append((told.height, told.join(links, on="record_id").group_by("person_id").len()["len"].max()))
        return original(people, homes, links, diagnosed, told, *others)

    original = buckets.bucket_layout
    store.link()
    whole = all_buckets(store.lake.snapshot())
    monkeypatch.setattr(buckets, "bucket_layout", noted)
    monkeypatch.setattr(visits, "PART_ROWS", FEW)
    divided = open_store(tmp_path / "registry", key_file=store.vault.folder / "key")
    for some in (files[:2], files[2:]):
        divided.ingest(some, source="viettel")
        divided.link()
    parts = all_buckets(divided.lake.snapshot())
    assert [bucket.tables().keys() for bucket in parts] == [bucket.tables().keys() for bucket in whole]
    for one, other in zip(parts, whole, strict=True):
        for name, frame in one.tables().items():
            assert_frame_equal(frame, getattr(other, name))
    assert len(seen) > 3 * len(whole)
    assert all(height <= FEW + (most or 0) for height, most in seen)


def test_corrections_alone_divide_the_bucket_they_come_to_and_no_other(store, files, tmp_path, monkeypatch):
    """Rows are counted as they were told; what is counted of them stays the same."""
    halved = open_store(tmp_path / "registry", key_file=store.vault.folder / "key")
    halved.ingest(files, source="viettel")
    told = halved.lake.snapshot().read("visits")
    monkeypatch.setitem(buckets.assign_buckets.__kwdefaults__, "most_visits", told.height // 2)
    halved.link()
    before, contacts = _buckets(halved), _contacts(halved)
    largest = before.group_by("bucket").len().sort("len")["bucket"][-1]
    theirs = before.filter(pl.col("bucket") == largest)["record_id"]
    assert before["bucket"].n_unique() > 1
    again = told.filter(pl.col("record_id").is_in(theirs.implode())).with_columns(pl.col("received") + 1)
    with halved.lake.transaction() as tx:
        tx.append("visits", again)
        tx.commit("ingest")
    halved.link()
    both = before.join(_buckets(halved), on="record_id", suffix="_now")
    assert both.filter(pl.col("bucket") == largest)["bucket_now"].n_unique() > 1
    others = both.filter(pl.col("bucket") != largest)
    assert others["bucket"].equals(others["bucket_now"].alias("bucket"))
    assert_frame_equal(_contacts(halved), contacts)


def _buckets(registry):
    """[record_id, bucket]: where the registry's records are laid out."""
    state = registry.lake.snapshot()
    people = state.read("people").select("person_id", "bucket")
    return (
        state.read("crosswalk")
        .select("record_id", "person_id")
        .join(people, on="person_id")
        .drop("person_id")
    )


def _contacts(registry):
    names = [name for name in LAYOUT["contacts"] if name != "person"]
    return registry.lake.snapshot().read("contacts").select(names).sort(names)
