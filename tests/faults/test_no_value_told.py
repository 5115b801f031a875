"""No message, log or reject row holds a patient's value: values planted everywhere, then looked for everywhere."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.registry import open_store
from ncdsurv.registry.worker import Cleaned
from tests.faults.harness import LONG, command
from tests.faults.samples import clean, planted, samples, shortened, values_of

MARK = "Zơrâm Thị Qwx"
NUMBER = "987650123499"
SAMPLES = samples()
IDS = [f"{source} {path.suffix}" for source, path in SAMPLES]
TRACES = ("rejects", "duplicates", "repairs")


def told(answer: Cleaned) -> str:
    """All that is said about some files: refusals, skipped sheets, and every row of the traces."""
    said = [str(error) for error in answer.refused if error is not None]
    said += [reason for sheets in answer.skipped.values() for _, reason in sheets]
    if answer.batch is not None:
        said += [getattr(answer.batch, name).write_csv() for name in TRACES]
        said += [repr(answer.batch), answer.batch.counts.write_csv()]
    return "\n".join(said)


@pytest.mark.parametrize(("source", "path"), SAMPLES, ids=IDS)
def test_a_value_planted_in_any_place_is_not_told(source: str, path: Path, tmp_path: Path) -> None:
    for mark in (MARK, NUMBER):
        for at, data in enumerate(planted(path, mark)):
            if not LONG and at % 4 != (mark == NUMBER):  # each place in turn in the long run
                continue
            answer = clean(tmp_path, source, path.name, data)
            assert mark not in told(answer)
            for error in answer.refused:
                assert error is None or "\n" not in str(error)


@pytest.mark.parametrize(("source", "path"), SAMPLES, ids=IDS)
def test_the_values_of_a_broken_file_are_not_told(source: str, path: Path, tmp_path: Path) -> None:
    whole = clean(tmp_path, source, path.name, path.read_bytes())
    assert whole.batch is not None
    values = values_of(whole.batch)
    assert values
    data = path.read_bytes()
    middle = len(data) // 2
    broken = [
        data[: middle + 7],
        data[:middle] + b"\0\0\0" + data[middle:],
        data[:middle] + b'"<{[' + data[middle:],
        data[:middle] + b"\xff\xfe\xff" + data[middle + 9 :],
        data.replace(b"NGAY", b"XXXX").replace(b"Ng\xc3\xa0y", b"Xxxx"),
        data[len(data) // 3 :],
    ]
    for data in broken:
        said = told(clean(tmp_path, source, path.name, data))
        assert not [value for value in values if value in said]


@pytest.mark.parametrize(("source", "path"), SAMPLES, ids=IDS)
def test_nothing_outside_the_vault_holds_a_value(source: str, path: Path, tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    report = store.ingest(path, source=source)
    snapshot = store.lake.snapshot()
    values = {
        str(value)
        for name in ("name", "citizen_id", "insurance_number", "phone", "address")
        for value in snapshot.read("identifiers")[name].drop_nulls().to_list()
        if len(str(value)) >= 6
    }
    assert values
    said = str(report) + str(report.to_dict())
    for name in (*TRACES, "ingest_log"):
        said += snapshot.read(name).with_columns(pl.all().cast(pl.String)).write_csv()
    said += "".join(log.read_text("utf-8") for log in store.folder.rglob("_delta_log/*.json"))
    assert not [value for value in values if value in said]


def test_the_command_line_tells_no_value_on_any_path(tmp_path: Path) -> None:
    """Good, broken and strange files of one person, through the command as a user runs it."""
    path = next(path for _, path in SAMPLES if path.suffix == ".csv")
    source = next(source for source, found in SAMPLES if found == path)
    text = shortened(path).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    folder = tmp_path / "in"
    folder.mkdir()

    def write(name: str, changed: list[list[str]], tail: bytes = b"") -> None:
        out = io.StringIO()
        csv.writer(out).writerows(changed)
        (folder / f"56019_{name}.csv").write_bytes(out.getvalue().encode() + tail)

    marked = [rows[0], *[[MARK] * len(row) for row in rows[1:]]]
    write("all", marked)
    write("no_header", marked[1:])
    write("quote", marked, tail=f'"{MARK}'.encode())
    write("nul", marked, tail=b"\0")
    write("wide", [*marked, [MARK] * 2000])
    write("lost", [[cell for cell in row[3:]] for row in marked])
    (folder / "56019_page.xls").write_text(f"<html>{MARK}</html>", encoding="utf-8")
    (folder / "56019_text.xlsx").write_text(MARK, encoding="utf-8")
    (folder / "56019_zip.xlsx").write_bytes(b"PK\x03\x04" + MARK.encode())
    for arguments in (["--json"], []):
        done = command(
            ["ingest", str(folder), "--source", source, "--store", str(tmp_path / "store"), *arguments]
        )
        assert done.returncode in (0, 1), done.stderr
        assert MARK not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
