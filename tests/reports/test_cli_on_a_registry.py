"""The command line on a registry: each verb says what a person needs, and refuses in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ncdsurv.cli import run

if TYPE_CHECKING:
    from ncdsurv.registry import Store

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def store(sample_store: Store) -> list[str]:
    return ["--store", str(sample_store.folder)]


def test_releases_are_listed_shown_and_compared(
    store: list[str], sample_store: Store, capsys: Capture
) -> None:
    latest = sample_store.releases.latest().id
    assert run(["release", "list", *store]) == 0
    assert latest in capsys.readouterr().out
    assert run(["release", "show", "latest", *store]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == latest
    assert run(["release", "diff", latest, "latest", "--json", *store]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run(["release", "show", latest[:-1] + "x", *store]) == 2
    assert f"try {latest}" in capsys.readouterr().err


def test_a_form_is_written_and_one_outside_its_validity_names_the_right_one(
    store: list[str], tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "form.xlsx"
    place = ["--period", "2026-06", "--out", str(out), *store]
    assert run(["form", "tt23_2025", "--area", "08", *place]) == 0
    assert out.read_bytes().startswith(b"PK")
    assert run(["form", "tt37_2019", "--area", "02", *place]) == 2
    assert "tt23_2025" in capsys.readouterr().err


def test_reference_packs_and_the_state_of_the_registry_are_shown(store: list[str], capsys: Capture) -> None:
    assert run(["reference", "list", *store]) == 0
    assert "builtin" in capsys.readouterr().out
    assert run(["doctor", *store]) == 0
    assert "releases: 1" in capsys.readouterr().out


def test_a_dry_run_of_a_report_prints_its_plan(store: list[str], tmp_path: Path, capsys: Capture) -> None:
    words = ["report", "province_report", "--province", "pilot", "--out", str(tmp_path / "out"), *store]
    assert run([*words, "--dry-run"]) == 0
    assert capsys.readouterr().out.count("planned") == 6
    assert run([*words, "-p", "preset=heart"]) == 2
    assert "try hearts" in capsys.readouterr().err
    assert run(["report", "national_overview", "--province", "79", *store]) == 2


def test_a_key_is_shown_once_and_kept_as_a_hash(tmp_path: Path, capsys: Capture) -> None:
    keys = tmp_path / "keys.json"
    assert run(["key", "create", "--name", "pilot", "--keys", str(keys)]) == 0
    key = capsys.readouterr().out.strip()
    assert key.startswith("ncds_")
    assert key.rpartition("_")[2] not in keys.read_text()


def test_sample_ingest_link_and_build_from_nothing(tmp_path: Path, capsys: Capture) -> None:
    store = ["--store", str(tmp_path / "registry")]
    assert run(["sample", "--patients", "60", "--seed", "5", "--out", str(tmp_path)]) == 0
    assert run(["reference", "add", str(tmp_path / "reference"), *store]) == 0
    sources = sorted(folder for folder in (tmp_path / "exports").iterdir())
    capsys.readouterr()
    for folder in sources:
        assert run(["ingest", str(folder), "--source", folder.name, "--json", *store]) == 0
        taken = json.loads(capsys.readouterr().out)
        assert taken["balances"]
        assert taken["rows_in"] > 0
    assert run(["link", *store]) == 0
    assert "persons: " in capsys.readouterr().out
    assert run(["build", "--as-of", "2026-06", *store]) == 0
    assert capsys.readouterr().out.startswith("2026-06-")
