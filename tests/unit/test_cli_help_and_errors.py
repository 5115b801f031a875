"""The command line: light to start, one line for an error, the nearest name for a typo."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ncdsurv import __version__
from ncdsurv.cli import run

HEAVY = {"polars", "pandas", "geopandas", "statsmodels", "matplotlib", "papermill", "numpy"}


def _modules_after(arguments: list[str]) -> set[str]:
    code = (
        "import sys, io, contextlib\n"
        "from ncdsurv.cli import run\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    assert run({arguments!r}) == 0\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("arguments", [["--help"], ["report", "--help"], ["--version"]])
def test_help_loads_no_frame_library(arguments: list[str]) -> None:
    assert not _modules_after(arguments) & HEAVY


def test_every_verb_has_a_help_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    for verb in (
        "demo", "sample", "ingest", "link", "build", "release", "report", "form", "reference", "catalog", "doctor",
        "serve", "key",
    ):  # fmt: skip
        assert f"\n  {verb} " in shown
        assert run([verb, "--help"]) == 0


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"ncdsurv {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["reprot"], "report"),
        (["report", "provnce_report"], "province_report"),
        (["report", "province_report", "--provnce", "79"], "--province"),
        (["catalog", "disease"], "diseases"),
        (["catalog", "diseases", "hypertention"], "hypertension"),
        (["build", "--as-of", "2026-13"], "2026-06"),
        (["demo", "--lang", "vn"], "allowed: en, vi"),
        (["ingest", "x.xlsx", "--source", "vietel"], "viettel"),
    ],
)
def test_a_typo_is_exit_2_and_one_line_with_the_nearest_name(
    arguments: list[str],
    nearest: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("\n") == 1
    assert nearest in said.err
    assert "Traceback" not in said.err


def test_catalog_prints_definitions_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalog", "presets", "--json"]) == 0
    presets = json.loads(capsys.readouterr().out)
    assert presets["tt37"]["verified"] is False
    assert run(["catalog", "presets", "hearts"]) == 0
    assert json.loads(capsys.readouterr().out)["lost_after_months"] == 12


def test_doctor_finds_a_whole_installation(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["doctor", "--store", str(tmp_path / "none")]) == 0
    assert "no registry" in capsys.readouterr().out


def test_a_registry_without_release_is_a_preflight_failure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert (
        run(["report", "province_report", "--store", str(tmp_path / "r"), "--out", str(tmp_path / "o")]) == 3
    )
    assert "ncdsurv build" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_stopping_is_exit_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from ncdsurv.reports import doctor

    def stop(_: Path) -> list[doctor.Finding]:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "examine", stop)
    assert run(["doctor"]) == 130
    assert capsys.readouterr().err == "ncdsurv: stopped\n"
