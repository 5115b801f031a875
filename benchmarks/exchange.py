"""What one bucket of a release costs: on a cluster, in processor time, memory and bytes sent, and a month later.

    python -m benchmarks.exchange [PEOPLE]

The same functions as on a cluster (`cluster.lay_out`, `cluster.count_there`) over an exchange in a folder: 36 months,
all answers of a release. The count is done in a process of its own, as a worker does, so that its peak memory is its
own; so is the month, counted on from what the month before left (`increment.grown`): it fails unless that gives what
counting from the beginning gives. What is timed is the second time, when the compiled form is loaded.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import process_time
from typing import Any

from benchmarks.engine_data import make_bucket
from benchmarks.engine_steps import known_by, months
from ncdsurv.catalog import load_catalog
from ncdsurv.registry import cluster
from ncdsurv.registry.counting import answer, question_of
from ncdsurv.registry.exchange import Exchange
from ncdsurv.registry.increment import Digests, Past, grown

MB = 1e6


def size_of(folder: Path) -> float:
    """Megabytes of all files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MB


def worker(folder: str, tables: dict[str, Any]) -> dict[str, float]:
    """Count the bucket twice: processor seconds of the second time, and the peak in MB."""
    for again in (False, True):
        if again:
            shutil.rmtree(Path(folder, "exchange", cluster.COUNTS))
        start = process_time()
        cluster.count_there(f"{folder}/exchange", tables, *months(), cluster._versions(), "")
    return {"processor_s": process_time() - start, "peak_mb": getrusage(RUSAGE_SELF).ru_maxrss / 1024}


def month(people: int) -> dict[str, float]:
    """Count a bucket one month on, digests and all: processor seconds of the second time."""
    first, last = months()
    bucket = make_bucket(0, people, load_catalog(), first, last)
    then, before = known_by(bucket, last - 1), question_of(first, last - 1)
    past = Past(
        (first, last - 1), answer(then, before), Digests(then).until(last - 1), then.tables().__getitem__
    )
    for _ in range(2):
        start, digests = process_time(), Digests(bucket)
        later = grown(past, bucket, question_of(first, last), digests)
        digests.until(last)
        took = process_time() - start
    for name, whole in answer(bucket, question_of(first, last)).items():
        if not later[name].cells.equals(whole.cells):
            raise SystemExit(f"counts differ: {name}, counted on and counted from the beginning")
    return {"month_s": took}


def _apart(*given: str) -> dict[str, float]:
    """A part of this benchmark in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.exchange", *given]
    told: dict[str, float] = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )
    return told


def measure(people: int) -> dict[str, float]:
    """Send a bucket of so many invented people out, count it elsewhere, look at what lies there."""
    with tempfile.TemporaryDirectory() as name:
        exchange = Exchange(f"{name}/exchange")
        bucket = make_bucket(0, people, load_catalog(), *months())
        start = process_time()
        tables = cluster.lay_out(exchange, bucket)
        found = {"people": people, "contacts": bucket.contacts.height, "laid_out_s": process_time() - start}
        found |= _apart("--worker", name, json.dumps(tables)) | _apart("--month", str(people))
        sizes = {part: size_of(Path(name, "exchange", part)) for part in (cluster.TABLES, cluster.COUNTS)}
        return found | {"out_mb": sizes[cluster.TABLES], "back_mb": sizes[cluster.COUNTS]}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(worker(sys.argv[2], json.loads(sys.argv[3]))))
    elif sys.argv[1:2] == ["--month"]:
        print(json.dumps(month(int(sys.argv[2]))))
    else:
        print(json.dumps({k: round(v, 3) for k, v in measure(int((sys.argv[1:] or [50_000])[0])).items()}))
