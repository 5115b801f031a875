"""Legacy fonts, syllables, pseudonyms and the registry of rules."""

from __future__ import annotations

import polars as pl
import pytest

from ncdsurv.clean import explain, keyed_id, keyed_ids, load_rules
from ncdsurv.errors import UsageError
from ncdsurv.ingest.legacy import best_codec, from_tcvn3, from_vni, repair, vote
from ncdsurv.ingest.syllables import is_syllable

KEY = b"a key for tests, 32 bytes long.."
TCVN3 = ["NguyÔn ThÞ Hoµ", "TrÇn V¨n Hïng", "Lª Thóy", "§ç §øc"]
VNI = ["Nguyeãn Thò Hoaø", "Traàn Vaên Huøng", "Leâ Thuùy", "Ñoã Ñöùc"]
RIGHT = ["Nguyễn Thị Hoà", "Trần Văn Hùng", "Lê Thúy", "Đỗ Đức"]


@pytest.mark.parametrize(
    "word",
    ["Nguyễn", "Huỳnh", "Đặng", "Quý", "Thuỷ", "Thúy", "Khuyến", "Giàng", "Quốc", "Giếng", "Uyên", "Ước"],
)
def test_vietnamese_names_are_syllables(word: str) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize("word", ["NguyÔn", "V¨n", "Thóy", "Müller", "strong", "Hòà"])
def test_other_words_are_not(word: str) -> None:
    assert not is_syllable(word)


def test_both_fonts_decode_to_the_same_names() -> None:
    assert [from_tcvn3(text) for text in TCVN3] == RIGHT
    assert [from_vni(text) for text in VNI] == RIGHT


def test_capital_fonts_and_toned_capitals() -> None:
    assert from_tcvn3("NGUYÔN V¡N §øC") == "NGUYỄN VĂN ĐỨC"
    assert from_tcvn3("TrÇn ThÞ ¸nh") == "Trần Thị Ánh"
    assert from_tcvn3("Siu H'¥n") == "Siu H'Ơn"


@pytest.mark.parametrize(
    ("texts", "encoding"), [(TCVN3, "tcvn3"), (VNI, "vni"), (RIGHT, None), (["Müller"], None)]
)
def test_the_vote_of_a_column(texts: list[str], encoding: str | None) -> None:
    assert vote(texts) == encoding


def test_a_whole_column_is_repaired_also_where_a_cell_alone_could_be_right() -> None:
    assert repair(TCVN3)["Lª Thóy"] == "Lê Thúy"
    assert repair([*TCVN3, "Vò"])["Vò"] == "Vũ"


def test_good_unicode_is_never_touched() -> None:
    assert repair(RIGHT) == {}
    mixed = repair([*RIGHT, "TrÇn V¨n Hïng", "Vò"])
    assert mixed == {"TrÇn V¨n Hïng": "Trần Văn Hùng"}  # the doubtful one stays


def test_a_file_that_is_not_utf8() -> None:
    assert best_codec("NguyÔn V¨n Hïng".encode("latin-1")) == "latin-1"  # glyphs, repaired by column
    assert best_codec("Nguyêñ Văn".encode("cp1258", errors="replace")) == "cp1258"


def test_keyed_ids_need_a_key_and_keep_purposes_apart() -> None:
    with pytest.raises(UsageError, match="too short"):
        keyed_id(b"short", "record", "a")
    assert keyed_id(KEY, "record", "a") != keyed_id(KEY, "visit", "a")
    assert keyed_id(KEY, "record", "a") != keyed_id(KEY[::-1], "record", "a")
    assert len(keyed_id(KEY, "record", "a")) == 32


def test_one_row_and_many_rows_are_keyed_alike() -> None:
    frame = pl.DataFrame({"one": ["a", "x\x1fy", None], "two": ["b", "c", "d"]})
    assert keyed_ids(KEY, "record", frame, ["one", "two"]).to_list() == [
        keyed_id(KEY, "record", "a", "b"),
        keyed_id(KEY, "record", "x\x1fy", "c"),
        keyed_id(KEY, "record", "", "d"),
    ]


def test_every_rule_has_one_line_in_both_languages() -> None:
    rules = load_rules()
    assert len(rules) > 40
    assert all("\n" not in rule.vi + rule.en for rule in rules.values())
    assert explain("two_digit_year", "vi") == "Năm chỉ có hai chữ số"
    assert explain("no_such_rule") == "no_such_rule"
