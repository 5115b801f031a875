"""A draft of a known format reads the same as the format's own mapping, though drafting is not told which it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ncdsurv.catalog.sources import SourceMapping, read_mapping
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.cli import run
from ncdsurv.draft import draft_source
from ncdsurv.errors import InputError
from ncdsurv.ingest import read_file
from ncdsurv.reference import load_reference
from tests.clean_support import CATALOG, KEY
from tests.conftest import SAMPLES

REFERENCE = load_reference()
SAME = [
    "facility", "visited_on", "disease", "kind", "sbp", "dbp", "glucose_mmol_l", "hba1c_percent", "weight_kg",
    "height_cm", "supply_days", "next_visit_on", "patient_status",
]  # fmt: skip


def first(source: str, *words: str) -> list[Path]:
    """A sample of each suffix."""
    found = {
        path.suffix: path
        for path in sorted((SAMPLES / source).iterdir())
        if path.suffix in (".xlsx", ".xls", ".csv")
    }
    return list(found.values())


def cleaned(path: Path, mapping: SourceMapping) -> CleanBatch:
    return clean_batch(read_file(path, mapping), mapping, CATALOG, REFERENCE, KEY)


def said(batch: CleanBatch) -> pl.DataFrame:
    return batch.visits.select(name for name in SAME if name in batch.visits.columns).sort(pl.all())


TABLES = [path for source in ("viettel", "moh_ncd_excel", "vnpt", "vietsen") for path in first(source)]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_the_draft_of_a_sample_reads_what_its_own_source_reads(path: Path) -> None:
    draft = draft_source(path, "trial", CATALOG, REFERENCE)
    mapping, problems = read_mapping(draft.text.encode(), "trial", CATALOG.diseases)
    assert problems == []
    assert mapping is not None
    ours, own = cleaned(path, mapping), cleaned(path, CATALOG.sources[path.parent.name])
    counts = ["rows_in", "kept", "rejected", "duplicates"]
    assert ours.counts.select(counts).sum().row(0) == own.counts.select(counts).sum().row(0)
    assert said(ours).equals(said(own))
    assert ours.diagnoses["disease"].sort().equals(own.diagnoses["disease"].sort())
    assert ours.patients["sex"].sort().equals(own.patients["sex"].sort())
    identity: Any = ["name_key", "citizen_id", "insurance_number", "birth_date", "commune_code"]
    assert (
        ours.identifiers.select(identity)
        .sort(pl.all())
        .equals(own.identifiers.select(identity).sort(pl.all()))
    )


def test_a_file_that_is_no_table_is_sent_to_the_sources_that_read_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = sorted((SAMPLES / "his_xml").iterdir())[0]
    with pytest.raises(InputError):
        draft_source(path, "trial", CATALOG, REFERENCE)
    assert run(["source", "draft", str(path)]) == 1
    assert "his_xml" in capsys.readouterr().err


def test_no_cell_of_a_sample_is_in_its_draft() -> None:
    path = next(path for path in first("viettel") if path.suffix == ".csv")
    mapping = CATALOG.sources["viettel"]
    rows = read_file(path, mapping).frame
    text = draft_source(path, "trial", CATALOG, REFERENCE).text
    for field in (
        "name",
        "citizen_id",
        "insurance_number",
        "phone",
        "address",
        "birth_date",
        "source_patient_id",
    ):
        values = set(rows[field].drop_nulls().unique().to_list())
        assert [value for value in values if value in text and len(value) > 3] == [], field
