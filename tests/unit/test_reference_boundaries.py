"""Schematic boundaries: all areas are there, they nest, and they say that they are schematic."""

from __future__ import annotations

import polars as pl
import pytest
import shapely

from ncdsurv.errors import UsageError
from ncdsurv.reference import Reference, load_reference

WITHOUT_CELL = {"2024": {"22736", "22737", "22739"}, "2025": {"20333", "22736"}}  # Hoàng Sa and Trường Sa


@pytest.fixture(scope="module")
def reference() -> Reference:
    return load_reference()


def shapes(reference: Reference, level: str, vintage: str) -> dict[str, shapely.Geometry]:
    table = reference.boundary_table(level, vintage)
    return dict(zip(table["code"], shapely.from_wkb(table["geometry"].to_list()), strict=True))


@pytest.mark.parametrize("vintage", ["2024", "2025"])
def test_every_commune_but_the_archipelagos_has_a_valid_cell(reference: Reference, vintage: str) -> None:
    cells = shapes(reference, "commune", vintage)
    assert set(reference.areas("commune", vintage)["code"]) - set(cells) == WITHOUT_CELL[vintage]
    assert all(shapely.is_valid(list(cells.values())))
    assert not any(shapely.is_empty(list(cells.values())))


def test_old_and_new_provinces_fit_together(reference: Reference) -> None:
    old, new = shapes(reference, "province", "2024"), shapes(reference, "province", "2025")
    assert (len(old), len(new)) == (63, 34)
    homes = reference.atom_areas("2024").select("atom", old="province")
    homes = homes.join(reference.atom_areas("2025").select("atom", new="province"), on="atom").unique(
        ["old", "new"]
    )
    for code, shape in new.items():
        parts = shapely.union_all([old[one] for one in homes.filter(new=code)["old"]])
        assert shapely.symmetric_difference(parts, shape).area < 0.0005 * shape.area


def test_districts_regions_and_nation_are_dissolved(reference: Reference) -> None:
    assert reference.boundary_table("district", "2024").height == 694  # without Hoàng Sa and Trường Sa
    assert reference.boundary_table("region", "2025").height == 6
    nation = reference.boundary_table("nation", "2024")
    assert nation["code"].to_list() == ["VN"]
    west, south, east, north = shapely.bounds(shapely.from_wkb(nation["geometry"].item()))
    assert (west, east) == pytest.approx((102.1, 109.5), abs=0.2)
    assert (south, north) == pytest.approx((8.4, 23.4), abs=0.2)


def test_within_keeps_to_one_area(reference: Reference) -> None:
    assert reference.boundary_table("commune", "2024", within="84").height == 104
    assert reference.boundary_table("province", "2025", within="SCH").height == 6
    with pytest.raises(UsageError, match="no pack holds these boundaries: got district, vintage 2025"):
        reference.boundary_table("district", "2025")


def test_the_geodataframe_says_that_it_is_schematic(reference: Reference) -> None:
    frame = reference.boundaries("province", "2025")
    assert frame.crs.to_epsg() == 4326
    assert frame.attrs["schematic"] is True
    assert frame.attrs["pack"] == "builtin"
    assert list(frame.columns) == ["code", "name", "name_en", "schematic", "pack", "geometry"]


def test_the_pack_is_small() -> None:
    (pack,) = load_reference().packs
    sizes = {path.name: path.stat().st_size for path in pack.all_files()}
    assert max(sizes.values()) < 2e6
    assert sum(sizes.values()) < 3e6
    assert pl.DataFrame({"file": list(sizes)}).height == 7
