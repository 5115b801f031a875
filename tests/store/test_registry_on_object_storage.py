"""A registry on S3, spoken by a local server: the same release bytes as on a disk, and nobody's name in the bucket."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.cli import run
from ncdsurv.registry import Store, buckets, open_store
from ncdsurv.reports import run_reports
from ncdsurv.store import Lake, Release, compare
from tests.cluster.conftest import AS_OF, MONTHS, Hosts, hashes
from tests.conftest import SAMPLES
from tests.faults.harness import small_pack
from tests.store.conftest import SECRET, fresh_address, objects_under, storage

BEFORE = "2026-05"
FILES = sorted((SAMPLES / "viettel").iterdir())[:3]
NAMING = ("name", "name_key", "citizen_id", "insurance_number", "phone", "address")
YEAR = 13  # months: a report compares with the year before
COMMITS = 12  # more than lie between two checkpoints of a log
SHORTEST = 6  # letters of a name or number that is looked for; fewer may stand anywhere by chance


def contents(release: Release) -> dict[str, Any]:
    """Every file of a release, without the moment it was made at."""
    found: dict[str, Any] = {path.name: path.read_bytes() for path in sorted(release.folder.iterdir())}
    told = json.loads(found.pop("manifest.json"))
    return {**found, "manifest": {name: what for name, what in told.items() if name != "created_at"}}


def cells(name: str, content: bytes) -> str:
    """What stands in the cells of a table, each text once; nothing for an object that is none."""
    if not name.endswith(".parquet"):
        return ""
    table = pl.read_parquet(io.BytesIO(content)).cast(pl.String, strict=False)
    return "\n".join(text for column in table for text in column.drop_nulls().unique())


def filled(store: Store) -> Store:
    store.ingest(FILES[:2], source="viettel")
    store.link()
    return store


@pytest.fixture(scope="module")
def published(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A registry on S3 with two releases, to read from; its address is in the environment until the module ends."""
    with pytest.MonkeyPatch.context() as patch:
        here = tmp_path_factory.mktemp("published") / "here"
        store = filled(open_store(fresh_address(server, here, patch)))
        for month in (BEFORE, AS_OF):
            store.build_release(month, MONTHS)
        yield store


@pytest.fixture
def divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small buckets, also for few people."""
    monkeypatch.setattr(buckets.assign_buckets, "__defaults__", (12,))


def test_a_release_is_the_same_bytes_as_on_a_disk_month_after_month(s3: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    disk, there = open_store(tmp_path / "disk", key), open_store(s3, key)
    assert repr(there) == f"Store('{s3}')"
    for store in (disk, there):
        filled(store)
    before = [store.build_release(BEFORE, MONTHS) for store in (disk, there)]
    assert contents(before[0]) == contents(before[1])
    assert before[1].id == before[0].id
    for store in (disk, there):
        store.ingest(FILES[2], source="viettel")
    after = [store.build_release(AS_OF, MONTHS) for store in (disk, there)]
    assert contents(after[0]) == contents(after[1])
    assert there.releases.ids() == disk.releases.ids() == [before[0].id, after[0].id]
    made = after[1].manifest["created_at"]
    assert there.build_release(AS_OF, MONTHS).manifest["created_at"] == made
    old = open_store(s3, key).lake.snapshot(1)
    assert old.read("visits").height < open_store(s3, key).lake.snapshot().read("visits").height


def test_nothing_that_names_a_person_is_in_the_bucket(published: Store) -> None:
    identifiers = published.lake.snapshot().read("identifiers")
    words = {word for name in NAMING for word in identifiers[name].drop_nulls() if len(word) >= SHORTEST}
    assert len(words) > identifiers["record_id"].n_unique()
    key = published.vault.key_file.read_text("ascii").strip()
    found = objects_under(str(published.place))
    assert {name.split("/")[0] for name in found} == {"registry.json", "lake", "releases"}
    for name, content in found.items():
        text = content.decode("utf-8", errors="replace") + cells(name, content)
        assert not [word for word in {*words, key, SECRET} if word in text], name


def test_what_stands_in_the_bucket_is_found(published: Store) -> None:
    """The search of the test before sees what a table in the bucket holds."""
    word = published.lake.snapshot().read("patients")["record_id"][0]
    found = objects_under(str(published.place))
    assert [name for name, content in found.items() if word in cells(name, content)]


def test_another_machine_reads_what_was_published(
    published: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    s3 = str(published.place)
    first, second = map(published.releases.open, published.releases.ids())
    there = tmp_path / "another"
    monkeypatch.setenv("NCDSURV_LOCAL", str(there))
    read = ns.open_store(s3 + "/").releases.latest()
    assert read.id == second.id
    assert read.folder.is_relative_to(there)
    assert contents(read) == contents(second)
    read.verify()
    assert read.values("control_rate").equals(second.values("control_rate"))
    assert compare(first, second, level="province").height
    place = ["--store", s3]
    assert run(["release", "list", *place]) == 0
    assert first.id in capsys.readouterr().out
    assert run(["release", "diff", first.id, "latest", "--json", *place]) == 0
    assert len(json.loads(capsys.readouterr().out)) == compare(first, second, level="province").height
    assert run(["release", "show", first.id, *place]) == 0
    assert json.loads(capsys.readouterr().out) == first.manifest
    assert run(["release", "show", first.id[:-1] + "x", *place]) == 2
    assert f"try {first.id}" in capsys.readouterr().err
    out = tmp_path / "form.xlsx"
    words = ["--area", "08", "--period", AS_OF, "--out", str(out)]
    assert run(["form", "tt23_2025", *words, *place]) == 0
    assert out.read_bytes().startswith(b"PK")
    assert run(["doctor", *place]) == 0
    assert f"releases: 2, latest {second.id}" in capsys.readouterr().out
    assert not (there / "vault").exists()
    assert {path.name for path in there.iterdir()} == {"releases"}


def test_a_release_that_was_changed_on_the_storage_is_not_read(published: Store, tmp_path: Path) -> None:
    s3, release = str(published.place), published.releases.latest()
    digest = release.manifest["files"]["values.parquet"]["sha256"]
    name, content = next(item for item in objects_under(s3).items() if sha256(item[1]).hexdigest() == digest)
    path = f"{s3.removeprefix('s3://')}/{name}"
    reader = open_store(s3, local=tmp_path / "another").releases
    try:
        with storage().open_output_stream(path) as out:
            out.write(b"other numbers")
        assert open_store(s3).releases.latest().id == release.id  # the copy made before is whole
        with pytest.raises(ns.NcdsurvError) as caught:
            reader.latest()
    finally:
        with storage().open_output_stream(path) as out:
            out.write(content)
    told = f"a release was changed: got {release.id}/values.parquet; do: restore it from a backup"
    assert str(caught.value) == told
    assert not list((tmp_path / "another" / "releases").iterdir())
    assert contents(reader.latest()) == contents(release)


def test_a_cluster_counts_the_registry_of_the_storage(
    s3: str, hosts: Hosts, divided: None, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    single = filled(open_store(tmp_path / "disk", key)).build_release(AS_OF, MONTHS)
    hosts.start_worker(**os.environ)
    hosts.start_worker(**os.environ)
    hosts.wait_for(2)
    store = filled(open_store(s3, key))
    assert len(buckets.Buckets(store.lake.snapshot()).numbers) > 1
    release = store.build_release(AS_OF, MONTHS, scheduler=hosts.address)
    assert hashes(release.folder) == hashes(single.folder)
    logs = "".join(path.read_text("utf-8") for path in hosts.folder.glob("log*.txt"))
    assert "Starting established connection" in logs
    assert SECRET not in logs
    assert not [name for name in objects_under(s3) if name.startswith("exchange/")]
    assert not (store.folder / "exchange").exists()


def test_reference_packs_go_with_the_registry(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (small_pack(tmp_path / f"pack{n}", n) for n in (1000, 2000))
    writer, reader = open_store(s3), open_store(s3, local=tmp_path / "reader")
    assert reader.packs == []
    seen = []
    for pack in (first, second, second):
        added = writer.add_reference(pack)
        assert sorted(path.name for path in added.iterdir()) == ["pack.toml", "population.csv"]
        assert [path.name for path in reader.packs] == [added.name] == ["counted"]
        assert reader.reference.fingerprints == writer.reference.fingerprints
        seen.append(reader.reference.fingerprints["counted"])
    assert seen[0] != seen[1] == seen[2]
    assert run(["reference", "list", "--store", s3]) == 0
    assert "counted" in capsys.readouterr().out
    name = next(name for name, content in objects_under(s3).items() if content.endswith(b",2000\n"))
    with storage().open_output_stream(f"{s3.removeprefix('s3://')}/{name}") as out:
        out.write(b"other people")
    with pytest.raises(ns.NcdsurvError) as caught:
        _ = open_store(s3, local=tmp_path / "third").packs
    assert str(caught.value) == "a reference pack was changed: got counted/population.csv; do: add it again"


def test_a_report_and_the_service_read_the_registry_of_the_storage(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from multiprocessing import forkserver

    from fastapi.testclient import TestClient

    from ncdsurv.api.keys import create_key
    from ncdsurv.api.server import prepare

    store = filled(open_store(s3))
    release = store.build_release(AS_OF, YEAR)
    with monkeypatch.context() as earlier:  # the processes of reports may be older than the credentials
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            earlier.delenv(name)
        forkserver._forkserver._stop()
        forkserver.ensure_running()
    made = run_reports("province_report", ["79"], store=s3, out=tmp_path / "reports", jobs=1)
    assert [entry.line() for entry in made.entries if entry.failed] == []
    assert [entry.release for entry in made.entries] == [release.id]
    assert len(list((tmp_path / "reports").rglob("*.html"))) == 1
    create_key("a reader", store=s3)
    assert (store.folder / "api_keys.json").is_file()
    with TestClient(prepare(s3, "127.0.0.1", None, True), base_url="http://127.0.0.1") as client:
        assert client.get("/readyz").json()["release"] == release.id
        assert [item["id"] for item in client.get("/v1/releases").json()["data"]] == [release.id]


def test_a_long_row_of_commits_is_read_state_by_state(s3: str) -> None:
    lake = open_store(s3).lake
    row = pl.DataFrame({"received": [0]}, schema_overrides={"received": pl.Int64})
    blank = pl.DataFrame(schema=lake.tables["ingest_log"].schema)
    for number in range(1, COMMITS + 1):
        with lake.transaction() as tx:
            received = row.with_columns(pl.lit(number, pl.Int64).alias("received"))
            tx.append("ingest_log", pl.concat([blank, received], how="diagonal"))
            assert tx.commit("ingest").number == number
    checkpoints = [name for name in objects_under(s3) if name.endswith("_last_checkpoint")]
    assert sorted(checkpoints) == [
        f"lake/{name}/_delta_log/_last_checkpoint" for name in ("commits", "ingest_log")
    ]
    again = open_store(s3).lake
    assert again.commits()["number"].to_list() == list(range(1, COMMITS + 1))
    for number in (1, COMMITS - 1, COMMITS):
        told = again.snapshot(number).read("ingest_log")["received"]
        assert sorted(told) == list(range(1, number + 1))


def test_a_change_of_the_key_that_broke_off_is_ended_by_the_next_writer(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(s3)
    store.ingest(FILES[0], source="viettel")
    old = set(store.lake.snapshot().read("visits")["record_id"])

    def broken(lake: Lake, kept: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "forget_before", broken)
        with pytest.raises(KeyboardInterrupt):
            store.rotate_key()
    assert store.vault.next_key_file.exists()
    assert open_store(s3).link()["records"]
    assert not store.vault.next_key_file.exists()
    tables = [
        name for name in objects_under(s3) if name.startswith("lake/visits/") and name.endswith("parquet")
    ]
    assert len(tables) == 1
    assert not old & set(pl.read_parquet(io.BytesIO(objects_under(s3)[tables[0]]))["record_id"])


def test_a_new_key_leaves_nothing_of_the_old_one(s3: str, few: None) -> None:
    store = filled(open_store(s3))
    old = set(store.lake.snapshot().read("visits")["record_id"])
    release = store.build_release(AS_OF, MONTHS)
    told = store.rotate_key()
    assert told["files"] == len(FILES[:2])
    new = set(store.lake.snapshot().read("visits")["record_id"])
    assert len(new) == len(old)
    assert not old & new
    for name, content in objects_under(s3).items():
        if name.startswith("lake/") and name.endswith(".parquet"):
            table = pl.read_parquet(io.BytesIO(content))
            assert "record_id" not in table.columns or not old & set(table["record_id"]), name
    again = store.build_release(AS_OF, MONTHS)
    assert again.id != release.id
    nation = [made.values("control_rate", level="nation").drop("release") for made in (release, again)]
    assert nation[0].height
    assert nation[0].equals(nation[1])
