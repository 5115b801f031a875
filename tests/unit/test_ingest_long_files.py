"""A long file is read and cleaned in parts: the same rows as in one go, each accounted for, whatever its length."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ncdsurv import open_store
from ncdsurv.catalog import load_catalog
from ncdsurv.ingest import read_file, read_parts
from ncdsurv.registry import batch, workers

SAMPLES = Path(__file__).parents[2] / "data_samples"
ROWS = 300_000
BOOKS = sorted((SAMPLES / "excel_book").glob("*.xlsx"))
TABLES = sorted((SAMPLES / "viettel").glob("*.csv"))


@pytest.mark.parametrize("step", [2, 7, 100_000])
@pytest.mark.parametrize(("source", "path"), [("viettel", TABLES[0]), ("excel_book", BOOKS[0])])
def test_parts_are_the_whole(source: str, path: Path, step: int) -> None:
    mapping = load_catalog().sources[source]
    whole = read_file(path, mapping)
    parts = list(read_parts(path, mapping, step=step))
    assert pl.concat([part.frame for part in parts], how="diagonal").equals(whole.frame)
    assert pl.concat([part.totals for part in parts]).equals(whole.totals)
    assert len(parts) > 1 or step > whole.rows


def test_a_line_of_a_book_is_never_cut_in_two() -> None:
    parts = list(read_parts(BOOKS[0], load_catalog().sources["excel_book"], step=2))
    lines = [set(part.frame.select("sheet", "row_number").rows()) for part in parts]
    assert sum(map(len, lines)) == len(set().union(*lines))


@pytest.mark.parametrize("held", [1, 150_000])
def test_a_file_of_300_000_rows_goes_in_whole(
    held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "CHUNK_ROWS", held)  # its parts are written one by one, or several together
    header = (
        "MA_BN,HO_TEN,NGAY_SINH,GIOI_TINH,MAXA_CU_TRU,NGAY_KHAM,MA_LOAI_KCB,MA_BENH,HUYETAP_CAO,HUYETAP_THAP"
    )
    person = "{0},Lò Thị Mẫu,05/03/1961,Nữ,00691,{1:02}/{2:02}/2025,05,I10,130,80"
    path = tmp_path / "02001_kham.csv"
    lines = [person.format(n % 5000, n // 5000 % 28 + 1, n // 140_000 + 1) for n in range(ROWS - 1)]
    again = lines[0]  # in the last part what the first has said
    path.write_text("\n".join([header, *lines, again]) + "\n", "utf-8")
    report = open_store(tmp_path / "store").ingest(path, source="viettel")
    assert [file.error for file in report.refused] == []
    assert (report.rows_in, report.kept, report.rejected, report.duplicates) == (ROWS, ROWS - 1, 0, 1)
    assert report.balances


def test_what_a_refusal_follows_is_void(monkeypatch: pytest.MonkeyPatch) -> None:
    child = workers._Child.__new__(workers._Child)
    error = ValueError("broken off")
    parts = [workers.Cleaned([None], None, more=True), workers.Cleaned([error], None)]  # type: ignore[list-item]
    monkeypatch.setattr(child, "ask_all", lambda *_: parts, raising=False)
    assert child.clean([Path("a.csv")], "viettel") == [parts[1]]
