"""The benchmark of a build one month later, in a small size: the same figures; times are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import build

ROOT = Path(__file__).parents[2]


def test_a_month_later_the_benchmark_builds_the_same_figures_on_from_the_last_build(tmp_path):
    command = [sys.executable, "-m", "benchmarks.build", "--month", "--json", "--rows", "3000"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["rows"] == 3000
    n_buckets = found["full_buckets"]["anew"]
    assert n_buckets > 0
    assert found["full_buckets"] == {"anew": n_buckets, "on": 0}
    assert found["month_buckets"] == {"anew": 0, "on": n_buckets}
    for name in ("full", "month"):
        steps = found[f"{name}_steps"]
        assert list(steps) == [*build.OF_A_BUILD, build.REST]
        assert min(steps.values()) > 0
        assert sum(steps.values()) == pytest.approx(found[f"{name}_processor_s"], abs=0.1)
        for step, spent in steps.items():
            assert any(line.split()[0] == step and f" {spent:.2f}" in line for line in tables(done.stdout))


def tables(printed: str) -> list[str]:
    return [line for line in printed.splitlines() if line.strip() and not line.startswith("{")]


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A month's run whose builds take and write what they are told to."""
    figures = {"full": b"counts", "month": b"counts"}
    seconds = {("full", build.AFTER): 8.0, ("month", build.AFTER): 2.0, ("month", build.BEFORE): 7.0}
    taken = []

    def told(folder, as_of):
        release = folder / "releases" / f"{as_of}-0123"
        release.mkdir(parents=True)
        for name in build.FIGURES:
            (release / f"{name}.parquet").write_bytes(figures[folder.name])
        spent = seconds[folder.name, as_of]
        return {"wall_s": spent / 2, "processor_s": spent, "peak_mb": 1}

    class Registry:
        def __init__(self, folder):
            self.folder = folder

        def ingest(self, exports, source):
            self.folder.mkdir(exist_ok=True)
            taken.append((self.folder.name, exports))

    monkeypatch.setattr(build, "_own_process", told)
    monkeypatch.setattr("benchmarks.ingest_data.write_month", lambda *_: ("past", "now"))
    monkeypatch.setattr("ncdsurv.registry.open_store", Registry)
    return figures, taken, lambda: build.month_run(100, tmp_path)


def test_a_month_is_told_as_a_share_of_the_full_build_of_the_same_records(built):
    _, taken, run = built
    found = run()
    assert (found["month_processor_s"], found["full_processor_s"]) == (2.0, 8.0)
    assert (found["share_processor"], found["share_wall"]) == (0.25, 0.25)
    assert taken == [("month", "past"), ("month", "now"), ("full", "now")]  # the past was copied


def test_a_month_that_writes_other_figures_fails_the_run(built):
    figures, _, run = built
    figures["month"] = b"others"
    with pytest.raises(AssertionError, match="measures differs"):
        run()


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


class Slow(dict):
    """Numbers that take a moment to look up: another thread may come in between."""

    def __getitem__(self, name):
        found = super().__getitem__(name)
        time.sleep(0.001)
        return found


def test_buckets_that_several_threads_count_at_once_are_all_counted(monkeypatch):
    from ncdsurv.registry import counting

    monkeypatch.setattr(counting, "answer", lambda bucket: bucket)
    calls, seconds = Slow(), Slow()
    with build.watched(calls, seconds), ThreadPoolExecutor(8) as threads:
        assert list(threads.map(counting.answer, range(100))) == list(range(100))
    assert calls == {"anew": 100, "on": 0}
