"""Periodic health checks: XML, gateway JSON and workbook give the same visits; screening only; counted once."""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.errors import InputError
from ncdsurv.ingest import read_file, read_files
from ncdsurv.reference import load_reference
from ncdsurv.synthetic.samples import sample_registry
from ncdsurv.synthetic.writers import checkups as writer
from tests.clean_support import KEY

CATALOG, REFERENCE = load_catalog(), load_reference()
SOURCE = CATALOG.sources["health_check"]
SAMPLES = Path(__file__).parents[2] / "data_samples" / "health_check"


@cache
def truth() -> dict[str, list[writer.Check]]:
    return writer.draw_checks(sample_registry())


def clean(*paths: Path) -> CleanBatch:
    return clean_batch(read_files(paths, SOURCE), SOURCE, CATALOG, REFERENCE, KEY)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return writer.write_samples(sample_registry(), tmp_path_factory.mktemp("checks"))


@pytest.fixture(scope="module")
def cleaned(files: list[Path]) -> CleanBatch:
    return clean(*files)


def test_every_check_comes_back_once_with_what_was_measured(cleaned: CleanBatch) -> None:
    wanted = sorted(
        (
            check.facility,
            check.seen.date(),
            check.sbp,
            check.dbp,
            check.weight_kg,
            check.height_cm,
            check.glucose_mmol_l or 0.0,
        )
        for checks in truth().values()
        for check in checks
    )
    columns = ["facility", "visited_on", "sbp", "dbp", "weight_kg", "height_cm", "glucose_mmol_l"]
    got = sorted(cleaned.visits.with_columns(pl.col("glucose_mmol_l").fill_null(0.0)).select(columns).rows())
    assert [row[:-1] for row in got] == [row[:-1] for row in wanted]
    # a value written in whole mg/dL comes back to within half of one of them
    assert all(abs(a[-1] - b[-1]) <= 0.06 for a, b in zip(got, wanted))


def test_a_check_through_two_gateways_counts_once_and_every_row_is_accounted_for(cleaned: CleanBatch) -> None:
    twice = len(writer.forwarded(truth())) - len(list(truth().values())[1])
    assert twice > 0
    assert cleaned.duplicates.height == twice
    counts = cleaned.counts
    assert (counts["rows_in"] == counts["kept"] + counts["rejected"] + counts["duplicates"]).all()
    assert cleaned.rejects.is_empty()


def test_a_health_check_is_screening_and_never_a_diagnosis(cleaned: CleanBatch) -> None:
    assert set(cleaned.visits["kind"]) == {"screening"}
    assert cleaned.diagnoses.is_empty()
    assert cleaned.visits["supply_days"].null_count() == cleaned.visits.height


def test_what_people_say_of_their_history_stands_beside_the_visit(cleaned: CleanBatch) -> None:
    said = [
        ";".join(
            disease
            for disease, had in (("hypertension", check.had_hypertension), ("diabetes", check.had_diabetes))
            if had
        )
        for checks in truth().values()
        for check in checks
    ]
    assert any(said)
    assert sorted(cleaned.visits["reported_history"].fill_null("")) == sorted(said)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="data_samples/ stands only in a checkout")
def test_the_samples_hold_the_same_visits(cleaned: CleanBatch) -> None:
    again = clean(*sorted(SAMPLES.iterdir()))
    assert set(again.visits["visit_id"]) == set(cleaned.visits["visit_id"])


def message(content: Any) -> str:
    return json.dumps({"header": {"sender_id": "8930000370013"}, "data": content})


@cache
def xml() -> str:
    facility, checks = next(iter(truth().items()))
    return writer.envelope(facility, checks[:2])


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ENVELOPES = {
    "data.file_content in base64": lambda: message({"file_content": coded(xml())}),
    "data in base64": lambda: message(coded(xml())),
    "data inline": lambda: message(xml()),
    "a list of envelopes": lambda: f"[{message(coded(xml()))}]",
    "one envelope a line": lambda: f"{message(coded(xml()))}\n{message(coded(xml()))}\n",
}


@pytest.mark.parametrize("shape", ENVELOPES)
def test_every_shape_of_the_gateway_envelope_is_read(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "gateway.json"
    path.write_text(ENVELOPES[shape](), encoding="utf-8")
    assert clean(path).visits.height == 2


def test_a_json_payload_is_read_like_the_same_tree_in_xml(tmp_path: Path) -> None:
    facility, checks = next(iter(truth().items()))
    cells = writer.cells_of(checks[0])
    hoso = {part: {name: cells[name] for name in names} for part, names in writer._PARTS.items()}
    tree = {"KHAMSUCKHOE": {"THONGTINHOSO": {"DANHSACHHOSO": {"HOSO": [hoso]}}}}
    path = tmp_path / "gateway.json"
    path.write_text(message({"file_content": coded(json.dumps(tree))}), encoding="utf-8")
    row = clean(path).visits.row(0, named=True)
    assert (row["facility"], row["sbp"], row["dbp"]) == (facility, checks[0].sbp, checks[0].dbp)


@pytest.mark.parametrize(
    "text", ['{"header": {}}', '{"data": "%%%"}', '{"data": {"file_content": 7}}', '{"data": ', "[1]"]
)
def test_an_envelope_without_a_file_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gateway.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_file(path, SOURCE)
    assert "\n" not in str(caught.value)


def test_what_runs_in_the_family_is_kept_as_a_finding_and_makes_no_diagnosis(
    files: list[Path], tmp_path: Path
) -> None:
    def told(found: re.Match[str]) -> str:
        part = base64.b64decode(found[0]).decode()
        more = "<TSGD_MA_BENH>E11.9; I10</TSGD_MA_BENH></TIEN_SU_BENH>"
        return base64.b64encode(part.replace("</TIEN_SU_BENH>", more).encode()).decode()

    path = tmp_path / files[0].name
    path.write_text(re.sub(r"[A-Za-z0-9+/=]{80,}", told, files[0].read_text("utf-8")), "utf-8")
    batch = clean(path)
    assert batch.visits.height > 0
    said = {"family_history:hypertension;family_history:diabetes"}
    assert set(batch.visits["screening_findings"]) == said
    assert batch.diagnoses.is_empty()
    assert set(clean(files[0]).visits["screening_findings"]) == {None}
