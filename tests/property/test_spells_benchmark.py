"""The benchmark in its small size: the counts of engine and SQL must be equal; times are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_benchmark_counts_the_same_with_engine_and_sql_for_20000_patients():
    pytest.importorskip("duckdb")
    pytest.importorskip("numba")
    command = [sys.executable, "-m", "benchmarks.engine", "--patients", "20000", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["patients"] == 20_000
    assert found["cells"] > 100_000
    assert found["visits"] > 200_000
    assert {"scan_s", "engine_s", "duckdb_s", "engine_peak_mb", "duckdb_peak_mb"} <= set(found)
