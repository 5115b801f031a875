"""What it costs to publish the values of all communes: python -m benchmarks.values [--atoms N] [--json]

One bucket of invented patients is counted, and its counts are laid on every atom of the reference in turn: a nation's
cells, with the counts of a few places. What is timed is what a release does of them, in a process of its own: every
indicator in every area of both vintages and every period of 36 months, its identities checked, into one file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

import polars as pl

from benchmarks.engine_data import PATIENTS_PER_ATOM, make_bucket
from benchmarks.engine_steps import months
from ncdsurv.catalog.vocabulary import Level, Vintage
from ncdsurv.indicators import iter_values
from ncdsurv.indicators.periods import at_period_ends
from ncdsurv.reference import load_reference
from ncdsurv.registry.checks import ValueChecks
from ncdsurv.registry.counting import MEASURES, count, question_of
from ncdsurv.registry.values import write_values
from ncdsurv.spells import measure_plan
from ncdsurv.spells.long import long_view

PATTERN = 50
"""Atoms whose counts are drawn; the others have the same."""
COUNTS, VALUES = "measures.parquet", "values.parquet"


def write_counts(path: Path, atoms: list[int]) -> int:
    """The counts of a release over some atoms, each as one of the pattern; returns the rows."""
    import pyarrow.parquet as pq

    first, last = months()
    question = question_of(first, last)
    counted, published = question.catalogs[MEASURES], question.published[MEASURES]
    bucket = make_bucket(0, PATTERN * PATIENTS_PER_ATOM, published, first, last)
    cells = at_period_ends(
        long_view(count(bucket, counted, first, last).cells, counted), published, first, last
    )
    rows, writer = 0, None
    for start in range(0, len(atoms), PATTERN):
        some = atoms[start : start + PATTERN]
        laid = cells.filter(pl.col("atom") < len(some)).with_columns(
            pl.col("atom").replace_strict(dict(enumerate(some)), return_dtype=pl.Int32)
        )
        table = laid.to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
        rows += laid.height
    if writer is not None:
        writer.close()
    return rows


def publish(folder: Path) -> dict[str, float]:
    """Work out, check and write the values: rows, wall and processor seconds, peak in MB."""
    catalog, reference = question_of(*months()).published[MEASURES], load_reference()
    measures = pl.scan_parquet(folder / COUNTS)
    start, cpu = time.perf_counter(), time.process_time()
    checks = ValueChecks(measures, measure_plan(catalog), catalog)
    values = iter_values(measures, reference, catalog, "benchmark", *months())
    published = write_values(folder / VALUES, values, checks.check)
    return {
        "values": published.rows,
        "wall_s": time.perf_counter() - start,
        "processor_s": time.process_time() - cpu,
        "peak_mb": getrusage(RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure(n_atoms: int | None) -> dict[str, Any]:
    """The cost over so many atoms, or all of them; every commune that has one stands in the values."""
    reference = load_reference()
    atoms = reference.atoms["atom"].sort().to_list()[:n_atoms]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found: dict[str, Any] = {"atoms": len(atoms), "counts": write_counts(folder / COUNTS, atoms)}
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.values", "--publish", name],
            check=True,
            capture_output=True,
            text=True,
        )
        found |= json.loads(told.stdout)
        lived = reference.atoms.filter(pl.col("atom").is_in(atoms))
        communes = (
            pl.scan_parquet(folder / VALUES)
            .filter(pl.col("area_level") == Level.COMMUNE.value)
            .select(pl.struct("area_vintage", "area_code").n_unique())
            .collect()
            .item()
        )
        expected = sum(lived[f"commune_{vintage}"].drop_nulls().n_unique() for vintage in Vintage)
        if communes != expected:
            raise SystemExit(f"{communes} communes have values, {expected} have counts")
        return {**found, "file_mb": (folder / VALUES).stat().st_size / 1e6}


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, help="only so many communes of before and after (default: all)")
    parser.add_argument("--json", action="store_true", help="the result as one line of JSON")
    parser.add_argument("--publish", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.publish:
        print(json.dumps(publish(given.publish)))
        return
    found = {name: round(value, 1) for name, value in measure(given.atoms).items()}
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:<12}{value:>16,.0f}")


if __name__ == "__main__":
    main()
