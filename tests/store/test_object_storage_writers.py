"""Writers of a registry on S3: killed in the middle, two at a time, on a machine without the vault."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ncdsurv.errors import StoreError, UsageError
from ncdsurv.registry import Store, open_store
from tests.cluster.conftest import AS_OF, MONTHS, environment, hashes
from tests.conftest import ROOT
from tests.store.conftest import FILES, objects_under

KILLED = """
import os, signal, sys
from ncdsurv.registry import open_store
from ncdsurv.store.delta_objects import ObjectTable
from ncdsurv.store.objects import Objects
from tests.few_definitions import few_indicators

place, verb, at = sys.argv[1], sys.argv[2], int(sys.argv[3])
done = 0

def deadly(cls, name):
    whole = getattr(cls, name)
    def step(self, *words, **more):
        global done
        if done == at:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        return whole(self, *words, **more)
    setattr(cls, name, step)

store = open_store(place)
if verb == "ingest":
    deadly(ObjectTable, "write")
    store.ingest(sys.argv[4], source="viettel")
else:
    deadly(Objects, "put")
    deadly(Objects, "put_new")
    with few_indicators():
        store.build_release(sys.argv[4], int(sys.argv[5]))
"""


def killed(*words: str) -> None:
    """Run a writer that kills itself before one of its writes."""
    done = subprocess.run([sys.executable, "-c", KILLED, *words], cwd=ROOT, env=environment(), check=False)
    assert done.returncode == -signal.SIGKILL


def rows(store: Store) -> dict[str, int]:
    snapshot = store.lake.snapshot()
    return {name: snapshot.read(name).height for name in ("patients", "visits", "identifiers", "ingest_log")}


@pytest.mark.parametrize(("before", "last"), [("nothing", "7"), ("a file", "4")])
def test_a_writer_killed_in_the_middle_of_an_ingest_leaves_nothing_and_the_rerun_completes(
    s3: str, tmp_path: Path, before: str, last: str
) -> None:
    store, disk = open_store(s3), open_store(tmp_path / "disk")
    if before == "a file":
        for each in (store, disk):
            each.ingest(FILES[0], source="viettel")
    seen, number = rows(store), store.lake.snapshot().number
    disk.ingest(FILES[1], source="viettel")
    for at in ("2", last):
        killed(s3, "ingest", at, str(FILES[1]))
        assert store.lake.snapshot().number == number
        assert rows(store) == seen
    store.ingest(FILES[1], source="viettel")
    assert rows(store) == rows(disk)
    assert store.link() == disk.link()


def test_a_writer_killed_while_it_publishes_leaves_no_release_and_the_rerun_completes(
    s3: str, tmp_path: Path, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NCDSURV_KEY_FILE", str(tmp_path / "key"))
    store, disk = open_store(s3), open_store(tmp_path / "disk")
    for each in (store, disk):
        each.ingest(FILES, source="viettel")
    store.link()
    single = disk.build_release(AS_OF, MONTHS)
    monkeypatch.setenv("NCDSURV_LOCAL", str(tmp_path / "here"))
    reader = open_store(s3, local=tmp_path / "reader").releases
    asked = 1  # whether the storage writes over what exists
    for puts in (3, len(single.manifest["files"])):  # in the middle; before the manifest
        killed(s3, "build", str(asked + puts), AS_OF, str(MONTHS))
        left = [name for name in objects_under(s3) if name.startswith("releases/")]
        assert len(left) == puts
        assert reader.ids() == []
        with pytest.raises(StoreError, match="^the registry has no release: do: build one"):
            reader.latest()
        with pytest.raises(UsageError, match="^unknown release"):
            reader.open(single.id)
    release = store.build_release(AS_OF, MONTHS)
    assert reader.ids() == [single.id]
    assert hashes(reader.latest().folder) == hashes(release.folder) == hashes(single.folder)


def test_a_second_writer_of_the_same_folder_is_refused(s3: str) -> None:
    store = open_store(s3)
    with store.writing(), pytest.raises(StoreError) as caught:
        open_store(s3).ingest(FILES, source="viettel")
    assert str(caught.value) == (
        "the registry is being written by another process: got here; "
        "do: wait until it has finished; nothing was changed"
    )


def test_a_machine_without_the_vault_may_not_write(s3: str, tmp_path: Path) -> None:
    store = open_store(s3)
    store.ingest(FILES, source="viettel")
    key_id = store.lake.snapshot().key_id
    other = open_store(s3, local=tmp_path / "other")
    for write in (
        lambda: other.ingest(FILES, source="viettel"),
        other.link,
        lambda: other.build_release(AS_OF),
    ):
        with pytest.raises(StoreError) as caught:
            write()
        assert str(caught.value) == (
            f"the key of this registry is missing: got key (absent); allowed: key {key_id}; "
            "do: give its file in NCDSURV_KEY_FILE or restore vault/key from a backup"
        )


def test_two_machines_with_one_vault_cannot_both_commit(s3: str, tmp_path: Path) -> None:
    first = open_store(s3)
    first.ingest(FILES[0], source="viettel")
    shutil.copytree(tmp_path / "here", tmp_path / "copy")
    second = open_store(s3, local=tmp_path / "copy")
    with first.lake.transaction() as here, second.lake.transaction() as there:
        log = here.scan("ingest_log").collect()
        people = here.scan("identifiers").collect()
        here.append("ingest_log", log)
        here.append("identifiers", people)
        there.append("identifiers", people.head(1))
        with pytest.raises(StoreError) as caught:
            there.append("ingest_log", log)
        told = "the registry was written by another process meanwhile"
        do = "run the command again; nothing of this run was kept"
        assert str(caught.value) == f"{told}: got {s3}; do: {do}"
        here.commit("first")
        with pytest.raises(StoreError) as caught:
            there.commit("second")
        assert str(caught.value) == f"{told}: got {s3}; do: {do}"
    assert first.lake.commits()["kind"].to_list() == ["ingest", "first"]
    with pytest.raises(StoreError) as caught:
        second.ingest(FILES[1], source="viettel")
    assert str(caught.value) == (
        "the vault on this machine is not the one that this registry was last written with: "
        f"got {tmp_path / 'copy' / 'vault'}; "
        "do: bring the folder of the machine that wrote last; nothing was changed"
    )
    assert first.ingest(FILES[1], source="viettel").kept


def test_two_first_writers_cannot_both_begin(s3: str, tmp_path: Path) -> None:
    first, second = open_store(s3), open_store(s3, local=tmp_path / "other")
    with second.lake.transaction() as there:
        first.ingest(FILES[0], source="viettel")
        log = first.lake.snapshot().read("ingest_log")
        with pytest.raises(StoreError, match="^the registry was written by another process meanwhile"):
            there.append("ingest_log", log)
        with pytest.raises(StoreError, match="^the registry was written by another process meanwhile"):
            there.commit("second")
    assert first.lake.commits()["kind"].to_list() == ["ingest"]


def test_what_the_environment_allows_does_not_let_two_commits_through(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_S3_ALLOW_UNSAFE_RENAME", "true")
    test_two_first_writers_cannot_both_begin(s3, tmp_path)
