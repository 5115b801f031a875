"""Hostile files end in one line and exit 1: no traceback, no hang, never 1 GB, nothing written beside the registry."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.errors import InputError
from ncdsurv.registry import apart, open_store, worker, workers
from ncdsurv.registry.report import NEW, REFUSED
from tests.faults.harness import FIRST, environment
from tests.faults.hostile import FILES, MB, READABLE

SOURCES = sorted({source for source, _ in FILES.values()} & set(load_catalog().sources))
MEASURED = (
    "import json, resource, subprocess, sys\n"
    "done = subprocess.run([sys.executable, '-m', 'ncdsurv.cli', *sys.argv[1:]], capture_output=True, text=True)\n"
    "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
    "print(json.dumps({'code': done.returncode, 'out': done.stdout, 'err': done.stderr, 'peak_kb': peak}))\n"
)


@pytest.mark.parametrize("source", SOURCES)
def test_all_hostile_files_of_a_source_at_once(source: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, (whose, make) in FILES.items():
        if whose == source:
            make(folder / name)
    started = time.monotonic()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            MEASURED,
            "ingest",
            str(folder),
            "--source",
            source,
            "--json",
            "--store",
            "store",
        ],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert time.monotonic() - started < 120
    assert answer["code"] == 1, answer["err"]
    assert len(answer["err"].strip().splitlines()) == 1, answer["err"]
    assert "Traceback" not in answer["err"] + answer["out"]
    assert answer["peak_kb"] * 1024 < 1024 * MB
    report = json.loads(answer["out"])
    assert report["balances"]
    for file in report["files"]:
        assert file["status"] in ({NEW, REFUSED} if file["name"] in READABLE else {REFUSED}), file
        assert "\n" not in (file["error"] or "")
        assert file["kept"] == 0
    beside = {path.name for path in tmp_path.iterdir()}
    assert beside == {"in", "store"}
    assert not list(tmp_path.rglob("slipped*"))
    assert not Path("/tmp/slipped.xml").exists()


def test_one_hostile_file_does_not_cost_the_good_ones(tmp_path: Path) -> None:
    bad = tmp_path / "02001_line.csv"
    FILES[bad.name][1](bad)
    report = open_store(tmp_path / "store").ingest([FIRST, bad], source="viettel")
    assert [file.name for file in report.refused] == [bad.name]
    assert report.kept > 0


def test_a_gigabyte_is_not_even_copied(tmp_path: Path) -> None:
    big = tmp_path / "02001_gigabyte.csv"
    FILES[big.name][1](big)
    report = open_store(tmp_path / "store").ingest(big, source="viettel")
    assert "got 1024 MB; allowed: 200 MB" in str(report.refused[0].error)
    assert sum(path.stat().st_size for path in (tmp_path / "store").rglob("*") if path.is_file()) < MB


def test_a_pipe_has_no_end_and_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    store = open_store(tmp_path / "store")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(InputError, match="not a file or folder"):
            store.ingest(path, source="viettel")


def _child() -> workers._Child:
    return workers._Child(worker.Begin(b"k" * 32, []))


def test_a_reader_that_never_ends_is_ended_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    child = _child()
    os.kill(child.process.pid, signal.SIGSTOP)  # does not even use the processor
    monkeypatch.setattr(apart, "PATIENCE", 0.01)
    with pytest.raises(TimeoutError):
        child.clean([FIRST], "viettel")
    child.close()


def test_a_file_that_takes_too_long_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workers._close_spares()
    monkeypatch.setattr(apart, "PATIENCE", 0.0001)
    report = open_store(tmp_path / "store").ingest(FIRST, source="viettel")
    assert str(report.refused[0].error).startswith(f"a file takes too long to read: got {FIRST.name}")


LIMITED = """
import mmap
from ncdsurv.registry.limits import limit_memory, limit_time
reserved = mmap.mmap(-1, 150 << 20, flags=mmap.MAP_PRIVATE)  # set aside at rest, not touched yet
{call}
{work}
"""
TAKE_ALL = """
for _ in range(150):
    reserved.write(bytes(1 << 20))
held = []
try:
    while True:
        held.append(bytearray(b"x") * (5 << 20))
except MemoryError:
    held.clear()
    # Not getrusage: its peak is also that of the process this one was started from.
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    raise SystemExit(int(peak.split()[1]) >> 12)
"""


def limited(call: str, work: str) -> int:
    """How a limited process ended."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(call=call, work=work)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode


def test_the_kernel_ends_a_reader_that_computes_without_end() -> None:
    assert limited("limit_time(1)", "while True: pass") == -signal.SIGXCPU


def test_a_reader_takes_all_it_may_and_stays_below_its_peak() -> None:
    """Also what was set aside before the limit and touched after it counts: 600 MB in all, told in units of 4 MB."""
    held = limited("limit_memory(600 << 20)", TAKE_ALL)
    assert 75 <= held <= 150
