"""The benchmark in its small size: the counts of all ways must be equal; times are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_all_ways_of_the_benchmark_count_the_same_for_20000_patients():
    pytest.importorskip("duckdb")
    pytest.importorskip("numba")
    command = [sys.executable, "benchmarks/engine.py", "--patients", "20000", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["patients"] == 20_000
    assert found["cells"] > 40_000
    assert found["visits"] > 200_000
    ways = ("scan", "engine", "engine_3", "build", "month", "duckdb", "pandas", "sort")
    assert {f"{way}_{what}" for way in ways for what in ("s", "peak_mb")} <= set(found)
    assert min(found[f"{way}_peak_mb"] for way in ways) > 0
