"""Two builds of the same records give the same bytes, on one thread or on several, in whatever process."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.reference.sums import steady_sum
from ncdsurv.registry import open_store
from tests.conftest import ROOT, SAMPLES

BUILD = """
import hashlib, json, sys
from ncdsurv.registry import open_store
release = open_store(sys.argv[1]).build_release("2026-06", months=13)
said = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in release.folder.glob("*.parquet")}
print(json.dumps({"id": release.id, **said}))
"""


def built(folder: Path, threads: int) -> dict[str, str]:
    """Build in a process of its own: release id, and the hash of each of its tables."""
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        env={**os.environ, "PYTHONPATH": search, "POLARS_MAX_THREADS": str(threads)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_two_builds_in_two_processes_give_the_same_bytes(tmp_path: Path) -> None:
    first = tmp_path / "first"
    open_store(first).ingest(sorted((SAMPLES / "viettel").iterdir())[:2], source="viettel")
    second = shutil.copytree(first, tmp_path / "second")
    one, several = built(first, 1), built(second, 7)
    assert one["values.parquet"] == several["values.parquet"]
    assert one == several


@pytest.mark.parametrize("seed", range(5))
def test_a_steady_sum_does_not_depend_on_the_order_of_rows(seed: int) -> None:
    dice = random.Random(seed)
    values = [dice.uniform(0, 1) for _ in range(1000)]
    shuffled = [pl.DataFrame({"x": dice.sample(values, 1000)}) for _ in range(10)]
    assert len({frame.select(pl.col("x").sum()).item() for frame in shuffled}) > 1
    assert len({frame.select(steady_sum("x")).item() for frame in shuffled}) == 1
    assert len({frame.group_by(pl.lit(0)).agg(steady_sum("x"))["x"][0] for frame in shuffled}) == 1


def test_a_steady_sum_is_the_sum_and_leaves_out_what_is_missing() -> None:
    assert pl.DataFrame({"x": [3.0, None, 1.5]}).select(steady_sum("x")).item() == 4.5
