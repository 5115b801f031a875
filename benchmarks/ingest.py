"""How fast exports go in, and in how much memory: python -m benchmarks.ingest [--rows N] [--envelopes N] [--json]

Writes invented exports (not timed), then takes them in as `ncdsurv ingest` does, in a process of its own: keep
each file, read, clean, reject, and commit in one run. Memory is the largest sum over the process and its
workers, as sampled (pages they share count once for each).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TABLE, INSURANCE = "viettel", "his_xml"
_EVERY = 0.05


class Memory(threading.Thread):
    """Samples the memory of this process and its children."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.total = 0
        self.largest: dict[int, int] = {}
        self.worked: dict[int, float] = {}
        self._stop_now = threading.Event()

    def run(self) -> None:
        """Sample until told to stop."""
        while not self._stop_now.wait(_EVERY):
            held = {pid: _resident(pid) for pid in (os.getpid(), *_children())}
            self.total = max(self.total, sum(held.values()))
            for pid, size in held.items():
                self.largest[pid] = max(size, self.largest.get(pid, 0))
                self.worked[pid] = max(_worked(pid), self.worked.get(pid, 0.0))

    def stop(self) -> dict[str, float]:
        """Peaks in MB: of all together, of the parent, of the largest worker; seconds the workers computed."""
        self._stop_now.set()
        self.join()
        workers = [size for pid, size in self.largest.items() if pid != os.getpid()]
        megabytes = {
            "peak_mb": self.total,
            "parent_mb": self.largest.get(os.getpid(), 0),
            "worker_mb": max(workers, default=0),
        }
        computed = sum(seconds for pid, seconds in self.worked.items() if pid != os.getpid())
        return {name: round(size / 1024) for name, size in megabytes.items()} | {"workers_cpu_s": computed}


def _resident(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)


def _worked(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children() -> list[int]:
    try:
        tasks = list(Path(f"/proc/{os.getpid()}/task").iterdir())
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    except OSError:
        return []


def time_ingest(folder: Path, source: str) -> dict:
    """Take in all files of a folder; returns seconds, counts and memory."""
    from ncdsurv.registry import open_store

    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        memory = Memory()
        memory.start()
        cpu, start = time.process_time(), time.perf_counter()
        report = open_store(Path(place) / "registry").ingest(folder, source=source)
        seconds, parent = time.perf_counter() - start, time.process_time() - cpu
        peaks = memory.stop()
    if not report.balances or report.refused:
        raise SystemExit(f"rows do not balance: {report}")
    counts = {
        name: getattr(report, name) for name in ("rows_in", "kept", "rejected", "duplicates", "repaired")
    }
    return {"seconds": seconds, "parent_cpu_s": parent, **peaks, **counts}


def run(folder: Path, source: str) -> dict:
    """Time one folder in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ingest", "--step", source, "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def benchmark(rows: int, envelopes: int, files: int, seed: int, folder: Path | None) -> dict[str, dict]:
    """Generate and time both kinds; returns what `--json` prints."""
    from benchmarks.ingest_data import write_insurance, write_tables

    found: dict[str, dict] = {}
    with tempfile.TemporaryDirectory(dir=folder) as name:
        tables, insurance = Path(name) / "tables", Path(name) / "insurance"
        if rows:
            tables.mkdir()
            paths = write_tables(tables, rows, files, seed)
            found["csv"] = {"files": len(paths), "rows": rows, **run(tables, TABLE)}
        if envelopes:
            insurance.mkdir()
            paths, lines = write_insurance(insurance, envelopes, files, seed)
            timed = run(insurance, INSURANCE)
            found["his_xml"] = {"files": len(paths), "rows": lines, "envelopes": envelopes, **timed}
            found["his_xml"]["envelopes_per_s"] = round(envelopes / timed["seconds"])
    for result in found.values():
        result["rows_per_s"] = round(result["rows"] / result["seconds"])
        for name in ("seconds", "parent_cpu_s", "workers_cpu_s"):
            result[name] = round(result[name], 2)
    return found


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000, help="visit rows in CSV; 0 leaves them out")
    parser.add_argument("--envelopes", type=int, default=60_000, help="visits in HIS XML; 0 leaves them out")
    parser.add_argument("--files", type=int, default=40, help="files of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="the last line is the result as JSON")
    parser.add_argument("--keep", type=Path, help="write the exports under this folder instead of /tmp")
    parser.add_argument("--step", choices=(TABLE, INSURANCE), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(time_ingest(given.folder, given.step)))
        return
    found = benchmark(given.rows, given.envelopes, given.files, given.seed, given.keep)
    if given.json:
        print(json.dumps(found))
        return
    columns = ("rows", "files", "seconds", "rows_per_s", "peak_mb", "parent_mb", "worker_mb")
    print(f"{'':<10}" + "".join(f"{name:>12}" for name in columns))
    for kind, result in found.items():
        print(f"{kind:<10}" + "".join(f"{result[name]:>12,}" for name in columns))


if __name__ == "__main__":
    main()
