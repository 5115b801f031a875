"""Dirt is planned, written where planned, and nowhere else."""

from __future__ import annotations

import datetime as dt
import itertools
import unicodedata
from dataclasses import fields

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from ncdsurv.synthetic import Dirt, make_registry, write_exports
from ncdsurv.synthetic.dirt import mistype, to_tcvn3

KINDS = [field.name for field in fields(Dirt)]
PEOPLE, SEED, PROVINCES = 350, 21, ["84"]


def clean():
    return make_registry(PEOPLE, SEED, provinces=PROVINCES)


def write(tmp_path, **rates):
    registry = make_registry(PEOPLE, SEED, provinces=PROVINCES, dirt=Dirt(**rates))
    return registry, write_exports(registry, tmp_path, jobs=1, reference_pack=False)


def rows_of(path, sheet=0):
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_index(sheet).to_python()


def test_a_clean_registry_has_no_dirt():
    assert clean().applied.is_empty()
    assert make_registry(50, 1, dirt=Dirt()).applied.is_empty()


def test_dirt_changes_nothing_of_the_truth():
    dirty = make_registry(PEOPLE, SEED, provinces=PROVINCES, dirt=Dirt.as_in_life())
    truth = clean()
    for table in ("persons", "illness", "visits", "moves", "stations"):
        assert getattr(truth, table).equals(getattr(dirty, table))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_alone_is_planned_and_no_other(kind):
    registry = make_registry(PEOPLE, SEED, provinces=PROVINCES, dirt=Dirt(**{kind: 1.0}))
    assert registry.applied["kind"].unique().to_list() == [kind]


def test_rates_are_kept():
    registry = make_registry(2000, 2, dirt=Dirt(duplicate_rows=0.02, mg_dl=0.1))
    rows = registry.applied.filter(kind="duplicate_rows").height
    assert 0.015 < rows / registry.visits.filter("in_main").height < 0.025
    files = registry.visits.filter("in_main").select("source", "facility").n_unique()
    assert registry.applied.filter(kind="mg_dl").height >= round(0.1 * files)


def test_swapped_dates_are_date_cells_up_to_the_twelfth(tmp_path):
    registry, paths = write(tmp_path, swapped_dates=1.0)
    header, *rows = rows_of(next(p for p in paths if p.parent.name == "moh_ncd_excel"))
    at = header.index("Ngày khám*")
    visits = registry.visits
    truth = set(visits["visited_on"])
    for row in rows:
        if isinstance(row[at], dt.date):
            assert dt.date(row[at].year, row[at].day, row[at].month) in truth
            assert row[at].month <= 12
        else:
            assert int(row[at][:2]) > 12


def test_lost_zeros_are_number_cells(tmp_path):
    _, paths = write(tmp_path, lost_zeros=1.0)
    header, *rows = rows_of(next(p for p in paths if p.parent.name == "moh_ncd_excel"))
    assert all(isinstance(row[header.index("Số CMT/CCCD*")], float) for row in rows)
    assert all(isinstance(row[header.index("Xã/Phường/Thị trấn*")], float) for row in rows)


def test_names_are_decomposed_or_in_old_glyphs(tmp_path):
    registry, paths = write(tmp_path / "nfd", nfd_names=1.0)
    path = next(p for p in paths if p.parent.name == "moh_ncd_excel")
    name = rows_of(path)[1][0]
    assert name != unicodedata.normalize("NFC", name)
    assert unicodedata.normalize("NFC", name) in set(registry.persons["name"])
    registry, paths = write(tmp_path / "old", tcvn3_names=1.0)
    glyphs = {to_tcvn3(name) for name in registry.persons["name"]}
    path = next(p for p in paths if p.parent.name == "viettel" and p.suffix == ".csv")
    text = path.read_text(encoding="utf-8-sig").splitlines()
    at = next(i for i, line in enumerate(text) if line.startswith("STT"))
    assert all(line.split(",")[2] in glyphs for line in text[at + 1 :])


def test_duplicates_repeat_the_row_before(tmp_path):
    registry, paths = write(tmp_path, duplicate_rows=1.0)
    header, *rows = rows_of(next(p for p in paths if p.parent.name == "moh_ncd_excel"))
    twice = registry.applied.filter(kind="duplicate_rows")
    assert twice.height == registry.visits.filter("in_main").height
    seen = [tuple(map(str, row)) for row in rows]
    assert any(one == two for one, two in itertools.pairwise(seen))
    assert header[0] == "Họ tên*"


def test_typing_errors_change_one_thing():
    assert mistype("Trần Thị Bé", "name") != "Trần Thị Bé"
    assert sorted(mistype("Trần Thị Bé", "name")) == sorted("Trần Thị Bé")
    wrong = mistype("084060123456", "citizen_id")
    assert sum(a != b for a, b in zip(wrong, "084060123456")) == 1


def test_old_glyphs_match_the_table_of_the_font():
    assert to_tcvn3("Đặng Thị Thuỷ") == "§Æng ThÞ Thuû"
    assert to_tcvn3("Lương Ưu") == "L\u00ad¬ng ¦u"


def test_applied_names_places_that_exist():
    registry = make_registry(PEOPLE, SEED, provinces=PROVINCES, dirt=Dirt.as_in_life())
    visits = set(registry.visits["visit"])
    assert set(registry.applied["visit"].drop_nulls()) <= visits
    assert set(registry.applied["person"].drop_nulls()) <= set(registry.persons["person"])
    assert registry.applied.filter(pl.col("person").is_null() & pl.col("facility").is_null()).is_empty()
