"""The truth test: files in, release out, and the counts are those of a plain loop over the invented people.

Without dirt every count equals the truth exactly. With dirt as in life the counts stay within the people whose
rows were spoiled in a way that no reader can undo.
"""

from __future__ import annotations

import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.catalog.vocabulary import Period
from ncdsurv.synthetic import Dirt, make_registry, truth_counts, write_exports

# count of the truth -> measure of the release
MEASURES = {
    "detected": "detected",
    "managed": "under_care",
    "controlled": "controlled",
    "uncontrolled": "uncontrolled_rate",
    "visited_unmeasured": "visited_unmeasured_rate",
    "missed_visit": "missed_visit_rate",
    "lost": "lost_to_follow_up_rate",
}
PRESETS = ["hearts", "tt37", "qd97"]
MONTHS = ["2024-07", "2024-10", "2025-02", "2025-06", "2025-07", "2025-12", "2026-06"]
PROVINCES = ["02", "37", "84"]


def build(folder, people, dirt):
    registry = make_registry(people, seed=77, provinces=PROVINCES, dirt=dirt)
    paths = write_exports(registry, folder / "out", jobs=1)
    store = ns.open_store(folder / "store")
    for source in sorted({path.parent.name for path in paths}):
        report = store.ingest([path for path in paths if path.parent.name == source], source=source)
        assert report is not None
    return registry, store, store.build_release(as_of="2026-06")


def counts(store, release, preset, month):
    """Counts of a release by province of 2024 and disease, under the names of the truth."""
    home = store.reference.atoms.select("atom", commune="commune_2024").join(
        store.reference.parents("2024").select("commune", "province"), on="commune"
    )
    cells = release.measures().collect().with_columns(pl.col("preset", "disease").cast(pl.String))
    return (
        cells.filter(preset=preset, month=Period.parse(month).last_month)
        .join(home.select("atom", "province"), on="atom")
        .group_by("province", "disease")
        .agg(pl.col(measure).sum().cast(pl.Int64).alias(name) for name, measure in MEASURES.items())
        .filter(pl.sum_horizontal(list(MEASURES)) > 0)
        .sort("province", "disease")
    )


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return build(tmp_path_factory.mktemp("clean"), 900, None)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dirty"), 900, Dirt.as_in_life())


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("month", MONTHS)
def test_clean_files_give_the_truth_exactly(clean, preset, month):
    registry, store, release = clean
    truth = truth_counts(registry, preset, month).select("province", "disease", *MEASURES)
    truth = truth.filter(pl.sum_horizontal(list(MEASURES)) > 0)
    assert counts(store, release, preset, month).rows() == truth.rows()


def test_the_published_control_rate_is_that_of_the_truth(clean):
    registry, _, release = clean
    for preset in PRESETS:
        truth = truth_counts(registry, preset, "2026-06").filter(disease="hypertension")
        published = release.values(
            indicator="control_rate",
            disease="hypertension",
            level="province",
            vintage="2024",
            preset=preset,
            period="2026-06",
        ).filter(pl.col("area_code").is_in(PROVINCES), pl.col("flag") != "no_denominator")
        assert published.sort("area_code")["numerator"].to_list() == truth["controlled"].to_list()


@pytest.mark.parametrize("preset", PRESETS)
def test_dirt_moves_counts_no_further_than_the_people_it_touched(dirty, preset):
    registry, store, release = dirty
    applied = registry.applied
    touched = applied.filter(
        pl.col("kind").is_in(["impossible_values", "second_system_typo", "year_only_birth", "missing_units"])
    )["person"].n_unique()
    whole = applied.filter(kind="mg_dl")["facility"].to_list()
    touched += registry.persons.filter(pl.col("facility").is_in(whole)).height
    truth, found = (
        frame.select(pl.col(list(MEASURES)).sum())
        for frame in (
            truth_counts(registry, preset, "2026-06").filter(
                pl.col("disease").is_in(["hypertension", "diabetes"])
            ),
            counts(store, release, preset, "2026-06").filter(
                pl.col("disease").is_in(["hypertension", "diabetes"])
            ),
        )
    )
    for name in MEASURES:
        off = abs(found[name].item() - truth[name].item())
        assert off <= touched, name
        assert off <= 3 + 0.02 * truth["managed"].item(), name


def test_no_dirt_makes_people_vanish(dirty):
    registry, store, release = dirty
    truth = truth_counts(registry, "hearts", "2026-06").filter(disease="hypertension")["detected"].sum()
    found = counts(store, release, "hearts", "2026-06").filter(disease="hypertension")["detected"].sum()
    typed = registry.applied.filter(kind="second_system_typo").height
    assert truth <= found <= truth + typed
