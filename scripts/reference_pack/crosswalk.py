"""Which 2025 commune each 2024 commune went into, from the package's address converter."""

from __future__ import annotations

import json

import polars as pl

from reference_pack.units import package_data


def build_crosswalk(legacy: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """One row per (2024 unit, 2025 commune) that share land: the atoms of all geography.

    A commune that went whole into one new commune has share 1. For a commune that was split the package names
    the parts and the main part but no share, so people are shared equally among the parts and the row says so
    (method "equal"). Five island districts had no communes: they stand as their own unit, by their 3-digit code.

    Returns:
        Frame [code_2024, code_2025, share_population, relation, method, main], sorted by both codes.
    """
    old = {f"{r['provinceKey']}_{r['districtKey']}_{r['wardKey'] or ''}": r["wardCode"] or r["districtCode"]
           for r in legacy.iter_rows(named=True)}  # fmt: skip
    islands = set(legacy.filter(pl.col("wardCode").is_null())["districtCode"])
    new = {(r["provinceKey"], r["wardKey"]): r["wardCode"] for r in current.iter_rows(named=True)}
    converter = json.loads((package_data() / "converter_2025.json").read_text(encoding="utf-8"))
    rows = []
    for province, communes in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for key, parts in communes.items():
            for part in parts:
                relation = "district_to_special_zone" if old[part] in islands else "whole"
                rows.append((old[part], new[province, key], 1.0, relation, "whole", True))
    for province, divided in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for part, targets in divided.items():
            for target in targets:
                code = new[province, target["newWardKey"]]
                rows.append((old[part], code, 1 / len(targets), "part", "equal", target["isDefaultNewWard"]))
    columns = ["code_2024", "code_2025", "share_population", "relation", "method", "main"]
    return pl.DataFrame(rows, schema=columns, orient="row").sort("code_2024", "code_2025")


def mark_pilots(areas: pl.DataFrame, crosswalk: pl.DataFrame) -> pl.DataFrame:
    """Mark the 2025 communes on pilot territory, and the 2025 provinces that hold some of it."""
    pilot = areas.filter("pilot", vintage="2024")["code"]
    communes = crosswalk.filter(pl.col("code_2024").is_in(pilot.implode()))["code_2025"].unique()
    current = pl.col("vintage") == "2025"
    inside = current & (pl.col("level") == "commune") & pl.col("code").is_in(communes.implode())
    provinces = areas.filter(inside)["parent_code"].unique()
    holds = current & (pl.col("level") == "province") & pl.col("code").is_in(provinces.implode())
    return areas.with_columns(pilot=pl.col("pilot") | inside | holds)
