"""The built-in pack beside a pack with real boundaries and populations, where that folder exists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import shapely

from ncdsurv.errors import DefinitionError
from ncdsurv.reference import Reference, add_pack, load_reference
from ncdsurv.reference.convert import convert, find_layout

# Median overlap (intersection over union) of the built-in cells with real boundaries: measured, less 0.01.
OVERLAP = {("province", "2025"): 0.90, ("province", "2024"): 0.89, ("commune", "2025"): 0.64}


@pytest.fixture(scope="module")
def official(shared_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return load_reference(add_pack(shared_pack, tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def builtin() -> Reference:
    return load_reference()


@pytest.mark.parametrize(("level", "vintage"), [("province", "2024"), ("province", "2025"), ("district", "2024"),
                                                ("commune", "2024"), ("commune", "2025")])  # fmt: skip
def test_the_same_areas_under_the_same_parents(
    builtin: Reference, official: Reference, level: str, vintage: str
) -> None:
    ours, theirs = (one.areas(level, vintage).select("code", "parent_code") for one in (builtin, official))
    assert ours.equals(theirs)


def test_the_crosswalks_agree(builtin: Reference, official: Reference) -> None:
    pairs = [set(one.atoms.select("commune_2024", "commune_2025").rows()) for one in (builtin, official)]
    assert len(pairs[0] & pairs[1]) / len(pairs[0] | pairs[1]) > 0.995
    largest = [one.atoms.sort("share", "commune_2025", descending=[True, False]).unique("commune_2024", keep="first",
               maintain_order=True).sort("commune_2024")["commune_2025"] for one in (builtin, official)]  # fmt: skip
    assert (largest[0] == largest[1]).mean() > 0.97  # of split communes ours knows no shares


@pytest.mark.parametrize(("level", "vintage"), OVERLAP)
def test_schematic_cells_overlap_the_real_areas(
    builtin: Reference, official: Reference, level: str, vintage: str
) -> None:
    joined = builtin.boundary_table(level, vintage).join(official.boundary_table(level, vintage), on="code")
    assert official.boundary_table(level, vintage)["pack"].unique().to_list() == ["vn_admin"]
    ours, theirs = (
        shapely.make_valid(shapely.from_wkb(joined[name].to_list()))
        for name in ("geometry", "geometry_right")
    )
    shared = shapely.area(shapely.intersection(ours, theirs))
    overlap = shared / (shapely.area(ours) + shapely.area(theirs) - shared)
    assert np.median(overlap) > OVERLAP[level, vintage]


def test_real_populations_take_the_place_of_ours(builtin: Reference, official: Reference) -> None:
    communes = official.population_of("2025", "commune", 2024)
    assert communes["code"].n_unique() == 3319  # nobody is counted on Hoàng Sa and Trường Sa
    provinces = [
        one.population_of("2024", "province", 2024)
        .group_by("code")
        .agg(pl.col("population").sum())
        .sort("code")
        for one in (builtin, official)
    ]
    ratio = provinces[0]["population"] / provinces[1]["population"]
    assert ratio.min() > 0.999  # both stand on the same official totals
    assert ratio.max() < 1.001
    nation = official.population_of("2025", "nation", 2024)
    assert nation["pack"].unique().to_list() == ["vn_admin"]
    assert nation["population"].sum() == pytest.approx(101.34e6, rel=1e-3)


def test_a_pilot_province_gets_its_real_communes_of_2024(official: Reference) -> None:
    assert official.boundary_table("commune", "2024", within="79")["pack"].unique().to_list() == ["vn_admin"]
    assert official.boundary_table("commune", "2024")["pack"].unique().to_list() == ["builtin"]


def test_missing_files_and_columns_of_a_known_layout_are_all_named(shared_pack: Path, tmp_path: Path) -> None:
    layout = find_layout(shared_pack)
    assert layout is not None
    (tmp_path / "admin").mkdir()
    for name in layout["detect"]:
        (tmp_path / name).write_text("code\n00001\n", encoding="utf-8")
    with pytest.raises(DefinitionError) as error:
        convert(tmp_path, find_layout(tmp_path) or {}, tmp_path)
    assert "admin/communes_2024.csv: column district_code is missing" in str(error.value)
    assert "boundaries/provinces_2025.geojson: the file is missing" in str(error.value)
