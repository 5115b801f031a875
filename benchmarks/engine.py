"""How fast the engine counts, against the best SQL for the same counts: python -m benchmarks.engine --patients N

Writes N invented patients in the store's layout (buckets of neighbouring communes, ordered), then times, each
in a process of its own so that peak memory is its own: reading the files (the limit), the engine (spells and
measures of all presets), and change events in DuckDB SQL. All counts must be equal: the totals of every
measure and a sum in which every count has the weight of its cell.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FIRST, LAST = "2023-07", "2026-06"  # 36 months
THREADS = 2
PRIME = 2**31 - 1
CELL = ("preset", "disease", "atom", "sex", "band", "month")


def _catalog_and_months():
    from ncdsurv.catalog import load_catalog
    from ncdsurv.catalog.vocabulary import Period

    return load_catalog(), Period.parse(FIRST).first_month, Period.parse(LAST).last_month


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _homes(folder: Path) -> list[Path]:
    return sorted(home for home in folder.iterdir() if home.is_dir())


def time_scan(folder: Path) -> dict:
    """Read every column the engine needs: nothing can be faster."""
    from benchmarks.engine_data import read_bucket

    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        rows = sum(pool.map(lambda home: read_bucket(home).contacts.height, _homes(folder)))
    return {"seconds": time.perf_counter() - start, "visits": rows, "peak_mb": _peak_mb()}


def time_engine(folder: Path, form: str) -> dict:
    """Read and count bucket by bucket; buckets run on two threads and are added up at the end."""
    import polars as pl

    from benchmarks.engine_data import make_bucket, read_bucket
    from ncdsurv.spells import add_buckets, count_bucket, measure_plan

    catalog, first, last = _catalog_and_months()
    months = {"first_month": first, "last_month": last, "form": form}
    count_bucket(
        make_bucket(0, 200, catalog, first, last), catalog, **months
    )  # loads the kernel from its cache
    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(
            pool.map(lambda home: count_bucket(read_bucket(home), catalog, **months), _homes(folder))
        )
    measures = add_buckets(parts)
    seconds, peak = time.perf_counter() - start, _peak_mb()
    names = measure_plan(catalog).names
    numbers = measures.select(
        pl.col("preset").to_physical(),
        pl.col("disease").to_physical(),
        "atom",
        pl.col("sex").to_physical(),
        pl.col("age_band").to_physical().alias("band"),
        "month",
        *(pl.col(name).alias(f"m{i}") for i, name in enumerate(names)),
    )
    return {"seconds": seconds, "peak_mb": peak, **fingerprint(numbers, len(names))}


def time_duckdb(folder: Path) -> dict:
    """Count in SQL straight from the Parquet files, two threads."""
    import duckdb

    from benchmarks.engine_sql import count_sql, load_masks
    from ncdsurv.spells import measure_plan

    catalog, first, last = _catalog_and_months()
    presets = list(catalog.presets)
    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}; SET preserve_insertion_order = false")
    load_masks(connection, catalog, presets)
    start = time.perf_counter()
    for name in ("people", "segments", "cases", "contacts"):
        # People are numbered within their bucket, and a contact's place is its row in its bucket's file.
        number = "regexp_extract(filename, '(\\d{5})/[a-z]+.parquet', 1)::BIGINT"
        ordered = name == "contacts"
        options = "filename = true, file_row_number = true" if ordered else "filename = true"
        dropped, place = ("person, filename, file_row_number", ", file_row_number AS place") if ordered else (
            "person, filename", "")  # fmt: skip
        connection.execute(
            f"""CREATE VIEW {name} AS SELECT * EXCLUDE ({dropped}), {number} * 1000000 + person AS person {place}
            FROM read_parquet('{folder}/*/{name}.parquet', {options})"""
        )
    for statement in count_sql(catalog, presets, first, last):
        connection.execute(statement)
    seconds, peak = time.perf_counter() - start, _peak_mb()
    found = connection.sql("SELECT * FROM counted").pl()
    return {"seconds": seconds, "peak_mb": peak, **fingerprint(found, len(measure_plan(catalog).names))}


def fingerprint(numbers, measures: int) -> dict:
    """Totals of every measure, and a sum in which each count is weighted by its cell and measure."""
    import polars as pl

    weight = pl.lit(7, pl.Int64)
    for column in CELL:
        weight = (weight * 31_337 + pl.col(column).cast(pl.Int64)) % PRIME
    counts = [pl.col(f"m{i}").cast(pl.Int64) for i in range(measures)]
    row = pl.sum_horizontal(count * (i * 7919 + 1) for i, count in enumerate(counts)) % PRIME
    return {
        "cells": numbers.height,
        "totals": [int(total) for total in numbers.select(count.sum() for count in counts).row(0)],
        "weighted": int(numbers.select(((weight * row) % PRIME).sum()).item()),
    }


def run(step: str, folder: Path, *more: str) -> dict:
    """One step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.engine", "--step", step, "--folder", str(folder), *more]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def benchmark(patients: int, form: str) -> dict:
    """Generate, time the three steps, assert equal counts; returns what `--json` prints."""
    from benchmarks.engine_data import write_buckets

    catalog, first, last = _catalog_and_months()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        visits = write_buckets(folder, patients, catalog, first, last)
        scan, engine, duckdb = (
            run("scan", folder),
            run("engine", folder, "--form", form),
            run("duckdb", folder),
        )
    for key in ("cells", "totals", "weighted"):
        if engine[key] != duckdb[key]:
            raise SystemExit(f"counts differ in {key}: engine {engine[key]}, DuckDB {duckdb[key]}")
    return {
        "patients": patients,
        "visits": visits,
        "cells": engine["cells"],
        "scan_s": round(scan["seconds"], 2),
        "engine_s": round(engine["seconds"], 2),
        "duckdb_s": round(duckdb["seconds"], 2),
        "scan_peak_mb": round(scan["peak_mb"]),
        "engine_peak_mb": round(engine["peak_mb"]),
        "duckdb_peak_mb": round(duckdb["peak_mb"]),
    }


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=500_000)
    parser.add_argument("--form", choices=("compiled", "polars"), default="compiled")
    parser.add_argument("--json", action="store_true", help="the last line is the result as JSON")
    parser.add_argument("--step", choices=("scan", "engine", "duckdb"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        steps = {"scan": time_scan, "duckdb": time_duckdb, "engine": lambda f: time_engine(f, given.form)}
        print(json.dumps(steps[given.step](given.folder)))
        return
    found = benchmark(given.patients, given.form)
    if given.json:
        print(json.dumps(found))
        return
    print(
        f"{found['patients']:,} patients, {found['visits']:,} visits, {found['cells']:,} rows of counts, equal"
    )
    print(f"{'way':<34}{'wall, s':>9}{'peak memory, MB':>18}")
    ways = {
        "scan": "scan of the layout (the limit)",
        "engine": f"engine, {given.form}",
        "duckdb": "DuckDB SQL",
    }
    for key, label in ways.items():
        print(f"{label:<34}{found[f'{key}_s']:>9.2f}{found[f'{key}_peak_mb']:>18,}")


if __name__ == "__main__":
    main()
