"""The whole path against known truth: files of invented people in, counts out.

The truth is counted by a plain loop over one person at a time (`ncdsurv.synthetic.truth`), from what a perfect
reader of the files could know. Without dirt every count must be equal, to the patient; with the dirt of real
life it must stay within the bounds stated here.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.registry import open_store
from ncdsurv.store import Release
from ncdsurv.synthetic import Dirt, SyntheticRegistry, make_registry, truth_counts, write_exports
from ncdsurv.synthetic.data import parameters

CATALOG = load_catalog()
AS_OF = "2026-06"
MONTHS = ("2024-07", "2024-10", "2025-02", "2025-06", "2025-07", "2025-12", "2026-06")
PEOPLE, SEED, SOURCES, STATIONS_PER_SOURCE = 600, 20260630, 3, 5
# Count of the truth -> indicator and which part of its ratio holds the same people.
PUBLISHED = {
    "detected": ("detected", "value"),
    "managed": ("under_care", "value"),
    "controlled": ("control_rate", "numerator"),
    "uncontrolled": ("uncontrolled_rate", "numerator"),
    "visited_unmeasured": ("visited_unmeasured_rate", "numerator"),
    "missed_visit": ("missed_visit_rate", "numerator"),
    "newly_enrolled": ("newly_enrolled_under_care", "value"),
    "lost": ("lost_to_follow_up", "value"),
    "transferred_out": ("transferred_out", "value"),
    "dead": ("dead", "value"),
    "suspected": ("suspected", "value"),
    "at_risk": ("prediabetes", "value"),
}
# With dirt: how far a national count may lie from the truth, as a share of the people managed.
BOUND = {"detected": 0.01, "managed": 0.01, "controlled": 0.02, "lost": 0.01}


def _world(folder: Path, dirt: Dirt | None) -> tuple[SyntheticRegistry, Release]:
    stations = make_registry(PEOPLE, SEED).stations.sort("facility").gather_every(7)
    codes = stations.group_by("source", maintain_order=True).head(STATIONS_PER_SOURCE)["facility"].to_list()
    registry = make_registry(PEOPLE, SEED, dirt=dirt, facilities=dict.fromkeys(codes, PEOPLE // len(codes)))
    write_exports(registry, folder / "out")
    written = {path.name for path in (folder / "out" / "exports").iterdir()}
    assert written == set(parameters("systems")) <= set(CATALOG.sources)
    store = open_store(folder / "store")
    store.add_reference(folder / "out" / "reference")
    for exports in sorted((folder / "out" / "exports").iterdir()):
        assert store.ingest(exports, source=exports.name).balances
    return registry, store.build_release(as_of=AS_OF)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[SyntheticRegistry, Release]:
    return _world(tmp_path_factory.mktemp("clean"), dirt=None)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> tuple[SyntheticRegistry, Release]:
    return _world(tmp_path_factory.mktemp("dirty"), dirt=Dirt.as_in_life())


def _published(release: Release, preset: str, month: str) -> pl.DataFrame:
    """province, disease, then one column per count of PUBLISHED, as a reader of the release sees them."""
    counts = None
    for count, (indicator, part) in PUBLISHED.items():
        values = release.values(indicator, level="province", vintage="2024", preset=preset, period=month)
        frame = values.select(province="area_code", disease="disease", **{count: pl.col(part).cast(pl.Int64)})
        on = ["province", "disease"]
        counts = frame if counts is None else counts.join(frame, on=on, how="full", coalesce=True)
    assert counts is not None
    return counts.fill_null(0)


def _expected(registry: SyntheticRegistry, preset: str, month: str) -> pl.DataFrame:
    return truth_counts(registry, preset, month, CATALOG).select("province", "disease", *PUBLISHED)


def _rows(frame: pl.DataFrame) -> dict[tuple[str, str], dict[str, int]]:
    """Cells with anything to count, by province and disease."""
    rows = {(row.pop("province"), row.pop("disease")): row for row in frame.to_dicts()}
    return {cell: counts for cell, counts in rows.items() if any(counts.values())}


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize("preset", list(CATALOG.presets))
def test_without_dirt_every_count_equals_the_truth(clean: tuple, preset: str, month: str) -> None:
    registry, release = clean
    expected = _rows(_expected(registry, preset, month))
    assert len(expected) > len(MONTHS)
    assert _rows(_published(release, preset, month)) == expected


@pytest.mark.parametrize("preset", list(CATALOG.presets))
def test_with_dirt_the_counts_stay_within_the_stated_bounds(dirty: tuple, preset: str) -> None:
    registry, release = dirty
    assert registry.applied["kind"].n_unique() > len(BOUND)  # the dirt is there, of many kinds
    expected = (
        _expected(registry, preset, AS_OF).select(pl.exclude("province", "disease").sum()).row(0, named=True)
    )
    found = (
        _published(release, preset, AS_OF).select(pl.exclude("province", "disease").sum()).row(0, named=True)
    )
    apart = {count: abs(found[count] - expected[count]) / expected["managed"] for count in BOUND}
    assert all(apart[count] <= bound for count, bound in BOUND.items()), apart


def test_dirt_makes_nobody_vanish_and_splits_only_people_with_a_typing_error(dirty: tuple) -> None:
    registry, release = dirty
    expected = _expected(registry, next(iter(CATALOG.presets)), AS_OF)
    found = _published(release, next(iter(CATALOG.presets)), AS_OF)
    typed = registry.applied.filter(kind="second_system_typo")["person"].n_unique()
    for disease in ("hypertension", "diabetes"):
        truth, counted = (frame.filter(disease=disease)["detected"].sum() for frame in (expected, found))
        assert truth <= counted <= truth + typed


def test_people_without_diabetes_are_measured_too_so_that_suspicion_and_prediabetes_are_seen(
    clean: tuple,
) -> None:
    registry, _ = clean
    told = _expected(registry, next(iter(CATALOG.presets)), AS_OF).filter(disease="diabetes")
    assert told["at_risk"].sum() > told["suspected"].sum() > 0


def test_a_broken_rule_would_be_seen(clean: tuple) -> None:
    """The comparison has teeth: the truth under one preset is not the count under another."""
    registry, release = clean
    presets = list(CATALOG.presets)
    expected = _rows(_expected(registry, presets[0], AS_OF))
    assert all(_rows(_published(release, preset, AS_OF)) != expected for preset in presets[1:])
