"""Two writers at once: one fails in one line and may come again, nothing is lost; readers see whole states."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl

from ncdsurv.registry import open_store
from tests.conftest import ROOT, SAMPLES
from tests.faults.harness import LONG, environment

FOLDER = SAMPLES / "viettel"
ROUNDS = 6 if LONG else 1


def start(store: Path, *files: Path) -> subprocess.Popen[str]:
    """`ncdsurv ingest` on its way."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "ncdsurv.cli",
            "ingest",
            *map(str, files),
            "--source",
            "viettel",
            "--store",
            str(store),
        ],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows_of(store: Path) -> pl.DataFrame:
    snapshot = open_store(store).lake.snapshot()
    return snapshot.read("visits").drop("received").sort(pl.all())


def test_two_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    files = sorted(FOLDER.iterdir())[:4]
    for turn in range(ROUNDS):
        store = tmp_path / f"store{turn}"
        waiting = [files[:2], files[2:]]
        refused = 0
        for _ in range(6):
            running = [(part, start(store, *part)) for part in waiting]
            waiting = []
            for part, process in running:
                said, wrong = process.communicate(timeout=120)
                assert process.returncode in (0, 3), wrong
                if process.returncode == 3:
                    refused += 1
                    assert "written by another process" in wrong
                    assert len(wrong.strip().splitlines()) == 1
                    waiting.append(part)
                else:
                    assert "kept" in said
            if not waiting:
                break
        assert not waiting
        alone = open_store(tmp_path / f"alone{turn}", key_file=store / "vault" / "key")
        alone.ingest(files, source="viettel")
        both, one = rows_of(store), alone.lake.snapshot().read("visits").drop("received").sort(pl.all())
        assert both.equals(one)
        log = open_store(store).lake.snapshot().read("ingest_log")
        assert log["received"].is_unique().all()
        assert log.height == len(files)


def test_a_reader_beside_a_writer_sees_only_whole_states(tmp_path: Path) -> None:
    store, files = tmp_path / "store", sorted(FOLDER.iterdir())[:3]
    first = open_store(store).ingest(files[0], source="viettel")
    seen: set[tuple[int, int, int]] = set()
    writer = start(store, *files[1:])
    while writer.poll() is None:
        snapshot = open_store(store).lake.snapshot()
        visits, log = snapshot.read("visits"), snapshot.read("ingest_log")
        seen.add((snapshot.number, visits.height, int(log["kept"].sum())))
    assert writer.communicate()[1].count("finish") == 1
    final = open_store(store).lake.snapshot()
    whole = {
        (1, first.kept, first.kept),
        (2, final.read("visits").height, int(final.read("ingest_log")["kept"].sum())),
    }
    assert seen <= whole
    assert all(height == kept for _, height, kept in seen)
