"""Tables nobody has seen: the draft loads, reads the records that are there, and holds no cell of a person."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from ncdsurv.cli import run
from tests.draft_support import (
    STATION,
    Visit,
    cells_of,
    clean_with,
    diagnoses,
    draft_of,
    english_csv,
    foreign_clinic,
    readings,
    two_row_header,
    unknown_words,
    visits,
    workbook,
)

SEEN = visits()
LAYOUTS: dict[str, Callable[[Path, list[Visit]], Path]] = {
    "foreign.xlsx": foreign_clinic,
    "english.csv": english_csv,
    "unknown.xlsx": unknown_words,
    "bare.xlsx": lambda path, seen: unknown_words(path, seen, header=False),
    "two_rows.xlsx": two_row_header,
}


def truth(name: str) -> list[tuple[object, ...]]:
    """What the layout holds of each visit."""
    without = {3, 4} if name in ("unknown.xlsx", "bare.xlsx") else set()
    rows = [tuple(None if i in without else cell for i, cell in enumerate(v.truth)) for v in SEEN]
    return sorted(rows, key=repr)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_draft_reads_every_record_of_the_file(tmp_path: Path, name: str) -> None:
    path = LAYOUTS[name](tmp_path / name, SEEN)
    draft = draft_of(path)
    assert draft.to_fill == ()
    batch = clean_with(draft, path)
    if name == "english.csv":  # whole mg/dL are known to 0.06 mmol/L
        found, told = readings(batch), truth(name)
        assert [(*row[:3], row[4:]) for row in found] == [(*row[:3], row[4:]) for row in told]
        assert all(a[3] == pytest.approx(b[3], abs=0.1) for a, b in zip(found, told, strict=True) if b[3])
    else:
        assert readings(batch) == truth(name)
    assert batch.patients["sex"].to_list().count("male") == 6
    assert batch.patients.height == 12
    assert {disease for _, disease in diagnoses(batch)} == {"hypertension", "diabetes"}
    assert batch.counts["rejected"].sum() == 0


@pytest.mark.parametrize("name", LAYOUTS)
def test_nothing_of_a_person_is_in_the_draft_or_on_the_screen(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = LAYOUTS[name](tmp_path / name, SEEN)
    out = tmp_path / "mine.toml"
    assert run(["source", "draft", str(path), "--out", str(out)]) == 0
    said = capsys.readouterr()
    told = said.out + said.err + out.read_text(encoding="utf-8") + repr(draft_of(path).to_dict())
    assert [cell for cell in cells_of(SEEN) if cell in told] == []


def test_rows_without_a_date_go_on_with_the_visit_above(tmp_path: Path) -> None:
    path = foreign_clinic(tmp_path / "foreign.xlsx", SEEN)
    draft = draft_of(path)
    assert tomllib.loads(draft.text)["continuation_rows"] is True
    batch = clean_with(draft, path)
    extra = (len(SEEN) + 4) // 5
    assert batch.counts.select("rows_in", "kept", "duplicates").row(0) == (
        len(SEEN) + extra,
        len(SEEN),
        extra,
    )


def test_strange_headers_leave_the_cells_to_speak(tmp_path: Path) -> None:
    path = unknown_words(tmp_path / "u.xlsx", SEEN)
    fields = {field.name for field in draft_of(path).fields}
    assert {
        "name",
        "sex",
        "birth_date",
        "citizen_id",
        "visited_on",
        "diagnosis",
        "blood_pressure",
        "commune",
    } <= fields


def test_the_layout_is_told(tmp_path: Path) -> None:
    two = tomllib.loads(draft_of(two_row_header(tmp_path / "two.xlsx", SEEN)).text)
    assert (two["header_rows"], two["rows_after_header"]) == (2, 1)
    assert two["fields"]["sbp"]["columns"] == ["Huyet ap tam thu"]
    bare = tomllib.loads(draft_of(unknown_words(tmp_path / "bare.xlsx", SEEN, header=False)).text)
    assert bare["header_rows"] == 0
    assert bare["fields"]["blood_pressure"]["columns"] == ["column:G"]
    english = tomllib.loads(draft_of(english_csv(tmp_path / "e.csv", SEEN)).text)
    assert english["fields"]["visited_on"]["spelling"] == "month_first"
    assert english["fields"]["glucose"]["unit"] == "mg/dL"


def test_what_is_missing_is_listed_once_and_the_gaps_are_where_the_user_looks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = english_csv(tmp_path / "e.csv", SEEN)
    draft = draft_of(path, facility=None)
    assert len(draft.to_fill) == 1
    assert "'facility'" in draft.to_fill[0]
    assert "# TO FILL" in draft.text
    out = tmp_path / "mine.toml"
    assert run(["source", "draft", str(path), "--out", str(out)]) == 0
    assert "to fill: " in capsys.readouterr().out
    assert run(["ingest", str(path), "--source", str(out), "--store", str(tmp_path / "r")]) == 3
    assert "mine.toml: required field 'facility' is not mapped" in capsys.readouterr().err
    assert run(["source", "draft", str(path), "--out", str(out)]) == 2  # nothing is overwritten
    assert run(["source", "draft", str(path), "--out", str(tmp_path / "mine.txt")]) == 2


def test_codes_are_written_only_when_they_cannot_name_a_person(tmp_path: Path) -> None:
    rows: list[list[object]] = [["Họ tên", "Ngày khám", "Ngày sinh", "Giới tính", "Tình trạng bệnh nhân"]]
    for number, visit in enumerate(SEEN):
        status = (
            "Canaryxman"
            if number == 3
            else visit.name
            if number == 4
            else ("tốt", "Tử vong")[number % 9 == 0]
        )
        rows.append(
            [
                visit.name,
                f"{visit.on:%d/%m/%Y}",
                f"{visit.born:%d/%m/%Y}",
                "Nam" if visit.male else "Nữ",
                status,
            ]
        )
    draft = draft_of(workbook(tmp_path / "s.xlsx", rows))
    assert "'tốt'" in draft.text  # comes back often, is short, names nobody
    assert "Canaryx" not in draft.text
    assert "2 different cells are no known code" in draft.text
    assert tomllib.loads(draft.text)["fields"]["patient_status"]["values"]["dead"][0] == "Tử vong"


def test_a_row_of_a_patient_is_never_taken_for_the_header(tmp_path: Path) -> None:
    rows = [[v.name, "Nam" if v.male else "Nữ", "xã Canaryx", f"{v.on:%d/%m/%Y}", v.citizen_id] for v in SEEN]
    draft = draft_of(workbook(tmp_path / "b.xlsx", rows))  # type: ignore[arg-type]
    assert tomllib.loads(draft.text)["header_rows"] == 0
    assert all(column.startswith("column:") for field in draft.fields for column in field.columns)


def test_the_yearly_table_of_a_station(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["TRẠM Y TẾ (không có thật)"],
        ["Danh sách bệnh nhân THA quản lý tháng 8/2025"],
        [],
        [
            "TT",
            "Họ và tên bệnh nhân",
            "Tuổi",
            None,
            "Ngày khám",
            "HA (mmHg)",
            "ĐH lúc đói (mmol/l)",
            "Hẹn tái khám",
        ],
        [None, None, "Nam", "Nữ"],
    ]
    for number, visit in enumerate(SEEN):
        age = 2025 - visit.born.year
        pressure, days = f"{visit.sbp}/{visit.dbp}", (f"{visit.on:%d/%m/%Y}", f"{visit.next_on:%d/%m/%Y}")
        ages = (age, None) if visit.male else (None, age)
        rows.append([number + 1, visit.name, *ages, days[0], pressure, visit.glucose, days[1]])
    rows += [[None, "Tổng cộng", None, None, None, len(SEEN)], [], [None] * 6 + ["Người lập bảng"]]
    path = workbook(tmp_path / "02001_so_tha.xlsx", rows)
    draft = draft_of(path, facility=None)  # the file's name tells the station
    assert draft.to_fill == ()
    assert tomllib.loads(draft.text)["sheets"]["sheet1"]["disease"] == "hypertension"  # the title says it
    batch = clean_with(draft, path)
    assert batch.counts.select("rows_in", "kept", "rejected").row(0) == (len(SEEN) + 2, len(SEEN), 2)
    assert [row[:4] for row in readings(batch)] == [row[:4] for row in truth("station")]
    assert sorted(batch.patients["sex"]) == ["female"] * 6 + ["male"] * 6


def test_lines_above_the_header_are_not_labels(tmp_path: Path) -> None:
    rows: list[list[object]] = [["Report", "for", "Canaryx Zebraan"], ["Canaryx", None, "Okapiin"]]
    path = english_csv(tmp_path / "e.csv", SEEN)
    rows += [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    draft = draft_of(workbook(tmp_path / "e.xlsx", rows))
    assert draft.to_fill == ()
    assert "header_rows" not in tomllib.loads(draft.text)
    assert "Canaryx" not in draft.text


def test_a_bomb_is_one_line_and_costs_no_more_than_reading_may(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",".join(["x"] * 100_000) + "\n", encoding="utf-8")
    assert run(["source", "draft", str(path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"\0\1\2", b"<html><table></table></html>", b"one,two\n1,2\n"])
def test_what_cannot_be_drafted_is_one_line(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    assert run(["source", "draft", str(path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_line_takes_the_draft_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = english_csv(tmp_path / "e.csv", SEEN)
    out = tmp_path / "hill_clinic.toml"
    assert run(["source", "draft", str(path), "--facility", STATION, "--out", str(out)]) == 0
    with out.open("a", encoding="utf-8") as file:
        file.write('\n[fields.commune]\ndefault = "00691"\n')
    capsys.readouterr()
    assert run(["ingest", str(path), "--source", str(out), "--store", str(tmp_path / "r"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["source"] == "hill_clinic"
    assert (report["rows_in"], report["kept"]) == (len(SEEN), len(SEEN))


def test_catalog_lists_the_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalog", "sources"]) == 0
    assert "viettel" in capsys.readouterr().out
