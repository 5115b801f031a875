"""Which form of the engine counts where nobody asked for one: what many small buckets cost is added up."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cluster.conftest import environment

COUNTED = """
import sys
from ncdsurv.catalog import load_catalog
from ncdsurv.spells import count_packed, engine
from benchmarks.engine_data import make_bucket

catalog = load_catalog()
bucket = make_bucket(0, 60, catalog, 24300, 24302)
kept = sys.argv[1] == "kept"
repays, never = 2 * bucket.contacts.height + 1, 10**9
engine.kept = lambda module: kept
engine.COMPILE_FROM_CONTACTS, engine.LOAD_FROM_CONTACTS = (never, repays) if kept else (repays, never)
for _ in range(3):
    count_packed(bucket, catalog, first_month=24300, last_month=24302)
    print(engine._KERNEL in sys.modules)
"""


@pytest.mark.parametrize("before", ["kept", "never compiled"])
def test_many_small_buckets_are_compiled_as_one_large_one_is(before: str) -> None:
    pytest.importorskip("numba", reason="the extra `fast` is not installed")
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, before],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", "False", "True"]
