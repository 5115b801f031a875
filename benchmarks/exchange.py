"""What one bucket costs on a cluster: what goes out, what comes back, and the worker's processor time and memory.

    python -m benchmarks.exchange [PEOPLE]

The same functions as on a cluster (`cluster.lay_out`, `cluster.count_there`) over an exchange in a folder: 36 months,
the three answers of a release. The count is done in a process of its own, as a worker does, so that its peak memory
is its own; what is timed is its second bucket, when the compiled form is loaded.
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
from benchmarks.engine_steps import months
from ncdsurv.catalog import load_catalog
from ncdsurv.registry import cluster
from ncdsurv.registry.exchange import Exchange

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


def measure(people: int) -> dict[str, float]:
    """Send a bucket of so many invented people out, count it elsewhere, look at what lies there."""
    with tempfile.TemporaryDirectory() as name:
        exchange = Exchange(f"{name}/exchange")
        bucket = make_bucket(0, people, load_catalog(), *months())
        start = process_time()
        tables = cluster.lay_out(exchange, bucket)
        found = {"people": people, "contacts": bucket.contacts.height, "laid_out_s": process_time() - start}
        command = [sys.executable, "-m", "benchmarks.exchange", "--worker", name, json.dumps(tables)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        sizes = {part: size_of(Path(name, "exchange", part)) for part in (cluster.TABLES, cluster.COUNTS)}
        return found | {"out_mb": sizes[cluster.TABLES], "back_mb": sizes[cluster.COUNTS]} | json.loads(told)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(worker(sys.argv[2], json.loads(sys.argv[3]))))
    else:
        print(json.dumps({k: round(v, 3) for k, v in measure(int((sys.argv[1:] or [25_000])[0])).items()}))
