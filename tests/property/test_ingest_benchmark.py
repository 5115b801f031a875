"""The benchmark of taking files in, in its small size: every row is accounted for; times are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_benchmark_accounts_for_every_row_of_both_formats():
    command = [
        sys.executable,
        "-m",
        "benchmarks.ingest",
        "--rows",
        "6000",
        "--envelopes",
        "300",
        "--files",
        "3",
    ]
    done = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    tables, insurance = found["csv"], found["his_xml"]
    assert tables["rows_in"] == tables["rows"] == 6000
    assert insurance["rows_in"] == insurance["envelopes"] == 300
    assert insurance["rows"] > 2 * insurance["envelopes"]  # a visit is several rows of its parts
    for result in (tables, insurance):
        assert result["rows_in"] == result["kept"] + result["rejected"] + result["duplicates"]
        assert 0 < result["rejected"] < 0.05 * result["rows_in"]
        assert {"seconds", "rows_per_s", "peak_mb", "parent_mb", "worker_mb"} <= set(result)
    assert tables["duplicates"] >= 6000 // 101 - 3  # rows written twice
    assert tables["repaired"] > 0


def test_rows_do_not_depend_on_the_number_of_files_they_come_in(tmp_path):
    from benchmarks.ingest_data import write_tables

    for files in (1, 7):
        folder = tmp_path / str(files)
        folder.mkdir()
        paths = write_tables(folder, 700, files, seed=3)
        lines = sum(
            text.count("\n") - _above(text) for text in (path.read_text("utf-8-sig") for path in paths)
        )
        assert (len(paths), lines) == (files, 700)


def _above(text: str) -> int:
    return 1 + text[: text.index("STT,")].count("\n")
