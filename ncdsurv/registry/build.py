"""Count, publish, check and seal a release."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

import ncdsurv
from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR, Period, month_index, month_label
from ncdsurv.errors import UsageError
from ncdsurv.indicators import iter_values
from ncdsurv.indicators.periods import at_period_ends
from ncdsurv.indicators.units import iter_unit_values
from ncdsurv.registry import counting
from ncdsurv.registry.assemble import write_measures
from ncdsurv.registry.checks import ValueChecks, check_measures, partitions
from ncdsurv.registry.continued import tell
from ncdsurv.registry.counted import CountCache
from ncdsurv.registry.counting import Progress, Runner, count_buckets, question_of
from ncdsurv.registry.digest import basis, fingerprint, told_by
from ncdsurv.registry.linking import last_laid, link
from ncdsurv.registry.quality import quality_of
from ncdsurv.registry.stations import station_counts
from ncdsurv.registry.tallied import Tallied
from ncdsurv.registry.units import UnitChecks, add_units
from ncdsurv.registry.values import Published, write_values
from ncdsurv.remembered import Remembered
from ncdsurv.spells import long_view, measure_plan
from ncdsurv.store.atomic import new_folder
from ncdsurv.store.files import sha256_of
from ncdsurv.store.release import (
    CATALOG,
    DOSSIER,
    MANIFEST,
    MEASURES,
    QUALITY,
    SENSITIVITY,
    UNITS,
    VALUES,
    Release,
)
from ncdsurv.synthetic.known import any_invented

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.reference import Reference
    from ncdsurv.registry.store import Store
    from ncdsurv.store.lake import Snapshot

MOST_MONTHS = 3 * MONTHS_PER_YEAR
"""Months published where the caller names no number and the records reach further back."""
_PACKAGES = ("polars", "numpy", "deltalake", "pyarrow", "scipy", "pydantic", "numba")
_DIGITS = 8
_VARIANTS = "variants.parquet"
"""The counts of the variants, while they are published; no file of the release."""


def _divided(catalog: Catalog) -> dict[str, dict[str, list[str]]]:
    plan = measure_plan(catalog)
    return {preset: partitions(plan, preset) for preset in catalog.presets}


_DIVIDED: Remembered[Catalog, dict[str, dict[str, list[str]]]] = Remembered(_divided)


def build_release(
    store: Store,
    as_of: str,
    months: int | None,
    progress: Progress | None,
    runner: Runner | None = None,
) -> Release:
    """Build a release, or give back the one already built from the same; the caller holds the lock."""
    period = Period.parse(as_of)
    if period.n_months != 1:
        raise UsageError("the reference month must be a month", got=as_of, allowed="YYYY-MM")
    last = period.last_month
    linked = link(store)
    snapshot = store.lake.snapshot()
    first = last - months + 1 if months else _first_month(snapshot, last)
    inputs = basis(store, snapshot)
    release_id = f"{period}-{fingerprint([inputs, first, last])[:_DIGITS]}"
    folder = store.releases.folder / release_id
    if not store.releases.has(release_id):
        if not (folder / MANIFEST).is_file():  # on object storage a build may have ended before it published
            with new_folder(folder) as temporary:
                _fill(store, snapshot, temporary, release_id, (first, last), inputs, linked, runner, progress)
        store.releases.publish(release_id)
    return store.releases.open(release_id)


def _first_month(snapshot: Snapshot, last: int) -> int:
    earliest = snapshot.scan("visits").select(pl.col("visited_on").min()).collect().item()
    if earliest is None or month_index(earliest) > last:
        raise UsageError(
            "no visit up to the reference month",
            got=month_label(last),
            allowed="no visit at all"
            if earliest is None
            else f"{month_label(month_index(earliest))} or later",
            do="give a later month",
        )
    return max(month_index(earliest), last - MOST_MONTHS + 1)


def _fill(
    store: Store,
    snapshot: Snapshot,
    folder: Path,
    release_id: str,
    months: tuple[int, int],
    inputs: dict[str, Any],
    linked: dict[str, Any],
    runner: Runner | None,
    progress: Progress | None,
) -> None:
    """Write all files of a release into a folder; raises before the manifest if an identity breaks."""
    reference = store.reference
    catalog = question_of(*months).published[counting.MEASURES]
    rows, by_unit, held = _count(store, snapshot, folder, months, runner, progress)
    told = tell(snapshot, catalog, months[1], Tallied(store, told_by(store, snapshot)), store.folder)
    stations = station_counts(store, snapshot, told, catalog, *months)
    published, units = _publish(folder, by_unit, stations, reference, release_id, months)
    quality_of(store, snapshot, told).write_parquet(folder / QUALITY, compression="zstd")
    _write_json(folder / CATALOG, catalog.model_dump(mode="json"))
    _write_json(folder / DOSSIER, _dossier(published))
    files = {path.name: _file_facts(path) for path in sorted(folder.iterdir())}
    _write_json(
        folder / MANIFEST,
        {
            "id": release_id,
            "as_of": month_label(months[1]),
            "first_month": month_label(months[0]),
            "last_month": month_label(months[1]),
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "inputs": inputs,
            "vintage": {"commit": snapshot.number, "tables": snapshot.versions, "key_id": snapshot.key_id},
            "definitions_hash": inputs["definitions"],
            "reference_packs": reference.manifest,
            "invented": any_invented(snapshot.read("ingest_log")["file_sha256"]),
            "versions": _versions(),
            "counts": {
                **_counts(snapshot, linked),
                "measures": rows,
                "values": published.rows,
                "values_by_unit": units.rows,
            },
            "checks": [*held, *ValueChecks.HELD, *UnitChecks.HELD],
            "contents": _contents(published, units),
            "files": files,
        },
    )


def _publish(
    folder: Path,
    by_unit: pl.DataFrame,
    stations: pl.DataFrame,
    reference: Reference,
    release_id: str,
    months: tuple[int, int],
) -> tuple[Published, Published]:
    """Write the values of areas, of facilities and of the variants; gives what stands in the first two.

    The counts are read from their files, a few columns at a time: they are never in memory whole.
    """
    catalogs = question_of(*months).published
    catalog, varied = catalogs[counting.MEASURES], catalogs[counting.SENSITIVITY]
    measures, varied_measures = pl.scan_parquet(folder / MEASURES), pl.scan_parquet(folder / _VARIANTS)
    checks = ValueChecks(measures, measure_plan(catalog), catalog)
    values = iter_values(measures, reference, catalog, release_id, *months, stations)
    published = write_values(folder / VALUES, values, checks.check)
    unit_checks = UnitChecks(checks.counted, checks.plan)
    units = iter_unit_values(by_unit, catalog, release_id, *months)
    written = write_values(folder / UNITS, units, unit_checks.check)
    varied_checks = ValueChecks(varied_measures, measure_plan(varied), varied)
    values = iter_values(varied_measures, reference, varied, release_id, *months)
    write_values(folder / SENSITIVITY, values, varied_checks.check)
    (folder / _VARIANTS).unlink()
    return published, written


def _contents(published: Published, units: Published) -> dict[str, list[str]]:
    """The distinct values of the key columns; the levels are those of areas and of other places."""
    level = "area_level"
    found = {name: sorted(words) for name, words in published.contents.items()}
    return {**found, level: sorted(published.contents[level] | units.contents[level])}


def _count(
    store: Store,
    snapshot: Snapshot,
    folder: Path,
    months: tuple[int, int],
    runner: Runner | None,
    progress: Progress | None,
) -> tuple[int, pl.DataFrame, list[str]]:
    """Count all buckets and write the file of measures, and for a while that of the variants.

    Returns:
        Rows of the measures, the counts by facility and source, and which identities hold.
    """
    question = question_of(*months)
    catalog = question.catalogs[counting.MEASURES]
    plan = measure_plan(catalog)
    cache = CountCache(store.counted, snapshot, last_laid(store), months)
    numbers = count_buckets(snapshot, question, cache, runner, progress)
    held: list[str] = []
    divided = _DIVIDED.of(catalog)

    def check(counts: pl.DataFrame) -> None:
        held[:] = check_measures(counts, plan, catalog, divided)

    def by_preset(name: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
        counted, published = question.catalogs[name], question.published[name]
        return lambda wide: at_period_ends(long_view(wide, counted), published, *months)

    measures, varied = counting.MEASURES, counting.SENSITIVITY
    rows = write_measures(folder / MEASURES, cache, numbers, measures, by_preset(measures), check)
    write_measures(folder / _VARIANTS, cache, numbers, varied, by_preset(varied))
    by_unit = add_units(pl.read_ipc(cache.cells_file(number, counting.UNITS)) for number in numbers)
    cache.settle()
    return rows, by_unit, held


def _dossier(published: Published) -> dict[str, Any]:
    return {
        "disclosure_control": "none",
        "statement": {
            "vi": "Bản phát hành này đánh dấu số nhỏ nhưng chưa che số nào; không công bố rộng rãi các số theo xã.",
            "en": "This release flags small numbers and suppresses none; do not publish its commune figures openly.",
        },
        "values_by_flag": dict(sorted(published.flags.items())),
        "suppressed_cells": 0,
        "attack": None,
    }


def _counts(snapshot: Snapshot, linked: dict[str, Any]) -> dict[str, Any]:
    log = snapshot.read("ingest_log")
    rows = {name: int(log[name].sum()) for name in ("rows_in", "kept", "rejected", "duplicates", "repaired")}
    return {
        "files": log.height,
        **rows,
        **{name: linked[name] for name in ("records", "persons", "persons_without_residence")},
        "linked_by_rule": linked["by_rule"],
        "residences_by_basis": linked["residences_by_basis"],
    }


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {"ncdsurv": ncdsurv.__version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _file_facts(path: Path) -> dict[str, Any]:
    return {"sha256": sha256_of(path), "bytes": path.stat().st_size}


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
