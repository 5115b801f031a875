"""A build on a cluster: real processes, one killed in the middle, the same bytes; and what can be wrong with one."""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path

import pytest

from ncdsurv.catalog.vocabulary import Period
from ncdsurv.errors import StoreError, UsageError
from ncdsurv.registry import cluster, open_store
from ncdsurv.registry.cluster import Cluster
from ncdsurv.registry.exchange import Exchange
from tests.cluster.conftest import AS_OF, MONTHS, STARTED_WITHIN, Hosts, hashes

STUCK_IN_ITS_SECOND_BUCKET = """
import time
from pathlib import Path
from ncdsurv.registry import cluster

begun, answer = [], cluster.answer

def stuck(bucket, question):
    begun.append(bucket)
    if len(begun) == 2:
        Path("counting").touch()
        time.sleep(600)
    return answer(bucket, question)

cluster.answer = stuck
"""


def test_a_worker_killed_in_the_middle_costs_nothing_but_time(
    hosts: Hosts, registry: Path, single: dict[str, str]
) -> None:
    preload, counting = hosts.folder / "stuck.py", hosts.folder / "counting"
    preload.write_text(STUCK_IN_ITS_SECOND_BUCKET, encoding="utf-8")
    hosts.start_worker("--preload", str(preload))
    hosts.start_worker()
    hosts.wait_for(2)
    killed_at: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        if done >= 2 and not killed_at:
            until = time.monotonic() + STARTED_WITHIN
            while not counting.exists():  # so that the worker dies with a bucket in its hands, every time
                assert time.monotonic() < until, "the worker never began a second bucket"
                time.sleep(0.05)
            killed_at.append((done, total))
            hosts.workers[0].send_signal(signal.SIGKILL)
            assert hosts.workers[0].wait() == -signal.SIGKILL

    release = open_store(registry).build_release(AS_OF, MONTHS, progress, scheduler=hosts.address)
    (done, total) = killed_at[0]
    assert total >= 6
    assert done <= total // 2, "the worker was killed too late to matter"
    assert hashes(release.folder) == single
    release.verify()
    assert hosts.workers[1].poll() is None
    assert not (registry / "exchange").exists()  # nothing is left where the workers read


def test_workers_see_no_id_of_a_person(registry: Path, tmp_path: Path) -> None:
    from ncdsurv.registry.buckets import Buckets

    snapshot = open_store(registry).lake.snapshot()
    buckets = Buckets(snapshot)
    exchange = Exchange(str(tmp_path / "exchange"))
    cluster.lay_out(exchange, buckets.read(buckets.numbers[0]))
    ids = buckets.table("people", buckets.numbers[0])["person_id"].to_list()
    laid = [path for path in (tmp_path / "exchange").rglob("*") if path.is_file()]
    assert laid
    frames = [exchange.get_frame(f"tables/{path.name}") for path in laid]
    people = next(frame for frame in frames if "person_id" in frame.columns)
    assert ids
    assert people["person_id"].to_list() == [str(number) for number in range(people.height)]
    content = b"".join(path.read_bytes() for path in laid)
    assert not any(person.encode() in content for person in ids)


def test_no_scheduler_is_told_in_one_sentence_and_the_build_can_go_on_alone(
    registry: Path, single: dict[str, str], impatient: None
) -> None:
    store = open_store(registry)
    with pytest.raises(StoreError) as caught:
        store.build_release(AS_OF, MONTHS, scheduler="tcp://127.0.0.1:9")
    assert str(caught.value) == (
        "no scheduler answers: got tcp://127.0.0.1:9; allowed: tcp://HOST:8786 or tls://HOST:8786; "
        "do: start one (dask scheduler), or check the address and the firewall"
    )
    assert store.releases.ids() == []
    assert hashes(store.build_release(AS_OF, MONTHS).folder) == single


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits longer than a second."""
    monkeypatch.setattr(cluster, "Cluster", partial(Cluster, patience=1.0))


def test_a_cluster_without_workers(hosts: Hosts, registry: Path, impatient: None) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(registry).build_release(AS_OF, MONTHS, scheduler=hosts.address)
    assert str(caught.value) == (
        f"the cluster has no worker: got {hosts.address}; do: start some: dask worker {hosts.address}"
    )


def test_a_worker_of_another_version_counts_nothing(hosts: Hosts, registry: Path) -> None:
    older = hosts.folder / "older.py"
    older.write_text("import ncdsurv\nncdsurv.__version__ = '0.0.9'\n", encoding="utf-8")
    hosts.start_worker("--preload", str(older))
    hosts.wait_for(1)
    store = open_store(registry)
    with pytest.raises(
        StoreError,
        match=r"^a worker has another version of ncdsurv: got code \w{8}, ncdsurv 0\.0\.9, polars .* \(worker "
        r"tcp://.*\); allowed: code \w{8}, ncdsurv .*; do: install the same version on every machine$",
    ):
        store.build_release(AS_OF, MONTHS, scheduler=hosts.address)
    assert store.releases.ids() == []


def test_a_worker_that_joins_later_is_asked_for_its_version_too(tmp_path: Path) -> None:
    theirs = {**cluster._versions(), "ncdsurv": "9.9.9"}
    with pytest.raises(StoreError, match="another version of ncdsurv: .*worker that joined later"):
        cluster.count_there(str(tmp_path), {}, 1, 2, theirs, "")


def test_the_extra_is_asked_for_by_name(registry: Path, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError) as caught:
        open_store(registry).build_release(AS_OF, MONTHS, scheduler="tcp://127.0.0.1:9")
    assert str(caught.value) == (
        "a cluster needs dask.distributed: got not installed; do: pip install 'ncdsurv[cluster]'"
    )


def test_an_exchange_without_a_cluster_is_a_mistake(registry: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(registry).build_release(AS_OF, MONTHS, exchange="s3://bucket/prefix")
    assert str(caught.value) == "an exchange serves a cluster only: do: give --scheduler ADDRESS too"


def test_equal_counts_of_two_buckets_are_fetched_and_removed_apart(registry: Path, tmp_path: Path) -> None:
    from ncdsurv.registry.buckets import Buckets

    buckets = Buckets(open_store(registry).lake.snapshot())
    exchange = Exchange(str(tmp_path / "exchange"))
    tables = cluster.lay_out(exchange, buckets.read(buckets.numbers[0]))
    months = Period.parse(AS_OF).last_month - 1, Period.parse(AS_OF).last_month
    answers = [
        cluster.count_there(exchange.uri, tables, *months, cluster._versions(), owner)
        for owner in ("a-", "b-")
    ]
    fetched = [Cluster("tcp://127.0.0.1:9", exchange)._fetched(named) for named in answers]
    assert fetched[0]["measures"].cells.height
    for name, found in fetched[0].items():
        assert found.cells.equals(fetched[1][name].cells)
        assert found.carry.equals(fetched[1][name].carry)
    assert not list((tmp_path / "exchange" / "counts").iterdir())


def test_a_folder_means_the_same_to_a_worker_that_started_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exchange = Exchange("exchange/")
    name = exchange.put("probe", b"1")
    monkeypatch.chdir("/")
    assert exchange.uri == str(tmp_path / "exchange")
    assert Exchange(exchange.uri).get(name) == b"1"
