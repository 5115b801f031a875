"""A real scheduler and real workers, each a process of its own, and a small registry of many buckets."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import ROOT, SAMPLES

AS_OF, MONTHS = "2026-06", 4
STARTED_WITHIN = 60


def environment(**more: str) -> dict[str, str]:
    """What a child process needs to find this checkout."""
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": search, "POLARS_MAX_THREADS": "1", **more}


@dataclass
class Hosts:
    """Processes of a cluster; every one that was started is ended."""

    folder: Path
    config: Path | None = None  # a file of Dask's configuration, for all of them
    address: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _all: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def _start(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        if self.config is not None:
            more = {"DASK_CONFIG": str(self.config), **more}
        with (self.folder / f"log{len(self._all)}.txt").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *words],
                cwd=self.folder,
                env=environment(**more),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._all.append(process)
        return process

    def start_scheduler(self) -> None:
        told = self.folder / "scheduler.json"
        self._start(
            "scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1", "--scheduler-file", str(told)
        )
        until = time.monotonic() + STARTED_WITHIN
        while not (told.is_file() and told.read_text("utf-8").strip().endswith("}")):
            assert time.monotonic() < until, "the scheduler did not start"
            time.sleep(0.05)
        self.address = json.loads(told.read_text("utf-8"))["address"]

    def start_worker(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        flags = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        self.workers.append(self._start("worker", self.address, *flags, *words, **more))
        return self.workers[-1]

    def wait_for(self, workers: int) -> None:
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=STARTED_WITHIN)

    def wait_until_told(self, words: str, times: int = 1) -> None:
        """Until the scheduler's log says something so often."""
        until = time.monotonic() + STARTED_WITHIN
        while (self.folder / "log0.txt").read_text("utf-8").count(words) < times:
            assert time.monotonic() < until, f"the scheduler never told: {words}"
            time.sleep(0.05)

    def end(self) -> None:
        for process in self._all:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    """A scheduler without workers yet."""
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    (tmp_path / "hosts").mkdir()
    found = Hosts(tmp_path / "hosts")
    try:
        found.start_scheduler()
        yield found
    finally:
        found.end()


@pytest.fixture(scope="session")
def divided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry laid out in many small buckets, without a release."""
    from ncdsurv.registry import buckets, open_store

    folder = tmp_path_factory.mktemp("divided") / "registry"
    store = open_store(folder)
    store.ingest(sorted((SAMPLES / "viettel").iterdir())[:3], source="viettel")
    sizes = buckets.assign_buckets.__defaults__
    try:
        buckets.assign_buckets.__defaults__ = (12,)
        store.link()
    finally:
        buckets.assign_buckets.__defaults__ = sizes
    return folder


@pytest.fixture(scope="session")
def single(divided: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Hashes of the release that one machine builds of it."""
    from ncdsurv.registry import open_store

    folder = tmp_path_factory.mktemp("single") / "registry"
    shutil.copytree(divided, folder)
    return hashes(open_store(folder).build_release(AS_OF, MONTHS).folder)


@pytest.fixture
def registry(divided: Path, tmp_path: Path) -> Path:
    """A copy of that registry, to build in."""
    return Path(shutil.copytree(divided, tmp_path / "registry"))


def hashes(release: Path) -> dict[str, str]:
    """SHA-256 of everything that is counted or published in a release."""
    names = ("measures.parquet", "values.parquet", "sensitivity.parquet", "quality.parquet")
    return {name: hashlib.sha256((release / name).read_bytes()).hexdigest() for name in names}


@pytest.fixture
def told() -> tuple[list[tuple[int, int]], Callable[[int, int], None]]:
    """What a progress callback was told, and the callback."""
    seen: list[tuple[int, int]] = []
    return seen, lambda done, total: seen.append((done, total))
