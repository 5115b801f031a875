"""Addresses to commune codes: one that fits, or none."""

from __future__ import annotations

import datetime as dt

import pytest

from ncdsurv.reference import load_reference
from ncdsurv.reference.addresses import Gazetteer
from tests.clean_support import read_table

REFERENCE = load_reference()
GAZETTEER = Gazetteer(REFERENCE)

# `commune`: the name the code must have in its vintage, with its province; station: province of the station.
ADDRESSES = """
address                                            | day        | station | commune         | province         | vintage | why
Ấp 3, xã Long Đức, TP. Trà Vinh, tỉnh Trà Vinh     | 2024-09-01 | -       | Xã Long Đức     | Trà Vinh         | 2024    | three tiers before the reform
Phường Ba Đình, Thành phố Hà Nội                   | 2025-09-01 | -       | Phường Ba Đình  | Hà Nội           | 2025    | two tiers after it
Phường Phúc Xá, quận Ba Đình, Hà Nội               | 2025-09-01 | -       | Phường Phúc Xá  | Hà Nội           | 2024    | an old address written after it
Phuong Phuc Xa, quan Ba Dinh, Ha Noi               | 2024-09-01 | -       | Phường Phúc Xá  | Hà Nội           | 2024    | typed without marks
xã Long Đức                                        | 2024-09-01 | 84      | Xã Long Đức     | Trà Vinh         | 2024    | a bare name, one in the station's province
Long Đức, Trà Vinh                                 | 2024-09-01 | -       | Xã Long Đức     | Trà Vinh         | 2024    | no kind written
xã Long Đức                                        | 2024-09-01 | -       | -               | -                | -       | a bare name without a province
xã Không Có Thật, tỉnh Trà Vinh                    | 2024-09-01 | -       | -               | -                | -       | no such commune
Phường 02, Quận 10, TP.HCM                         | 2024-09-01 | -       | Phường 2        | Hồ Chí Minh      | 2024    | numbered ward, short forms
Ấp 3                                               | 2024-09-01 | 84      | -               | -                | -       | a hamlet alone
"""  # noqa: E501


@pytest.mark.parametrize("row", read_table(ADDRESSES), ids=lambda row: row["why"])
def test_an_address_leads_to_its_commune(row: dict[str, str | None]) -> None:
    home = (row["station"], "2024") if row["station"] else None
    found = GAZETTEER.find(str(row["address"]), dt.date.fromisoformat(str(row["day"])), home)
    assert found.vintage == row["vintage"]
    if row["commune"] is None:
        assert found.code is None
        return
    commune = REFERENCE.area(str(found.code), found.vintage)
    chain = REFERENCE.parents(str(found.vintage)).filter(commune=found.code).row(0, named=True)
    assert commune["name"] == row["commune"]
    assert REFERENCE.area(chain["province"], found.vintage)["name"] == row["province"]


def twins(vintage: str) -> list[tuple[str, str]]:
    """(commune name, province name) borne by several communes of one province."""
    import polars as pl

    communes = REFERENCE.areas("commune", vintage).select("code", "name")
    chain = REFERENCE.parents(vintage).select(code="commune", province="province")
    names = REFERENCE.areas("province", vintage).select(province="code", province_name="name")
    both = communes.join(chain, on="code").join(names, on="province")
    several = both.group_by("name", "province_name").len().filter(pl.col("len") > 1)
    return several.select("name", "province_name").sort("name", "province_name").rows()


def test_two_communes_of_one_name_are_never_chosen_between() -> None:
    pairs = twins("2024")
    assert len(pairs) > 100
    for name, province in pairs[::7]:
        found = GAZETTEER.find(f"{name}, {province}", dt.date(2024, 9, 1))
        assert (found.code, found.ambiguous) == (None, True)


def test_every_commune_written_in_full_is_found_or_left_open_never_mistaken() -> None:
    for vintage, day in (("2024", dt.date(2024, 9, 1)), ("2025", dt.date(2025, 9, 1))):
        chain = {row["commune"]: row for row in REFERENCE.parents(vintage).iter_rows(named=True)}
        names = {
            level: dict(REFERENCE.areas(level, vintage).select("code", "name").iter_rows())
            for level in ("commune", "district", "province")
        }
        right = total = 0
        for code in sorted(chain)[::9]:
            row = chain[code]
            district = names["district"].get(row["district"])
            address = ", ".join(
                filter(None, [names["commune"][code], district, names["province"][row["province"]]])
            )
            found = GAZETTEER.find(address, day)
            total += 1
            right += found.code == code and found.vintage == vintage
            assert found.code in (None, code), address
        assert right / total > (0.99 if vintage == "2024" else 0.85), vintage
