"""The benchmark of a build one month later, in a small size: the same figures; times are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_month_later_the_benchmark_builds_the_same_figures(tmp_path):
    command = [sys.executable, "-m", "benchmarks.build", "--month", "--json", "--rows", "3000"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["rows"] == 3000
    assert found["share_processor"] == round(found["month_processor_s"] / found["full_processor_s"], 3)
    assert found["month_processor_s"] > 0


def test_the_month_stands_apart_from_those_before_it(tmp_path):
    import polars as pl

    from benchmarks.ingest_data import visits_of, write_month

    before, month = write_month(tmp_path, 2000, 1, "2026-05", seed=3)

    def months(folder: Path) -> list[str]:
        days = pl.concat(pl.read_csv(path, infer_schema=False) for path in folder.iterdir())["NGAY_KHAM"]
        return [f"20{day[8:10]}-{day[3:5]}" if len(day) > 8 else f"20{day[6:]}-{day[3:5]}" for day in days]

    earlier, now = months(before), months(month)
    assert set(now) == {"2026-05"}
    assert max(earlier) == "2026-04"
    days = visits_of(0, 2000, 3)["NGAY_KHAM"].to_list()
    assert len(now) == sum("/05/2026" in day or day.endswith("/05/26") for day in days) > 0
