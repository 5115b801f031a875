"""Where each commune lies: the package's points, with wrong and shared ones put right, and saying so."""

from __future__ import annotations

import numpy as np
import polars as pl

KM_PER_DEGREE = 111.2
FAR_KM = 25.0  # farther than this from every witness, a point is wrong (communes are about 10 km across)
SHIFT_DEGREES = 0.006  # about 650 m: how far communes that share a point are moved apart


def build_points(
    legacy: pl.DataFrame, current: pl.DataFrame, crosswalk: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Points of the communes of both vintages.

    The package gives every commune a point, but some are those of a namesake or of the province's seat. Witnesses of a
    2025 commune are the points of the old communes in it; of a 2024 commune, its new commune and its district.
    A point that is far from all its witnesses is replaced by their median.

    Returns:
        Per vintage, frame [code, lon, lat, position] with position "package", "witnesses" (replaced) or
        "moved_apart" (shared with another commune).
    """
    old = legacy.drop_nulls("wardCode").select(code="wardCode", district="districtCode", lon="wardLon", lat="wardLat",
                                               dlon="districtLon", dlat="districtLat")  # fmt: skip
    new = current.select(code="wardCode", lon="wardLon", lat="wardLat")
    parts = crosswalk.join(old, left_on="code_2024", right_on="code")
    middle = parts.group_by("code_2025").agg(pl.col("lon", "lat").median().name.suffix("_w"))
    fixed = new.join(middle, left_on="code", right_on="code_2025", how="left").sort("code")
    alone = fixed["lon_w"].is_null()
    distance = _km(fixed["lon"], fixed["lat"], fixed["lon_w"], fixed["lat_w"]).fill_null(0.0)
    # an old point far from the new one may itself be wrong: only when its district agrees is the new one replaced
    spread = parts.with_columns(off=_km(parts["lon"], parts["lat"], parts["dlon"], parts["dlat"]))
    trusted = spread.group_by("code_2025").agg(sound=pl.col("off").median() < 2 * FAR_KM)
    fixed = fixed.join(trusted, left_on="code", right_on="code_2025", how="left").sort("code")
    wrong = (distance > FAR_KM) & fixed["sound"].fill_null(False) & ~alone
    special = current.filter(pl.col("wardType") == "Đặc khu")[
        "wardCode"
    ]  # old points of islands lie on the coast
    wrong &= ~fixed["code"].is_in(special.implode())
    points_new = _replace(fixed, wrong)
    new_home = points_new.select(code_2025="code", lon_n="lon", lat_n="lat")
    home = crosswalk.filter("main").join(new_home, on="code_2025").select("lon_n", "lat_n", code="code_2024")
    checked = old.join(home, on="code", how="left").sort("code")
    far_home = _km(checked["lon"], checked["lat"], checked["lon_n"], checked["lat_n"]) > FAR_KM
    checked = checked.with_columns(lon_w="lon_n", lat_w="lat_n")
    return {"2024": _move_apart(_replace(checked, far_home)), "2025": _move_apart(points_new)}


def _replace(frame: pl.DataFrame, wrong: pl.Series) -> pl.DataFrame:
    flagged = frame.with_columns(wrong=wrong)
    pick = [pl.when("wrong").then(f"{c}_w").otherwise(c).alias(c) for c in ("lon", "lat")]
    position = pl.when("wrong").then(pl.lit("witnesses")).otherwise(pl.lit("package")).alias("position")
    return flagged.select("code", *pick, position)


def _move_apart(points: pl.DataFrame) -> pl.DataFrame:
    """Set communes with the same point on a small ring around it, in order of code."""
    points = points.sort("code").with_columns(
        rank=pl.int_range(pl.len()).over("lon", "lat"), size=pl.len().over("lon", "lat")
    )
    angle = 2 * np.pi * pl.col("rank") / pl.col("size")
    shared = pl.col("size") > 1
    return points.select(
        "code",
        lon=pl.col("lon") + pl.when(shared).then(angle.cos() * SHIFT_DEGREES).otherwise(0.0),
        lat=pl.col("lat") + pl.when(shared).then(angle.sin() * SHIFT_DEGREES).otherwise(0.0),
        position=pl.when(shared & (pl.col("position") == "package"))
        .then(pl.lit("moved_apart"))
        .otherwise("position"),
    )


def _km(lon_a: pl.Series, lat_a: pl.Series, lon_b: pl.Series, lat_b: pl.Series) -> pl.Series:
    """Flat-earth distance, good to a few per cent over a province."""
    east = (lon_a - lon_b) * np.cos(np.radians(16.0))
    return ((east * east + (lat_a - lat_b) * (lat_a - lat_b)).sqrt()) * KM_PER_DEGREE
