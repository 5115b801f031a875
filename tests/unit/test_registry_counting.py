"""Builds that go on from the last one: the same bytes, less work; and a cache that may vanish at any time."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.registry import buckets, build, counting, increment, linking, open_store
from ncdsurv.registry.assemble import write_measures
from ncdsurv.registry.cells import ORDER, add, subtract
from ncdsurv.registry.linking import last_laid
from ncdsurv.spells import LAYOUT
from tests.conftest import SAMPLES

BEFORE, NOW, MONTHS = "2026-05", "2026-06", 3
PUBLISHED = (
    "measures.parquet",
    "values.parquet",
    "facilities.parquet",
    "sensitivity.parquet",
    "quality.parquet",
)


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    """With the kernel at hand small buckets are counted by it too: many times quicker."""
    pytest.importorskip("numba")
    import ncdsurv.spells.kernel  # noqa: F401


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A registry of several buckets, built a month ago, that has got more files since; and what it was built by."""
    patch = pytest.MonkeyPatch()
    patch.setattr(buckets.assign_buckets, "__defaults__", (40,))
    folder = tmp_path_factory.mktemp("grown") / "registry"
    store = open_store(folder)
    files = sorted((SAMPLES / "viettel").iterdir())
    store.ingest(files[:2], source="viettel")
    store.build_release(BEFORE, MONTHS)
    before = last_laid(store)["buckets"]
    store.ingest(files[2:3], source="viettel")
    yield folder, before
    patch.undo()


@pytest.fixture
def registry(grown, tmp_path):
    """A copy of it, to build in."""
    return Path(shutil.copytree(grown[0], tmp_path / "registry"))


def hashes(release) -> dict[str, str]:
    return {name: hashlib.sha256((release.folder / name).read_bytes()).hexdigest() for name in PUBLISHED}


def test_a_month_later_only_what_changed_is_laid_out_and_counted_and_the_bytes_are_those_of_a_full_build(
    grown, registry, whole, monkeypatch
):
    _, before = grown
    laid, anew, on = [], [], []
    monkeypatch.setattr(buckets, "bucket_layout", _noting(laid, buckets.bucket_layout))
    monkeypatch.setattr(counting, "answer", _noting(anew, counting.answer))
    monkeypatch.setattr(increment, "grown", _noting(on, increment.grown))
    store = open_store(registry)
    release = store.build_release(NOW, MONTHS)
    after = last_laid(store)["buckets"]
    untouched = [number for number, digest in before.items() if after.get(number) == digest]
    assert untouched
    assert len(laid) == len(after) - len(untouched) > 0
    assert len(on) >= len(untouched)  # every bucket that was counted before is counted on
    assert len(on) + len(anew) == len(after)
    assert hashes(release) == whole


@pytest.mark.parametrize("proven", [True, False], ids=["proven", "not proven"])
def test_only_visits_of_buckets_that_a_new_file_speaks_of_are_read_where_the_others_are_proven_to_be_as_they_were(
    grown, registry, tmp_path, monkeypatch, proven
):
    _, before = grown
    asked = []

    def noted(snapshot, store, records, *others, whole):
        asked.append((set(records["bucket"]), whole))
        return divide(snapshot, store, records, *others, whole=whole)

    divide = linking._divide
    monkeypatch.setattr(linking, "_divide", noted)
    monkeypatch.setattr(linking, "MOST_ASKED", 1.0)
    anew = open_store(shutil.copytree(registry, tmp_path / "anew"))
    with monkeypatch.context() as patch:
        patch.setattr(linking, "last_laid", lambda store: {})
        anew.link()
    if not proven:
        monkeypatch.setattr(linking, "only_files_came", lambda *_: False)
    store = open_store(registry)
    store.link()
    after = last_laid(store)["buckets"]
    assert after == last_laid(anew)["buckets"]
    changed = {int(number) for number, digest in after.items() if before.get(number) != digest}
    every = {int(number) for number in after}
    assert changed < every
    assert asked == [(every, False), (changed if proven else every, False)]
    for name in LAYOUT:
        one, other = (each.lake.snapshot().read(name).sort("bucket", "place") for each in (store, anew))
        assert one.equals(other)


def _noting(calls, original):
    def noted(*arguments, **named):
        calls.append(arguments)
        return original(*arguments, **named)

    return noted


@pytest.fixture(scope="module")
def whole(grown, tmp_path_factory) -> dict[str, str]:
    """The hashes of a full build: nothing counted or built before."""
    copy = Path(shutil.copytree(grown[0], tmp_path_factory.mktemp("whole") / "registry"))
    for name in ("counted", "releases"):
        shutil.rmtree(copy / name)
    return hashes(open_store(copy).build_release(NOW, MONTHS))


def test_a_build_that_broke_off_goes_on_where_it_stopped(registry, monkeypatch):
    store = open_store(registry)
    shutil.rmtree(registry / "counted")
    counted = []

    def third_fails(bucket, question):
        counted.append(bucket)
        if len(counted) == 3:
            raise OSError(28, "No space left on device")
        return original(bucket, question)

    original = counting.answer
    monkeypatch.setattr(counting, "THREADS", 1)
    monkeypatch.setattr(counting, "answer", third_fails)
    with pytest.raises(Exception, match="No space left on device"):
        store.build_release(NOW, MONTHS)
    assert store.releases.ids() == [name for name in store.releases.ids() if name.startswith(BEFORE)]
    begun = len(counted)
    store.build_release(NOW, MONTHS)
    assert len(counted) - begun == len(last_laid(store)["buckets"]) - 2


@pytest.mark.parametrize(
    "harm", ["gone", "no latest", "nonsense", "other words", "an entry lost", "truncated", "carry zeroed"]
)
def test_the_cache_may_be_harmed_in_any_way(registry, harm, whole):
    folder = registry / "counted"
    if harm == "gone":
        shutil.rmtree(folder)
    elif harm == "no latest":
        (folder / "latest.json").unlink()
    elif harm == "nonsense":
        (folder / "latest.json").write_text("{", encoding="utf-8")
    elif harm == "other words":
        (folder / "latest.json").write_text("[1]", encoding="utf-8")
    elif harm == "truncated":
        for path in folder.glob("*/past.arrow"):
            path.write_bytes(path.read_bytes()[:-40])
    elif harm == "carry zeroed":  # as a disk may: no file is shorter, and mapped numbers are believed
        for path in folder.glob("*/*.carry.arrow"):
            content = bytearray(path.read_bytes())
            content[len(content) // 4 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 4)
            path.write_bytes(content)
    else:
        shutil.rmtree(next(path for path in folder.iterdir() if path.is_dir()))
    release = open_store(registry).build_release(NOW, MONTHS)
    assert hashes(release) == whole
    measures = release.measures().collect()
    cell = [name for name in ORDER if name in measures.columns]
    assert not measures.select(cell).is_duplicated().any()
    assert measures.equals(measures.sort(cell))


def test_an_entry_of_this_build_that_was_cut_off_is_counted_again(registry, whole, monkeypatch):
    store = open_store(registry)
    original = build.write_measures
    monkeypatch.setattr(build, "write_measures", _fails)
    with pytest.raises(Exception, match="No space left on device"):
        store.build_release(NOW, MONTHS)
    monkeypatch.setattr(build, "write_measures", original)
    for path in (registry / "counted").glob("*/measures.cells.arrow"):
        path.write_bytes(path.read_bytes()[:-40])
    assert hashes(store.build_release(NOW, MONTHS)) == whole


def _fails(*_, **__):
    raise OSError(28, "No space left on device")


def test_the_cache_holds_no_pseudonym(grown):
    folder, _ = grown
    store = open_store(folder)
    ids = store.lake.snapshot().read("persons")["person_id"].to_list()
    files = [path for path in (folder / "counted").rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert len(files) > 3
    assert ids
    assert not any(person.encode() in content for person in ids)


class Kept:
    """Counts of buckets in a folder, in the place of the cache."""

    def __init__(self, folder: Path, counts: dict[int, pl.DataFrame]) -> None:
        self.folder = folder
        for number, frame in counts.items():
            frame.write_ipc(folder / f"{number}.arrow")

    def cells_file(self, number: int, name: str) -> Path:
        return self.folder / f"{number}.arrow"


def test_people_who_moved_are_added_to_the_bucket_of_their_place(tmp_path):
    def counts(rows):
        return pl.DataFrame(
            rows, schema={"atom": pl.Int32, "month": pl.Int32, "seen": pl.Int32}, orient="row"
        )

    kept = Kept(
        tmp_path,
        {
            4: counts([(2, 1, 1), (4, 1, 5), (9, 1, 2)]),
            8: counts([(5, 1, 3), (8, 2, 1), (9, 1, 4)]),
        },
    )
    rows = write_measures(tmp_path / "measures.parquet", kept, [4, 8], "measures")
    found = pl.read_parquet(tmp_path / "measures.parquet")
    # 2 lies before every bucket and belongs to the first; 9 was counted in both.
    assert found.rows() == [(2, 1, 1), (4, 1, 5), (5, 1, 3), (8, 2, 1), (9, 1, 6)]
    assert rows == 5
    import pyarrow.parquet as pq

    assert pq.ParquetFile(tmp_path / "measures.parquet").num_row_groups == 2


def test_the_last_count_of_a_cell_taken_away_leaves_no_row():
    counts = pl.DataFrame({"atom": [1, 2], "month": [1, 1], "seen": [3, 4], "treated": [0, 1]})
    assert subtract(counts, counts.head(1)).rows() == [(2, 1, 4, 1)]
    assert add([counts.reverse()]).rows() == counts.rows()
