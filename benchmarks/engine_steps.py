"""The steps of the engine's benchmark: each runs in a process of its own, times itself and tells its peak memory.

What is timed begins when the libraries are loaded and ends when the counts are on the disk; what is compared
afterwards (`fingerprint`) is read back from there.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.engine_data import make_bucket, read_bucket, read_month
from ncdsurv.catalog import Catalog, load_catalog
from ncdsurv.catalog.vocabulary import Period
from ncdsurv.spells import Bucket, count_packed, count_wide, measure_plan
from ncdsurv.store.mapped import write_mapped

FIRST, LAST = "2023-07", "2026-06"  # 36 months
THREADS = 3  # as many as `registry.counting` has
CORES = 2  # of the machine the targets are set for
PRIME = 2**31 - 1
CELL = ("disease", "atom", "sex", "band", "month")
LATER = "later"
"""Contacts that counting the last month from a carry needs: of that month, and of people with a new case."""


def months() -> tuple[int, int]:
    """First and last month counted."""
    return Period.parse(FIRST).first_month, Period.parse(LAST).last_month


def homes(folder: Path) -> list[Path]:
    """The folders of the buckets."""
    return sorted(home for home in folder.iterdir() if home.is_dir() and home.name.isdigit())


def _timed(work: Callable[[Any], Any], folders: Sequence[Any]) -> dict[str, Any]:
    """Do the work for every bucket on a few threads: seconds of wall and of processors, and the peak in MB."""
    start, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(work, folders))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - cpu,
        "peak_mb": peak,
        "found": found,
    }


def _warm(catalog: Catalog, presets: Sequence[str], form: str) -> None:
    """Count a few people, so that the compiled form is loaded from its cache before the clock starts."""
    first, last = months()
    bucket = make_bucket(0, 200, catalog, first, last)
    counted, carry = count_packed(bucket, catalog, presets, first_month=first, last_month=last - 1, form=form)
    assert counted.height
    count_packed(bucket, catalog, presets, first_month=last, last_month=last, form=form, carry=carry)


def scan(folder: Path) -> dict[str, Any]:
    """Read every column the engine needs: nothing can be faster."""
    told = _timed(lambda home: read_bucket(home).contacts.height, homes(folder))
    return {**told, "found": sum(told["found"])}


def engine(folder: Path, presets: Sequence[str], form: str) -> dict[str, Any]:
    """Read and count bucket by bucket; the counts of each go to the disk before the next."""
    catalog, (first, last) = load_catalog(), months()
    out = folder / f"counts-{len(presets)}"
    out.mkdir()
    _warm(catalog, presets, form)

    def work(home: Path) -> None:
        counts = count_wide(
            read_bucket(home), catalog, presets, first_month=first, last_month=last, form=form
        )
        counts.write_ipc(out / f"{home.name}.arrow", compression="lz4")

    told = _timed(work, homes(folder))
    return {**told, "found": fingerprint(_counts(out), catalog, presets)}


def build(folder: Path, presets: Sequence[str], form: str) -> dict[str, Any]:
    """Read and count all months, and keep what a later month is counted from."""
    catalog, (first, last) = load_catalog(), months()
    for name in ("counts-build", "carry-build"):
        (folder / name).mkdir()
    _warm(catalog, presets, form)

    def work(home: Path) -> None:
        bucket = read_bucket(home)
        _keep(
            folder,
            "build",
            home,
            *count_packed(bucket, catalog, presets, first_month=first, last_month=last, form=form),
        )

    told = _timed(work, homes(folder))
    return {**told, "found": fingerprint(_counts(folder / "counts-build"), catalog, presets)}


def _keep(folder: Path, when: str, home: Path, counts: pl.DataFrame, carry: pl.DataFrame) -> None:
    counts.write_ipc(folder / f"counts-{when}" / f"{home.name}.arrow", compression="lz4")
    write_mapped(carry, folder / f"carry-{when}" / f"{home.name}.arrow")


def before(folder: Path, presets: Sequence[str], form: str) -> dict[str, Any]:
    """What a build one month earlier leaves behind: counts and carry; and the new month's contacts in a file."""
    catalog, (first, last) = load_catalog(), months()
    for name in ("counts-before", "carry-before"):
        (folder / name).mkdir()
    _warm(catalog, presets, form)

    def work(home: Path) -> None:
        whole = read_bucket(home)
        then = known_by(whole, last - 1)
        counts, carry = count_packed(
            then, catalog, presets, first_month=first, last_month=last - 1, form=form
        )
        _keep(folder, "before", home, counts, carry)
        new = whole.cases.join(carry, on=["person", "disease"], how="anti")["person"].unique()
        wanted = (pl.col("month") == last) | pl.col("person").is_in(new.implode())
        later = whole.contacts.filter(wanted)
        later.write_parquet(home / f"{LATER}.parquet", compression="zstd", compression_level=1)

    return {**_timed(work, homes(folder)), "found": None}


def known_by(bucket: Bucket, month: int) -> Bucket:
    """The bucket as it was laid out at the end of a month: without later contacts and later cases."""
    begun = pl.any_horizontal(
        pl.col(name) <= month for name in bucket.cases.columns if name.endswith("_month")
    )
    return Bucket(
        **{
            **bucket.tables(),
            "cases": bucket.cases.filter(begun),
            "contacts": bucket.contacts.filter(pl.col("month") <= month),
        }
    )


def month(folder: Path, presets: Sequence[str], form: str) -> dict[str, Any]:
    """Count the last month from the carry of the month before and the new contacts."""
    catalog, (_, last) = load_catalog(), months()
    for name in ("counts-month", "carry-month"):
        (folder / name).mkdir()
    _warm(catalog, presets, form)

    def work(home: Path) -> None:
        bucket, carry = read_month(home, LATER, folder / "carry-before" / f"{home.name}.arrow")
        span = {"first_month": last, "last_month": last, "form": form}
        _keep(folder, "month", home, *count_packed(bucket, catalog, presets, **span, carry=carry))

    told = _timed(work, homes(folder))
    both = [*_counts(folder / "counts-before"), *_counts(folder / "counts-month")]
    return {**told, "found": fingerprint(both, catalog, presets)}


def duckdb(folder: Path, presets: Sequence[str], form: str) -> dict[str, Any]:
    """Count in SQL straight from the Parquet files, a thread for each core; the counts go to a Parquet file."""
    import duckdb as library

    from benchmarks.engine_sql import count_sql, load_masks

    catalog, (first, last) = load_catalog(), months()
    connection = library.connect(str(folder / "work.duckdb"))
    connection.execute(f"SET threads = {CORES}; SET preserve_insertion_order = false")
    load_masks(connection, catalog, list(presets))
    out = folder / f"counts-sql-{len(presets)}.parquet"
    start, cpu = time.perf_counter(), time.process_time()
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
    for statement in count_sql(catalog, list(presets), first, last):
        connection.execute(statement)
    connection.execute(f"COPY counted TO '{out}' (FORMAT parquet)")
    told = {
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    return {**told, "found": fingerprint([pl.scan_parquet(out)], catalog, presets)}


def sort(folder: Path, presets: Sequence[str], form: str) -> dict[str, Any]:
    """Bring the contacts of some buckets from the order of their dates into the order of the layout."""
    some = tenth(folder)
    shuffled = folder / "arrived.parquet"
    pl.concat(
        [
            pl.scan_parquet(home / "contacts.parquet").with_columns(bucket=pl.lit(int(home.name), pl.Int32))
            for home in some
        ]
    ).collect().sort("day", "dbp", "person", nulls_last=True).write_parquet(shuffled)
    out = folder / "sorted"
    out.mkdir()
    start, cpu = time.perf_counter(), time.process_time()
    arrived = pl.read_parquet(shuffled)
    for (number,), part in arrived.partition_by("bucket", as_dict=True, include_key=False).items():
        part.sort("person", "day").write_parquet(
            out / f"{number}.parquet", compression="zstd", compression_level=1
        )
    return {
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "found": None,
    }


def tenth(folder: Path) -> list[Path]:
    """A tenth of the buckets, at least one."""
    some = homes(folder)
    return some[: max(1, len(some) // 10)]


def pandas(folder: Path, presets: Sequence[str], form: str) -> dict[str, Any]:
    """Person x month in pandas, on a tenth: two counts of one disease under one preset."""
    from benchmarks.engine_pandas import count_grid, same_counts

    catalog, (first, last) = load_catalog(), months()
    preset = catalog.presets[presets[0]]
    start, cpu = time.perf_counter(), time.process_time()
    found = count_grid(tenth(folder), preset, first, last)
    told = {
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    names = [f"{home.name}.arrow" for home in tenth(folder)]
    counted = pl.concat([pl.read_ipc(folder / "counts-1" / name) for name in names])
    return {**told, "found": same_counts(found, counted, catalog, preset)}


def _counts(folder: Path) -> list[pl.LazyFrame]:
    return [pl.scan_ipc(path) for path in sorted(folder.iterdir())]


def fingerprint(parts: Iterable[pl.LazyFrame], catalog: Catalog, presets: Sequence[str]) -> dict[str, Any]:
    """Rows, totals of every count, and a sum in which each count has the weight of its cell and its column."""
    names = measure_plan(catalog).columns_of(presets)
    cells, weighted, totals = 0, 0, [0] * len(names)
    for part in parts:
        numbers = _numbered(part.collect(), names)
        counts = [pl.col(name).cast(pl.Int64) for name in names]
        weight = pl.lit(7, pl.Int64)
        for column in CELL:
            weight = (weight * 31_337 + pl.col(column).cast(pl.Int64)) % PRIME
        row = pl.sum_horizontal(count * (i * 7919 + 1) for i, count in enumerate(counts)) % PRIME
        cells += numbers.height
        weighted = (weighted + int(numbers.select(((weight * row) % PRIME).sum()).item())) % PRIME
        totals = [a + int(b) for a, b in zip(totals, numbers.select(c.sum() for c in counts).row(0))]
    return {"cells": cells, "totals": totals, "weighted": weighted}


def _numbered(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Cells by number, whether a way calls them by name or by number; counts by their names."""
    renamed = {"age_band": "band", "place": "atom", **{f"m{i}": name for i, name in enumerate(names)}}
    found = frame.rename({old: new for old, new in renamed.items() if old in frame.columns})
    return found.select(
        *(
            pl.col(name).to_physical() if found[name].dtype == pl.Enum else pl.col(name)
            for name in (*CELL, *names)
        )
    )
