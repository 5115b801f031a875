"""How fast the engine counts, against the best SQL for the same counts: python benchmarks/engine.py --patients N

Writes N invented patients in the store's layout (buckets of neighbouring communes, ordered), then times each way
in a process of its own so that its peak memory is its own. All counts must be equal: the totals of every count
and a sum in which every count has the weight of its cell; a run whose counts differ fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the file runs by its path too

ONE = "hearts"
WAYS = {
    "scan": "scan of the layout (the limit)",
    "engine": "engine, one preset",
    "engine_3": "engine, {presets} presets in one pass",
    "build": "engine, {presets} presets, counts and carry kept",
    "month": "engine, one month more, counted from the carry",
    "duckdb": "DuckDB SQL, one preset",
    "pandas": "pandas person x month, one disease, {share}",
    "sort": "(sort of an import into buckets, {share})",
}
SKIPPABLE = ("month", "duckdb", "pandas", "sort")


def run(step: str, folder: Path, presets: list[str], form: str) -> dict:
    """One step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.engine", "--step", step, "--folder", str(folder)]
    command += ["--presets", ",".join(presets), "--form", form]
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the step {step} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def _equal(ways: dict[str, dict], one: str, other: str) -> None:
    for key in ("cells", "totals", "weighted"):
        if ways[one]["found"][key] != ways[other]["found"][key]:
            raise SystemExit(
                f"counts differ in {key}: {one} {ways[one]['found'][key]}, {other} {ways[other]['found'][key]}"
            )


def benchmark(patients: int, form: str, skip: set[str], folder: Path) -> dict:
    """Generate, time every way, assert equal counts; returns what `--json` prints."""
    from benchmarks.engine_data import write_buckets
    from benchmarks.engine_steps import homes, months, tenth
    from ncdsurv.catalog import load_catalog

    catalog, (first, last) = load_catalog(), months()
    presets = list(catalog.presets)
    visits = write_buckets(folder, patients, catalog, first, last)
    ways = {"scan": run("scan", folder, [ONE], form), "engine": run("engine", folder, [ONE], form)}
    ways["engine_3"] = run("engine", folder, presets, form)
    if "month" not in skip:
        ways["build"] = run("build", folder, presets, form)
        run("before", folder, presets, form)
        ways["month"] = run("month", folder, presets, form)
        _equal(ways, "engine_3", "build")
        _equal(ways, "engine_3", "month")
    for way in ("duckdb", "pandas", "sort"):
        if way not in skip:
            ways[way] = run(way, folder, [ONE], form)
    if "duckdb" in ways:
        _equal(ways, "engine", "duckdb")
    if "pandas" in ways and not ways["pandas"]["found"]["same"]:
        raise SystemExit(f"counts differ: pandas {ways['pandas']['found']}")
    scale = len(homes(folder)) / len(tenth(folder))
    found = {"patients": patients, "visits": visits, "cells": ways["engine"]["found"]["cells"]}
    found |= {"presets": len(presets), "scaled_by": round(scale, 2)}
    for way, told in ways.items():
        factor = scale if way in ("pandas", "sort") else 1
        found[f"{way}_s"] = round(told["seconds"] * factor, 2)
        found[f"{way}_processor_s"] = round(told["processor"] * factor, 2)
        found[f"{way}_peak_mb"] = round(told["peak_mb"])
    return found


def table(found: dict) -> str:
    """The result for people."""
    words = {
        "presets": found["presets"],
        "share": f"a part x {found['scaled_by']:g}" if found["scaled_by"] > 1 else "whole",
    }
    lines = [
        f"{found['patients']:,} patients, {found['visits']:,} visits, 36 months, {found['cells']:,} rows of counts; "
        "counts equal",
        f"{'way':<48}{'wall, s':>9}{'processor, s':>14}{'peak memory, MB':>18}",
    ]
    for way, label in WAYS.items():
        if f"{way}_s" in found:
            numbers = f"{found[f'{way}_s']:>9.2f}{found[f'{way}_processor_s']:>14.2f}"
            lines.append(f"{label.format(**words):<48}{numbers}{found[f'{way}_peak_mb']:>18,}")
    return "\n".join(lines)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=500_000)
    parser.add_argument("--form", choices=("compiled", "polars"), default="compiled")
    parser.add_argument("--json", action="store_true", help="the last line is the result as JSON")
    parser.add_argument("--skip", default="", help=f"ways to leave out, by comma: {', '.join(SKIPPABLE)}")
    parser.add_argument(
        "--folder", type=Path, help="where to write the patients (default: a temporary folder)"
    )
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--presets", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        from benchmarks import engine_steps

        if given.step == "scan":
            told = engine_steps.scan(given.folder)
        else:
            told = getattr(engine_steps, given.step)(given.folder, given.presets.split(","), given.form)
        print(json.dumps(told))
        return
    skip = set(filter(None, given.skip.split(",")))
    if not skip <= set(SKIPPABLE):
        parser.error(f"--skip takes {', '.join(SKIPPABLE)}")
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        found = benchmark(given.patients, given.form, skip, Path(name))
    print(table(found))
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
