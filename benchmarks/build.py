"""What linking and building cost, and in how much memory: python -m benchmarks.build [--rows N ...] [--part N] [--json]

Takes in invented exports (not timed), then links and builds a release, each in a process of its own whose peak is
read from the kernel. With several sizes it shows what grows: the visits are taken in parts of `--part` rows, so
what is left is what grows with people (their records, places and the counts), not with their visits.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE, AS_OF, MONTHS = "viettel", "2026-06", 12
STEPS = ("link", "build")


def peak_mb() -> float:
    """The most memory this process has held, in MB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def step(name: str, folder: Path, part: int) -> dict[str, float]:
    """One step, in this process."""
    from ncdsurv.registry import open_store, visits

    visits.PART_ROWS = part
    store = open_store(folder)
    start = time.perf_counter()
    if name == "link":
        store.link()
    else:
        store.build_release(AS_OF, MONTHS)
    return {f"{name}_s": round(time.perf_counter() - start, 1), f"{name}_peak_mb": round(peak_mb())}


def run(rows: int, part: int, folder: Path) -> dict[str, float]:
    """Take in exports of so many rows, then link and build."""
    from benchmarks.ingest_data import write_tables
    from ncdsurv.registry import open_store

    exports = folder / "exports"
    exports.mkdir()
    write_tables(exports, rows, 8, 7)
    open_store(folder / "registry").ingest(exports, source=SOURCE)
    found: dict[str, float] = {"rows": rows, "part_rows": part}
    for name in STEPS:
        command = [sys.executable, "-m", "benchmarks.build", "--step", name]
        command += ["--folder", str(folder / "registry"), "--part", str(part)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found |= json.loads(done.stdout.splitlines()[-1])
    state = open_store(folder / "registry").lake.snapshot().note["linked"]
    return found | {"records": state["records"], "persons": state["persons"]}


def main() -> None:
    """Parse the arguments and print a table, and with --json one line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="+", default=[500_000, 2_000_000])
    parser.add_argument("--part", type=int, default=250_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(step(asked.step, asked.folder, asked.part)))
        return
    print(f"{'rows':>12} {'persons':>10} {'link s':>8} {'MB':>7} {'build s':>8} {'MB':>7}")
    for rows in asked.rows:
        with tempfile.TemporaryDirectory(dir=asked.folder) as place:
            found = run(rows, asked.part, Path(place))
        print(
            f"{found['rows']:>12,} {found['persons']:>10,} {found['link_s']:>8} {found['link_peak_mb']:>7,}"
            f" {found['build_s']:>8} {found['build_peak_mb']:>7,}"
        )
        if asked.json:
            print(json.dumps(found))


if __name__ == "__main__":
    main()
