"""The same file or visit twice counts once, a correction replaces, the older word stays, the counts balance."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.registry import open_store
from tests.faults.harness import FIRST, command
from tests.faults.samples import samples
from tests.registry_support import current_visits

SAMPLES = samples()


def ingest(store: Path, source: str, *paths: Path) -> dict[str, object]:
    done = command(["ingest", *map(str, paths), "--source", source, "--json", "--store", str(store)])
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


def balanced(report: dict[str, object]) -> bool:
    files = report["files"]
    assert isinstance(files, list)
    parts = [[file[name] for name in ("rows_in", "kept", "rejected", "duplicates")] for file in files]
    sums = [sum(column) for column in zip(*parts)]
    totals = [report[name] for name in ("rows_in", "kept", "rejected", "duplicates")]
    return sums == totals and all(rows == sum(ends) for rows, *ends in parts) and report["balances"] is True


@pytest.mark.parametrize(("source", "path"), SAMPLES, ids=[f"{s} {p.suffix}" for s, p in SAMPLES])
def test_every_row_of_every_source_has_one_end_and_twice_is_once(
    source: str, path: Path, tmp_path: Path
) -> None:
    store = open_store(tmp_path / "store")
    first = store.ingest(path, source=source)
    assert first.rows_in > 0
    assert first.kept > 0
    assert balanced(first.to_dict())
    snapshot = store.lake.snapshot()
    assert snapshot.read("visits").height >= first.kept  # a line of a yearly book holds many visits
    assert snapshot.read("duplicates").height == first.duplicates
    rejected = snapshot.read("rejects")
    assert rejected.height == first.rejected
    assert rejected["rule"].null_count() == 0
    again = store.ingest(path, source=source)
    assert [file.status for file in again.files] == ["already_known"]
    assert store.lake.snapshot().number == snapshot.number


def test_the_command_counts_a_visit_once_over_files_and_keeps_the_older_word(tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = ingest(store, "viettel", FIRST)
    assert balanced(first)
    assert ingest(store, "viettel", FIRST)["commit"] is None
    rows = list(csv.reader(io.StringIO(FIRST.read_bytes().decode("utf-8-sig"))))
    old = current_visits(open_store(store).lake.snapshot())

    def send(name: str) -> dict[str, object]:
        path = tmp_path / name / FIRST.name
        path.parent.mkdir()
        with path.open("w", encoding="utf-8-sig", newline="") as out:
            csv.writer(out).writerows(rows)
        return ingest(store, "viettel", path)

    rows.append(["" for _ in rows[0]])
    repeated = send("repeated")
    assert balanced(repeated)
    assert repeated["kept"] == 0
    assert repeated["duplicates"] == repeated["rows_in"] - repeated["rejected"]  # type: ignore[operator]
    pressure = rows[0].index("HUYETAP_CAO")
    mended = next(row for row in rows[1:] if row[pressure] not in ("", "0"))
    mended[pressure : pressure + 2] = ["203", "103"]
    corrected = send("corrected")
    assert (balanced(corrected), corrected["kept"]) == (True, 1)
    registry = open_store(store)
    new = current_visits(registry.lake.snapshot())
    assert new.height == old.height
    assert new.filter(pl.col("sbp") == 203).height == 1
    number = first["commit"]
    assert isinstance(number, int)
    assert current_visits(registry.lake.snapshot(number)).equals(old)
