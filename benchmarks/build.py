"""What linking and building cost, and in how much memory: python -m benchmarks.build [--rows N ...] [--part N] [--json]

Takes in invented exports (not timed), then links and builds a release, each in a process of its own whose peak is
read from the kernel. With several sizes it shows what grows: the visits are taken in parts of `--part` rows, so
what is left is what grows with people (their records, places and the counts), not with their visits.

With `--month` it compares instead a build one month later, which goes on from the last one, with a build of the same
records from nothing, and tells the processor time of their steps; the run fails unless both write the same figures.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

SOURCE, AS_OF, MONTHS = "viettel", "2026-06", 12
STEPS = ("link", "build")
WHOLE = "whole"
STATIONS, SEED = 8, 7
BEFORE, AFTER, ALL_MONTHS = "2026-04", "2026-05", 36
FIGURES = ("measures", "values", "facilities", "sensitivity", "quality")
OF_A_BUILD = {
    "link": ("link",),
    "count": ("_count",),
    "quality": ("tell", "station_counts", "quality_of"),
    "values": ("_publish",),
}
"""Step -> the functions of `ncdsurv.registry.build` that do it; what is left is reading, sealing and flushing."""
REST = "rest"
BUCKETS = {"anew": ("ncdsurv.registry.counting", "answer"), "on": ("ncdsurv.registry.increment", "grown")}
"""How a bucket was counted: from the beginning, or on from what the last build kept."""


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


@contextmanager
def watched(calls: dict[str, int], seconds: dict[str, float]) -> Iterator[None]:
    """While the block lasts, count the buckets by the way they are counted, and time the steps of a build."""
    from ncdsurv.registry import build

    alone = threading.Lock()  # the buckets are counted by several threads

    def counts(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any, **named: Any) -> Any:
            with alone:
                calls[name] += 1
            return work(*given, **named)

        return noted

    def times(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            start = time.process_time()
            try:
                return work(*given, **named)
            finally:
                with alone:
                    seconds[name] += time.process_time() - start

        return timed

    calls.update(dict.fromkeys(BUCKETS, 0))
    seconds.update(dict.fromkeys(OF_A_BUILD, 0.0))
    with ExitStack() as stack:
        for name, (module, function) in BUCKETS.items():
            work = getattr(importlib.import_module(module), function)
            stack.enter_context(patch(f"{module}.{function}", counts(name, work)))
        for name, functions in OF_A_BUILD.items():
            for function in functions:
                stack.enter_context(patch.object(build, function, times(name, getattr(build, function))))
        yield


def whole_step(folder: Path, as_of: str) -> dict[str, Any]:
    """Link and build up to a month, in this process, its compiled functions loaded before the clock starts.

    Returns:
        `wall_s`, `processor_s`, `peak_mb`; `steps`: the processor time of each; `buckets`: how many were counted
        from the beginning (`anew`) and how many on from the last build (`on`).
    """
    import ncdsurv.spells.kernel  # noqa: F401
    from ncdsurv.registry import open_store

    store = open_store(folder)
    calls: dict[str, int] = {}
    seconds: dict[str, float] = {}
    with watched(calls, seconds):
        start, work = time.perf_counter(), time.process_time()
        store.build_release(as_of, ALL_MONTHS)
        wall, processor = time.perf_counter() - start, time.process_time() - work
    seconds[REST] = processor - sum(seconds.values())
    return {
        "wall_s": round(wall, 1),
        "processor_s": round(processor, 1),
        "peak_mb": round(peak_mb()),
        "steps": {name: round(spent, 2) for name, spent in seconds.items()},
        "buckets": calls,
    }


def month_run(rows: int, folder: Path) -> dict[str, Any]:
    """A build from nothing and one that goes on from the month before, of the same records.

    Raises:
        AssertionError: The two wrote different figures.
    """
    from benchmarks.ingest_data import write_month
    from ncdsurv.registry import open_store

    past, month = write_month(folder, rows, STATIONS, AFTER, SEED)
    places = {"full": folder / "full", "month": folder / "month"}
    open_store(places["month"]).ingest(past, source=SOURCE)
    shutil.copytree(places["month"], places["full"])  # the key too: ids decide where some people are placed
    _own_process(places["month"], BEFORE)
    found: dict[str, Any] = {"rows": rows}
    for name in ("month", "full"):
        open_store(places[name]).ingest(month, source=SOURCE)
        steps = _own_process(places[name], AFTER)
        found |= {f"{name}_{key}": value for key, value in steps.items()}
    built = [next((place / "releases").glob(f"{AFTER}-*")) for place in places.values()]
    for name in FIGURES:
        one, other = ((release / f"{name}.parquet").read_bytes() for release in built)
        assert one == other, f"{name} differs"
    for key in ("wall_s", "processor_s"):
        found[f"share_{key.removesuffix('_s')}"] = round(found[f"month_{key}"] / found[f"full_{key}"], 3)
    return found


def _own_process(folder: Path, as_of: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.build", "--step", WHOLE, "--folder", str(folder)]
    done = subprocess.run([*command, "--as-of", as_of], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


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


def show_months(sizes: list[int], folder: Path | None, as_json: bool) -> None:
    """Print what a month costs, for each size."""
    print(f"{'rows':>12} {'build':>6} {'wall s':>8} {'processor s':>12} {'MB':>7}")
    for rows in sizes:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            found = month_run(rows, Path(place))
        for name in ("full", "month"):
            wall, processor, peak = (found[f"{name}_{key}"] for key in ("wall_s", "processor_s", "peak_mb"))
            print(f"{rows:>12,} {name:>6} {wall:>8} {processor:>12} {peak:>7,}")
        print(
            f"{'a month takes of a full build':>30} {found['share_wall']:.0%} {found['share_processor']:.0%}"
        )
        print(f"{'processor s of':>30} {'full':>8} {'month':>8}")
        for name in (*OF_A_BUILD, REST):
            print(f"{name:>30} {found['full_steps'][name]:>8.2f} {found['month_steps'][name]:>8.2f}")
        for name, said in (("anew", "buckets counted anew"), ("on", "counted on")):
            print(f"{said:>30} {found['full_buckets'][name]:>8} {found['month_buckets'][name]:>8}")
        if as_json:
            print(json.dumps(found))


def main() -> None:
    """Parse the arguments and print a table, and with --json one line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="+", default=[500_000, 2_000_000])
    parser.add_argument("--part", type=int, default=250_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--step", choices=(*STEPS, WHOLE), help=argparse.SUPPRESS)
    parser.add_argument("--as-of", help=argparse.SUPPRESS)
    parser.add_argument(
        "--month", action="store_true", help="a build one month later against one from nothing"
    )
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.step == WHOLE:
        print(json.dumps(whole_step(asked.folder, asked.as_of)))
        return
    if asked.step:
        print(json.dumps(step(asked.step, asked.folder, asked.part)))
        return
    if asked.month:
        show_months(asked.rows, asked.folder, asked.json)
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
