"""A mapping of a user's own: checked as those of the catalog, kept with its rows, used again with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncdsurv.errors import DefinitionError, InputError, UsageError
from ncdsurv.registry import open_store
from tests.draft_support import STATION, draft_of, english_csv, two_row_header, visits

SEEN = visits(people=5, each=2)
COMMUNE = '\n[fields.commune]\ndefault = "00691"\n'


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return english_csv(tmp_path / "e.csv", SEEN)


@pytest.fixture
def mapping(tmp_path: Path, export: Path) -> Path:
    path = tmp_path / "hill_clinic.toml"
    path.write_text(draft_of(export).text + COMMUNE, encoding="utf-8")
    return path


def test_the_text_of_the_mapping_stays_with_the_rows(tmp_path: Path, export: Path, mapping: Path) -> None:
    store = open_store(tmp_path / "registry")
    report = store.ingest(export, source=mapping)
    assert (report.kept, report.source) == (len(SEEN), "hill_clinic")
    log = store.lake.snapshot().read("ingest_log").row(0, named=True)
    assert log["source"] == "hill_clinic"
    assert store.files.open_path(log["mapping"]).read_bytes() == mapping.read_bytes()
    assert store.ingest(export, source=str(mapping)).commit is None  # the same file under the same mapping


def test_a_changed_mapping_reads_the_file_again_and_the_last_word_counts(
    tmp_path: Path, export: Path, mapping: Path
) -> None:
    store = open_store(tmp_path / "registry")
    store.ingest(export, source=mapping)
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(text.replace('columns = ["Weight (kg)"]', 'default = ""'), encoding="utf-8")
    again = store.ingest(export, source=mapping)
    assert again.rows_in == again.kept == len(SEEN)
    weights = store.lake.snapshot().read("visits").sort("received")["weight_kg"].to_list()
    assert None not in weights[: len(SEEN)]
    assert set(weights[len(SEEN) :]) == {None}
    mapping.unlink()


def test_rows_are_cleaned_again_with_the_mapping_they_came_with(
    tmp_path: Path, export: Path, mapping: Path
) -> None:
    store = open_store(tmp_path / "registry")
    store.ingest(export, source=mapping)
    other = two_row_header(tmp_path / "two.xlsx", SEEN)
    second = tmp_path / "valley.toml"
    second.write_text(draft_of(other).text + COMMUNE, encoding="utf-8")
    store.ingest(other, source=second)
    before = (
        store.lake.snapshot()
        .read("visits")
        .select("visited_on", "sbp", "dbp")
        .sort("visited_on", "sbp", "dbp")
    )
    for path in (mapping, second):
        path.unlink()
    assert store.rotate_key()["files"] == 2
    after = store.lake.snapshot()
    assert (
        after.read("visits")
        .select("visited_on", "sbp", "dbp")
        .sort("visited_on", "sbp", "dbp")
        .equals(before)
    )
    assert set(after.read("ingest_log")["source"]) == {"hill_clinic", "valley"}
    assert after.read("ingest_log")["mapping"].null_count() == 0


def test_every_gap_of_a_mapping_is_told_at_once(tmp_path: Path, export: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'names = { vi = "a", en = "a" }\nreader = "table"\nsource = "s"\nverified = false\n'
        '[fields.sbp]\ncolumns = ["x"]\n'
    )
    with pytest.raises(DefinitionError) as told:
        open_store(tmp_path / "registry").ingest(export, source=path)
    assert all(problem.startswith("mine.toml: ") for problem in told.value.problems)
    assert len(told.value.problems) >= 5
    assert not (tmp_path / "registry").exists()


@pytest.mark.parametrize(
    ("name", "error"), [("viettel.toml", UsageError), ("a b.toml", UsageError), ("nowhere.toml", InputError)]
)
def test_a_mapping_needs_a_file_and_a_name_of_its_own(
    tmp_path: Path, export: Path, mapping: Path, name: str, error: type[Exception]
) -> None:
    path = tmp_path / name
    if error is UsageError:
        path.write_bytes(mapping.read_bytes())
    with pytest.raises(error):
        open_store(tmp_path / "registry").ingest(export, source=path)


def test_the_station_of_the_mapping_stands_in_every_row(tmp_path: Path, export: Path, mapping: Path) -> None:
    store = open_store(tmp_path / "registry")
    store.ingest(export, source=mapping)
    assert set(store.lake.snapshot().read("visits")["facility"]) == {STATION}
