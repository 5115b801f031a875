"""A source may extend another: column names stand once, and what is wrong with it is told at load."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.load import DEFINITIONS
from ncdsurv.catalog.sources import load_sources

CATALOG = load_catalog()
BASE = """
reader = "table"
file_name = '^(?P<facility>\\d{5})_'
fields.name.columns = ["HO_TEN"]
fields.birth_date.columns = ["NGAY_SINH"]
fields.visited_on.columns = ["NGAY_KHAM"]
fields.diagnosis.columns = ["MA_BENH"]
fields.phone.columns = ["SDT"]
[fields.sex]
columns = ["GIOI_TINH"]
values = { male = ["1"], female = ["2"] }
"""
CHILD = """
extends = "base"
names = { vi = "Thử", en = "Trial" }
source = "none"
verified = false
"""


def load(tmp_path: Path, child: str, base: str = BASE) -> tuple[dict, list[str]]:
    (tmp_path / "bases").mkdir(exist_ok=True)
    (tmp_path / "bases" / "base.toml").write_text(base, encoding="utf-8")
    (tmp_path / "trial.toml").write_text(child, encoding="utf-8")
    return load_sources(tmp_path, CATALOG.diseases)


def test_what_is_not_said_is_inherited_and_a_base_is_no_source(tmp_path: Path) -> None:
    found, problems = load(tmp_path, CHILD)
    assert problems == []
    assert list(found) == ["trial"]
    assert found["trial"].fields["sex"].values["female"] == ("2",)


def test_own_columns_replace_and_further_columns_stand_behind(tmp_path: Path) -> None:
    text = CHILD + 'drops = ["phone"]\nfields.name.columns = ["TEN"]\nfields.visited_on.also = ["NGAY_VAO"]\n'
    found, problems = load(tmp_path, text)
    assert problems == []
    fields = found["trial"].fields
    assert fields["name"].columns == ("TEN",)
    assert fields["visited_on"].columns == ("NGAY_KHAM", "NGAY_VAO")
    assert "phone" not in fields


@pytest.mark.parametrize(
    ("child", "told"),
    [
        (
            CHILD.replace('"base"', '"bse"'),
            "[extends] unknown base 'bse'; allowed: base, trial. Do: try 'base'",
        ),
        (CHILD.replace('"base"', '"trial"'), "goes round in a circle: trial -> trial"),
        (CHILD + 'drops = ["phon"]\n', "[drops] 'phon' is not inherited. Do: try 'phone'"),
        (CHILD + 'fields.age.also = ["TUOI"]\n', "[fields.age] also: no columns are inherited"),
        (CHILD + 'ignored = ["SDT"]\n', "[ignored] column 'SDT' is also read"),
        (CHILD + "[above]\nvisited_on = 'a(b'\n", "[above.visited_on] not a regular expression"),
        (CHILD + "[above]\nvisited_on = 'a'\n", "has 0 groups; allowed: one"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, child: str, told: str) -> None:
    _, problems = load(tmp_path, child)
    assert any(told in problem and problem.startswith("sources/trial.toml: ") for problem in problems), (
        problems
    )


def test_a_book_needs_its_layout(tmp_path: Path) -> None:
    _, problems = load(tmp_path, CHILD + 'reader = "book"\n')
    assert any('[book] goes with reader = "book"' in problem for problem in problems)


def test_the_three_station_systems_write_their_columns_once() -> None:
    folder = DEFINITIONS / "sources"
    own = [path for path in folder.glob("*.toml") if 'extends = "station_his"' in path.read_text("utf-8")]
    assert len(own) == 3
    assert all("HUYETAP" not in path.read_text("utf-8") for path in own)
    pressure = {CATALOG.sources[path.stem].fields["sbp"].columns for path in own}
    assert len(pressure) == 1
