"""A long text is read piece by piece: the same rows, refusals and parts as in one go, in the memory of a piece."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ncdsurv.catalog import load_catalog
from ncdsurv.errors import InputError
from ncdsurv.ingest import read_file, read_parts, text_pieces, text_table
from ncdsurv.ingest.plain_text import by_lines
from ncdsurv.ingest.text_table import LongText, read_text

TABLE = load_catalog().sources["viettel"]
HEADER = "MA_BN,HO_TEN,NGAY_SINH,GIOI_TINH,MAXA_CU_TRU,NGAY_KHAM,MA_LOAI_KCB,MA_BENH,CHAN_DOAN,HUYETAP_CAO,HUYETAP_THAP"
PERSON = "{0},Lò Thị Mẫu,05/03/1961,Nữ,00691,{1:02}/02/2025,05,I10,{2},130,80"


def table(rows: int, told: Callable[[int], str] = lambda n: "Tăng huyết áp") -> str:
    lines = [PERSON.format(n % 500, n // 500 % 28 + 1, told(n)) for n in range(rows)]
    return "\n".join(["TRẠM Y TẾ", "", HEADER, *lines]) + "\n"


def two_lines(n: int) -> str:
    return '"Tăng huyết áp\n(theo dõi)"' if n % 100 == 50 else "Tăng huyết áp"


def quoted(text: str) -> str:
    return '"' + text[:-1].replace(",", '","').replace("\n", '"\n"') + '"\n'


WRITTEN = {
    "plain": lambda rows: table(rows).encode("utf-8-sig"),
    "line breaks of Windows": lambda rows: table(rows).replace("\n", "\r\n").encode(),
    "every cell quoted": lambda rows: quoted(table(rows)).encode(),
    "empty lines": lambda rows: table(rows).replace("05,I10", "05,I10,,\n\n").encode(),
    "cells of two lines": lambda rows: table(rows, two_lines).replace("\n", "\r\n").encode(),
    "UTF-16": lambda rows: table(rows).encode("utf-16"),
    "Windows Vietnamese": lambda rows: table(rows).encode("cp1258", errors="replace"),
    "told separator": lambda rows: b"sep=;\r\n" + table(rows).replace(",", ";").encode(),
    "no break at the end": lambda rows: table(rows)[:-1].encode(),
}


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def cut(size: int) -> None:
        monkeypatch.setattr(text_pieces, "PIECE_BYTES", size)
        monkeypatch.setattr(text_table, "CHUNK_ROWS", 3)

    return cut


@pytest.mark.parametrize("size", [64, 1_000])
@pytest.mark.parametrize("how", WRITTEN)
def test_pieces_are_the_whole(how: str, size: int, tmp_path: Path, in_pieces: Callable[[int], None]) -> None:
    path = tmp_path / "02001_kham.csv"
    path.write_bytes(WRITTEN[how](150))
    whole, parts = read_file(path, TABLE), [part.frame for part in read_parts(path, TABLE, step=40)]
    assert whole.rows > 100
    in_pieces(size)
    assert isinstance(read_text(path), LongText)
    assert read_file(path, TABLE).frame.equals(whole.frame)
    again = [part.frame for part in read_parts(path, TABLE, step=40)]
    assert [part.height for part in again] == [part.height for part in parts]
    assert pl.concat(again).equals(whole.frame)


@pytest.mark.parametrize("how", ["plain", "cells of two lines"])
def test_rows_that_go_on_with_the_visit_above_may_stand_in_another_piece(
    how: str, tmp_path: Path, in_pieces: Callable[[int], None]
) -> None:
    mapping = TABLE.model_copy(update={"continuation_rows": True})
    path = tmp_path / "02001_kham.csv"
    path.write_bytes(WRITTEN[how](60).replace(b"\n7,", b"\n,,,,,,,E11,,,\n7,"))
    whole = read_file(path, mapping)
    in_pieces(64)
    assert read_file(path, mapping).frame.equals(whole.frame)


def told(path: Path) -> list[list[str]] | str:
    try:
        rows = read_text(path)
    except InputError as error:
        return str(error)
    return [list(row) for row in (rows.whole() if isinstance(rows, LongText) else rows)]


@given(
    cells=st.lists(
        st.sampled_from(["a", "ế", ",", ",", '"', '""', '","', "\n", "\n", "\r\n", "\r", " "]), max_size=60
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_in_pieces_is_what_it_is_in_one_go(cells: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for codec in ("utf-8", "utf-16"):
        path.write_bytes("".join(["head,head\n", *cells]).encode(codec))
        whole = told(path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(text_pieces, "PIECE_BYTES", 4)
            assert told(path) == whole
            if isinstance(whole, list):
                rows = read_text(path)
                assert isinstance(rows, LongText)
                chunks = list(rows.chunks(2))
                assert [list(row) for _, some in chunks for row in some] == whole
                assert [before for before, _ in chunks] == list(range(0, len(whole), 2))


@given(lines=st.lists(st.text("ab", max_size=3)), cuts=st.integers(1, 5), step=st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_lines_are_counted_off_whatever_the_pieces(lines: list[str], cuts: int, step: int) -> None:
    pieces = [
        "".join(f"{line}\n" for line in lines[i : i + cuts]).encode() for i in range(0, len(lines), cuts)
    ]
    found = list(by_lines([*pieces, b"end"], step))
    assert b"".join(found) == b"".join([*pieces, b"end"])
    assert {piece.count(b"\n") for piece in found[:-1]} <= {step}
    assert found[-1].count(b"\n") < step


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (table(40).encode() + b"a\0b\n", "holds binary data"),
        (table(40).encode("utf-16")[:-1], "is cut off"),
        (table(40).encode() + b'7,"open\n' + b"1,2,3,4,5,6,7,8,9\n" * 9, "has an open quote near line 44"),
    ],
    ids=["NUL", "cut UTF-16", "open quote"],
)
def test_what_is_wrong_at_the_end_is_told_before_the_first_part(
    data: bytes, why: str, tmp_path: Path, in_pieces: Callable[[int], None]
) -> None:
    path = tmp_path / "02001_kham.csv"
    path.write_bytes(data)
    for size in (1 << 20, 64):
        in_pieces(size)
        with pytest.raises(InputError, match=f"02001_kham.csv {why}"):
            next(iter(read_parts(path, TABLE, step=5)))


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, in_pieces: Callable[[int], None]
) -> None:
    path = tmp_path / "02001_kham.csv"
    path.write_text(table(100), "utf-8")
    in_pieces(64)
    parts = read_parts(path, TABLE, step=20)
    next(parts)
    with path.open("a", encoding="utf-8") as file:
        file.write(PERSON.format(1, 1, ""))
    with pytest.raises(InputError) as caught:
        list(parts)
    assert str(caught.value) == (
        "02001_kham.csv was changed while it was read: do: send it again when it is finished"
    )


def most_held(path: Path, rows: int) -> int:
    tracemalloc.start()
    try:
        assert sum(part.rows for part in read_parts(path, TABLE, step=1_000)) >= rows
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("how", WRITTEN)
def test_memory_is_that_of_a_part_and_not_of_the_file(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_pieces, "PIECE_BYTES", 1 << 16)
    monkeypatch.setattr(text_table, "CHUNK_ROWS", 500)
    path = tmp_path / "02001_kham.csv"
    path.write_bytes(WRITTEN[how](5_000))
    most_held(path, 5_000)  # what is loaded once is there afterwards
    before = most_held(path, 5_000)
    path.write_bytes(WRITTEN[how](20_000))
    assert most_held(path, 20_000) < 1.2 * before
