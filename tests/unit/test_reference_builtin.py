"""The built-in pack holds both vintages whole, and a code means nothing without its vintage."""

from __future__ import annotations

import polars as pl
import pytest

from ncdsurv.errors import UsageError
from ncdsurv.reference import Reference, load_reference

COUNTS = {
    ("2024", "province"): 63,
    ("2024", "district"): 696,
    ("2024", "commune"): 10035,
    ("2025", "province"): 34,
    ("2025", "district"): 0,
    ("2025", "commune"): 3321,
}
# Pilot province: communes of 2024, communes of 2025 on its old territory, communes of 2024 that were split, and the
# 2025 province with its communes. Decision 19/2025/QD-TTg, counted on NSO-coded data outside this package.
PILOTS = {
    "79": (273, 102, 31, "79", 168),
    "84": (104, 41, 0, "86", 124),
    "56": (132, 41, 7, "56", 65),
    "64": (218, 77, 0, "52", 135),
    "37": (125, 39, 1, "37", 129),
    "02": (193, 73, 3, "08", 124),
}
SAME_CODE_OTHER_PLACE = {  # province code: (2024, 2025)
    "52": ("Bình Định", "Gia Lai"),
    "44": ("Quảng Bình", "Quảng Trị"),
    "80": ("Long An", "Tây Ninh"),
    "82": ("Tiền Giang", "Đồng Tháp"),
    "15": ("Yên Bái", "Lào Cai"),
    "24": ("Bắc Giang", "Bắc Ninh"),
    "91": ("Kiên Giang", "An Giang"),
}


@pytest.fixture(scope="module")
def reference() -> Reference:
    return load_reference()


@pytest.mark.parametrize(("vintage", "level"), COUNTS)
def test_the_lists_are_whole(reference: Reference, vintage: str, level: str) -> None:
    assert reference.areas(level, vintage).height == COUNTS[vintage, level]


def test_each_vintage_has_one_nation_and_six_regions(reference: Reference) -> None:
    for vintage in ("2024", "2025"):
        assert reference.areas("nation", vintage)["code"].to_list() == ["VN"]
        assert reference.areas("region", vintage).height == 6


@pytest.mark.parametrize("code", PILOTS)
def test_pilot_provinces_of_both_geographies(reference: Reference, code: str) -> None:
    old, on_old_territory, split, new_province, new = PILOTS[code]
    atoms = reference.atom_areas("2024").filter(province=code).select("atom").join(reference.atoms, on="atom")
    assert atoms["commune_2024"].n_unique() == old
    assert atoms["commune_2025"].n_unique() == on_old_territory
    assert atoms.group_by("commune_2024").len().filter(pl.col("len") > 1).height == split
    assert len(reference.codes_within(new_province, "2025")) == new
    inside = reference.parents("2025").filter(pl.col("commune").is_in(atoms["commune_2025"].implode()))
    assert inside["province"].unique().to_list() == [new_province]


def test_a_pilot_province_is_a_set_of_whole_new_communes(reference: Reference) -> None:
    homes = reference.atoms.join(reference.atom_areas("2024").select("atom", "province"), on="atom")
    cut = homes.filter(pl.col("province").n_unique().over("commune_2025") > 1)
    assert cut["commune_2025"].n_unique() == 23
    assert not set(cut["province"]) & set(PILOTS)


def test_pilots_are_named_in_both_vintages(reference: Reference) -> None:
    pilots = reference.pilot_provinces()
    assert dict(pilots.select("code", "code_2025").iter_rows()) == {k: v[3] for k, v in PILOTS.items()}
    marked = reference.areas("commune", "2025").filter("pilot")
    assert marked.height == sum(counts[1] for counts in PILOTS.values()) == 373


@pytest.mark.parametrize("code", SAME_CODE_OTHER_PLACE)
def test_the_same_province_code_means_two_places(reference: Reference, code: str) -> None:
    names = tuple(reference.area(code, vintage)["name"] for vintage in ("2024", "2025"))
    assert names == SAME_CODE_OTHER_PLACE[code]


def test_most_commune_codes_were_used_again(reference: Reference) -> None:
    old, new = (set(reference.areas("commune", vintage)["code"]) for vintage in ("2024", "2025"))
    assert len(old & new) == 3316


def test_a_code_without_a_vintage_is_refused(reference: Reference) -> None:
    with pytest.raises(UsageError) as error:
        reference.area("52")
    assert str(error.value) == (
        "an area code without its vintage: got '52'; allowed: 2024 or 2025; "
        "do: say which one is meant: Bình Định in 2024; Gia Lai in 2025"
    )


def test_a_code_that_lost_its_zeros_is_refused_with_the_right_one(reference: Reference) -> None:
    with pytest.raises(UsageError, match=r"unknown area code in vintage 2025: got 4; do: try 04"):
        reference.area("4", "2025")
    with pytest.raises(
        UsageError, match=r'an area code is text: got 4; allowed: "01", not 1; do: keep leading zeros'
    ):
        reference.area(4, "2025")  # type: ignore[arg-type]


def test_unknown_vintage_and_level_name_the_known_ones(reference: Reference) -> None:
    with pytest.raises(UsageError, match=r"unknown vintage: got 2023; allowed: 2024, 2025"):
        reference.areas(vintage="2023")
    with pytest.raises(UsageError, match=r"unknown level: got ward; allowed: commune, district, nation"):
        reference.areas("ward")


def test_no_pack_at_all_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="no reference pack"):
        load_reference(builtin=False)
    with pytest.raises(UsageError, match="not a reference pack"):
        load_reference(tmp_path)


def test_every_source_says_its_licence_and_whether_it_was_verified(reference: Reference) -> None:
    (builtin,) = reference.manifest
    assert builtin["schematic"]
    assert not builtin["verified"]
    assert all(
        {"id", "what", "origin", "licence", "verified"} <= set(source) for source in builtin["sources"]
    )
    assert len(reference.fingerprints["builtin"]) == 64


def test_island_districts_without_communes_stand_by_their_own_code(reference: Reference) -> None:
    islands = reference.atoms.filter(relation="district_to_special_zone")
    assert islands["commune_2024"].to_list() == ["318", "471", "498", "536", "755"]
    chain = reference.parents("2024").filter(commune="498")
    assert chain.row(0) == ("498", "498", "48", "NCC", "VN")


def test_hoang_sa_and_truong_sa_belong_to_their_provinces(reference: Reference) -> None:
    found = {one.id: one for one in reference.archipelagos()}
    assert {name: one.province["2025"] for name, one in found.items()} == {
        "hoang_sa": "48",
        "truong_sa": "56",
    }
    assert found["hoang_sa"].label("vi") == "Quần đảo Hoàng Sa (Đà Nẵng)"
    assert found["truong_sa"].label("en") == "Truong Sa archipelago (Khanh Hoa)"
    for one in found.values():
        west, south, east, north = one.box
        assert all(west < lon < east and south < lat < north for _, lon, lat in one.islands)
        for vintage, code in one.area.items():
            chain = reference.area(code, vintage)
            assert chain["parent_code"] == one.province[vintage]
