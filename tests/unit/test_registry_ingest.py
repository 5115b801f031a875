"""Files into the registry: once, whole, balanced to the row, and without a trace when it breaks off."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.errors import InputError, UsageError
from ncdsurv.registry import open_store, workers
from ncdsurv.store.lake import Transaction
from tests.conftest import SAMPLES
from tests.registry_support import current_visits

SOURCE = "viettel"


def sample_files(source: str, suffix: str, n: int = 2) -> list[Path]:
    found = [path for path in sorted((SAMPLES / source).iterdir()) if path.suffix == suffix]
    assert len(found) >= n
    return found[:n]


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "registry")


@pytest.fixture
def export(tmp_path) -> Path:
    """A text export of one station, free to be changed."""
    original = next(p for p in sample_files(SOURCE, ".csv") if b"HUYETAP_CAO" in p.read_bytes())
    return Path(shutil.copy(original, tmp_path / original.name))


def tables(store, key: str = "visit_id") -> dict[str, pl.DataFrame]:
    snapshot = store.lake.snapshot()
    return {
        name: snapshot.read(name).sort(pl.all())
        for name in ("patients", "diagnoses", "visits", "rejects", "duplicates", "repairs")
    }


def test_every_row_is_accounted_for_and_the_log_says_so(store, export):
    report = store.ingest(export, source=SOURCE)
    assert report.balances
    assert report.rows_in > 0
    assert report.rows_in == report.kept + report.rejected + report.duplicates
    log = store.lake.snapshot().read("ingest_log").row(0, named=True)
    assert (log["name"], log["rows_in"], log["kept"]) == (export.name, report.rows_in, report.kept)
    assert store.lake.snapshot().read("visits").height == report.kept
    assert store.files.open_path(log["file_sha256"]).read_bytes() == export.read_bytes()


def test_the_same_file_twice_changes_nothing(store, export):
    first = store.ingest(export, source=SOURCE)
    before = store.lake.snapshot()
    again = store.ingest([export, export.parent], source=SOURCE)
    assert store.lake.snapshot().number == before.number == first.commit
    assert {file.status for file in again.files if file.name == export.name} == {"already_known"}
    assert (again.rows_in, again.commit) == (0, None)


def test_the_same_visits_in_another_file_count_once(store, export):
    first = store.ingest(export, source=SOURCE)
    export.write_bytes(export.read_bytes() + b"\r\n")
    second = store.ingest(export, source=SOURCE)
    assert second.rows_in == first.rows_in
    assert (second.kept, second.duplicates) == (0, second.rows_in - second.rejected)
    visits = store.lake.snapshot().read("visits")
    assert visits["visit_id"].is_unique().all()
    assert second.balances


def test_a_corrected_visit_counts_as_last_sent_and_the_first_word_stays_readable(store, export):
    before = store.ingest(export, source=SOURCE)
    old = current_visits(store.lake.snapshot())
    rows = list(csv.reader(io.StringIO(export.read_bytes().decode("utf-8-sig"))))
    pressure = rows[0].index("HUYETAP_CAO")
    mended = next(row for row in rows[1:] if row[pressure] not in ("", "0"))
    mended[pressure : pressure + 2] = ["201", "101"]
    with export.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows(rows)
    report = store.ingest(export, source=SOURCE)
    assert (report.kept, report.balances) == (1, True)
    new = current_visits(store.lake.snapshot())
    assert new.height == old.height
    assert new.filter(pl.col("sbp") == 201).height == 1
    assert current_visits(store.lake.snapshot(before.commit)).equals(old)


def test_a_batch_that_breaks_off_is_invisible_and_the_retry_gives_the_same_as_if_nothing_had_been(
    store, export, tmp_path, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "commit", lambda *_, **__: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(OSError, match="power cut"):
            store.ingest(export, source=SOURCE)
    assert store.lake.snapshot().number == 0
    assert store.lake.snapshot().read("visits").is_empty()
    store.ingest(export, source=SOURCE)
    fresh = open_store(tmp_path / "fresh", key_file=store.vault.key_file)
    fresh.ingest(export, source=SOURCE)
    for name, frame in tables(store).items():
        assert frame.equals(tables(fresh)[name]), name


def test_worker_processes_give_the_same_as_this_process(tmp_path, monkeypatch):
    files = [path for source in ("moh_ncd_excel",) for path in sorted((SAMPLES / source).iterdir())]
    one, two = open_store(tmp_path / "one"), open_store(tmp_path / "two", key_file=tmp_path / "one/vault/key")
    monkeypatch.setattr(workers, "FEW_FILES", len(files) + 1)
    first = one.ingest(files, source="moh_ncd_excel")
    monkeypatch.setattr(workers, "FEW_FILES", 1)
    second = two.ingest(files, source="moh_ncd_excel")
    assert first.to_dict() | {"seconds": 0} == second.to_dict() | {"seconds": 0}
    for name, frame in tables(one).items():
        assert frame.equals(tables(two)[name]), name


def test_a_file_that_is_no_export_is_refused_by_name_and_the_others_are_taken_in(store, export):
    (export.parent / "hopelessly_wrong.xlsx").write_bytes(b"<html><table></table></html>")
    report = store.ingest([export, export.parent / "hopelessly_wrong.xlsx"], source=SOURCE)
    assert [file.name for file in report.refused] == ["hopelessly_wrong.xlsx"]
    assert report.refused[0].error
    assert report.kept > 0
    assert store.lake.snapshot().read("ingest_log").height == 1  # so that it can be sent again, mended


def test_a_file_that_changes_while_it_is_read_is_not_taken_in(store, export, monkeypatch):
    keep = store.files.keep

    def keep_then_change(path: Path) -> str:
        sha256: str = keep(path)
        path.write_bytes(path.read_bytes() + b"\r\n")
        return sha256

    monkeypatch.setattr(store.files, "keep", keep_then_change)
    with pytest.raises(InputError, match="changed while it was read"):
        store.ingest(export, source=SOURCE)
    assert store.lake.snapshot().number == 0


def test_sheets_that_hold_no_table_are_said(store, export):
    import xlsxwriter

    with export.open(encoding="utf-8-sig", newline="") as source:
        rows = list(csv.reader(source))
    path = export.with_suffix(".xlsx")
    with xlsxwriter.Workbook(path) as book:
        for name, content in (("Kham", rows), ("Ghi chu", [["not", "a", "table"]])):
            sheet = book.add_worksheet(name)
            for at, row in enumerate(content):
                sheet.write_row(at, 0, row)
    report = store.ingest(path, source=SOURCE)
    assert [name for name, _ in report.files[0].skipped_sheets] == ["sheet 2"]
    assert "sheets left out" in str(report)


def test_when_every_file_is_refused_nothing_is_committed(store, tmp_path):
    (tmp_path / "x.xlsx").write_bytes(b"nothing of the kind")
    report = store.ingest(tmp_path / "x.xlsx", source=SOURCE)
    assert (len(report.refused), report.commit) == (1, None)
    assert store.lake.snapshot().number == 0


def test_a_mistyped_source_and_a_missing_file_are_named_before_anything_is_written(store, export):
    with pytest.raises(UsageError, match="unknown source: got vietel; .*do: try viettel"):
        store.ingest(export, source="vietel")
    with pytest.raises(InputError, match=r"no such file or folder: got .*absent.csv"):
        store.ingest(export.parent / "absent.csv", source=SOURCE)
    assert not store.folder.exists()


def test_no_identifier_leaves_the_vault(store, export):
    report = store.ingest(export, source=SOURCE)
    identifiers = store.lake.snapshot().read("identifiers")
    secrets = {
        value
        for name in ("name", "name_key", "citizen_id", "insurance_number", "phone", "address")
        for value in identifiers[name].drop_nulls().to_list()
    }
    assert secrets
    said = {
        value
        for frame in tables(store).values()
        for column in frame.select(pl.col(pl.String)).iter_columns()
        for value in column.drop_nulls().unique().to_list()
    }
    assert not secrets & said
    logs = "".join(path.read_text() for path in store.folder.rglob("_delta_log/*.json"))
    assert not any(secret in logs for secret in secrets if len(secret) > 1)
    assert not any(secret in str(report) + str(report.to_dict()) for secret in secrets)


def test_a_new_key_makes_every_id_anew_and_says_the_same(tmp_path):
    store = open_store(tmp_path / "registry")
    store.ingest(sample_files(SOURCE, ".csv") + sample_files(SOURCE, ".xlsx", 1), source=SOURCE)
    store.ingest(sample_files("moh_ncd_excel", ".xlsx"), source="moh_ncd_excel")
    before = store.lake.snapshot()
    old, persons = tables(store), store.link()["persons"]
    people = store.lake.snapshot().read("crosswalk")["person_id"]
    old_key = store.vault.key_file.read_text()
    turned = store.rotate_key()
    after = store.lake.snapshot()
    assert store.vault.key_file.read_text() != old_key
    assert (turned["old"], turned["new"]) == (before.key_id, after.key_id)
    ids = ["record_id", "visit_id", "duplicate_of"]
    for name, frame in tables(store).items():
        assert (
            frame.drop(ids, strict=False)
            .sort(pl.all())
            .equals(old[name].drop(ids, strict=False).sort(pl.all()))
        )
        if "record_id" in frame.columns:
            assert not set(frame["record_id"]) & set(old[name]["record_id"])
    assert store.link()["persons"] == persons
    spoken = {*old["visits"]["visit_id"], *old["visits"]["record_id"], *people}
    for path in [*store.lake.folder.rglob("*.parquet"), *store.lake.vault.rglob("*.parquet")]:
        frame = pl.read_parquet(path)  # nothing under the old key is left on the disk
        for name in {*ids, "person_id"} & set(frame.columns):
            assert not spoken & set(frame[name].drop_nulls()), path.parent.name
