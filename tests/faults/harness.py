"""Stores to break, commands to break them with, and the processes that do it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from tests.conftest import ROOT, SAMPLES

LONG = os.environ.get("NCDSURV_FAULTS") == "all"
"""`make faults`: every step without exception, and more random kills."""
FIRST = SAMPLES / "viettel" / "56019_kham_202606.csv"
SECOND = SAMPLES / "moh_ncd_excel" / "56019_ncd_202606.xlsx"

_POOLS = ("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS", "TOKIO_WORKER_THREADS")
"""Threads of the libraries: each fork starts its own, and waits for them, over a few rows."""
_MEMORY = Path("/dev/shm")
_ROOM = 2**30
"""Bytes that must be free in memory for stores to stand there; a case takes about a tenth of it."""


def environment(**more: str) -> dict[str, str]:
    """What a child process needs to find this checkout."""
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": search, "COLUMNS": "200", **more}


class Killer:
    """Processes that run verbs in forks (see `killer`); safe to use from several threads."""

    def __init__(self, size: int = 2) -> None:
        self._idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        self._all = [self._start() for _ in range(size)]
        for process in self._all:
            self._idle.put(process)

    @staticmethod
    def _start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.killer"],
            cwd=ROOT,
            env=environment(**dict.fromkeys(_POOLS, "1")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, store: Path, **request: Any) -> dict[str, Any]:
        """One request; its answer."""
        process = self._idle.get()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps({"store": str(store), **request}) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
        finally:
            self._idle.put(process)
        return answer

    def ask_each(self, stores: list[Path], **request: Any) -> list[dict[str, Any]]:
        """One request to each of several stores, shared among the processes; the answers in order."""
        shares = [stores[at :: len(self._all)] for at in range(len(self._all))]

        def ask(share: list[Path]) -> list[dict[str, Any]]:
            if not share:
                return []
            said = self.ask(share[0], stores=[str(store) for store in share], **request)
            answers: list[dict[str, Any]] = said.get("answers", [said] * len(share))
            return answers

        found: dict[Path, dict[str, Any]] = {}
        with ThreadPoolExecutor(len(shares)) as threads:
            for share, answers in zip(shares, threads.map(ask, shares), strict=True):
                found.update(zip(share, answers, strict=True))
        return [found[store] for store in stores]

    def map(self, work: Callable[[Any], str | None], items: Iterable[Any]) -> list[str]:
        """Do all of it, as many at once as there are processes; what went wrong."""
        with ThreadPoolExecutor(len(self._all)) as threads:
            return [said for said in threads.map(work, list(items)) if said]

    def close(self) -> None:
        for process in self._all:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


@dataclass(frozen=True)
class Case:
    """One command on one store."""

    name: str
    base: str
    verb: str
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def request(self) -> dict[str, Any]:
        return {"verb": self.verb, "arguments": self.arguments}


def small_pack(folder: Path, people: int) -> Path:
    """A valid reference pack of one table; `people` tells one edition from another."""
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(
        'id = "counted"\ntitle = "Invented for tests"\n[[source]]\nid = "made_up"\nwhat = "population"\n'
        'origin = "nowhere"\nlicence = "CC0"\n',
        encoding="utf-8",
    )
    (folder / "population.csv").write_text(
        f"vintage,level,code,year,sex,age_group,population\n2025,commune,00097,2024,male,15-19,{people}\n",
        encoding="utf-8",
    )
    return folder


@contextmanager
def folder_in_memory(otherwise: Path) -> Iterator[Path]:
    """A folder in memory, gone afterwards; `otherwise` where the machine has no room for it.

    What a killed process leaves behind is what it had handed to the system, wherever that keeps it: the steps are
    the same as on a disk, and no `fsync` waits for one.
    """
    if not (_MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM):
        yield otherwise
        return
    with TemporaryDirectory(prefix="ncdsurv-faults-", dir=_MEMORY, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def copy_store(source: Path, to: Path) -> Path:
    """A store to break; an empty place where the base is none."""
    if source.exists():
        shutil.copytree(source, to)
    return to


def command(arguments: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
    """`ncdsurv` as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", "ncdsurv.cli", *arguments],
        env=environment(**more.pop("env", {})),
        cwd=more.pop("cwd", ROOT),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **more,
    )
