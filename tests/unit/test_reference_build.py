"""The built-in pack is what its build script makes of the packages and the figures in the repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ncdsurv.reference.pack import BUILTIN

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "build_reference_pack.py"


def test_a_second_build_writes_the_same_tables(tmp_path: Path) -> None:
    pytest.importorskip("vietnamadminunits", reason="the package the pack is built from is not installed")
    run = subprocess.run(
        [sys.executable, SCRIPT, "--tables-only", "--out", tmp_path], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["archipelagos.toml", "areas.csv", "crosswalk.csv", "pack.toml", "population.csv"]
    for name in written:
        assert (tmp_path / name).read_bytes() == (BUILTIN / name).read_bytes(), name


def test_the_figures_say_where_they_come_from() -> None:
    sources = SCRIPT.parent / "reference_pack" / "sources"
    for path in sorted(sources.glob("*.csv")):
        assert path.read_text(encoding="utf-8").startswith("# "), path.name
    for name in ("regions.toml", "pilots.toml", "archipelagos.toml"):
        assert "source = " in (sources / name).read_text(encoding="utf-8")
