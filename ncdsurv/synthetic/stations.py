"""The commune stations: one per 2025 commune, each with its system, its habits and its faults."""

from __future__ import annotations

import numpy as np
import polars as pl

from ncdsurv.synthetic.data import parameters


def draw_stations(places: pl.DataFrame, names: dict[str, str], rng: np.random.Generator) -> pl.DataFrame:
    """Invent the stations of all communes.

    Args:
        places: Atoms with commune_2025 and province_2024.
        names: Name of each 2025 commune.
        rng: Source of randomness.

    Returns:
        One row per station, ordered by facility: facility (2-digit old province code + 3 digits), name,
        commune_2025, province_2024, source, effects (`miss`, `bp`, `trend`, `sugar`, `detect`), faults
        (`heaps`, `clones`, `invents`) and file habits (`joined`, `csv`, `title`, `excel_dates`).
    """
    systems, habits = parameters("systems"), parameters("behaviour")
    seats = places.select("province_2024", "commune_2025").unique().sort("province_2024", "commune_2025")
    size = seats.height
    provinces = seats["province_2024"].to_list()
    number = pl.int_range(1, pl.len() + 1).over("province_2024").cast(pl.String).str.zfill(3)
    share = {code: systems[code]["share"] for code in systems}
    source = _spread(provinces, share, rng)
    of_province = {code: rng.normal(size=3) for code in sorted(set(provinces))}
    shift = np.array([of_province[code] for code in provinces])
    pressure, faults = habits["blood_pressure"], habits["stations"]
    table = [systems[code] for code in source]

    def chance(key: str) -> list[bool]:
        rolled = rng.random(size)
        return [bool(rolled[i] < table[i].get(key, 0.0)) for i in range(size)]

    return seats.with_columns(
        facility=pl.col("province_2024") + number,
        name=pl.col("commune_2025").replace_strict(names, default="").str.to_uppercase(),
        source=pl.Series(source),
        miss=np.exp(
            habits["visits"]["miss_station"] * rng.normal(size=size)
            + habits["visits"]["miss_province"] * shift[:, 0]
        ),
        bp=pressure["station"] * rng.normal(size=size) + pressure["province"] * shift[:, 1],
        trend=pressure["trend_per_month"] + pressure["trend_station"] * rng.normal(size=size),
        sugar=habits["glucose"]["station"] * rng.normal(size=size),
        detect=np.exp(0.25 * rng.normal(size=size) + 0.15 * shift[:, 2]),
        heaps=rng.random(size) < faults["heaping"],
        clones=rng.random(size) < faults["cloning"],
        invents=rng.random(size) < faults["inventing"],
        joined=pl.Series(chance("joined")),
        csv=pl.Series(chance("csv")),
        title=pl.Series(chance("title")),
        excel_dates=pl.Series(chance("excel_dates")),
    ).sort("facility")


def _spread(provinces: list[str], share: dict[str, float], rng: np.random.Generator) -> list[str]:
    """Systems in their shares within each province, so that small draws still show every format."""
    source = [""] * len(provinces)
    codes = list(share)
    cuts = np.cumsum([share[code] for code in codes])
    for province in sorted(set(provinces)):
        here = [i for i, code in enumerate(provinces) if code == province]
        for rank, i in enumerate(rng.permutation(here)):
            source[i] = codes[int(np.searchsorted(cuts, (rank + 0.5) / len(here) * cuts[-1]))]
    return source
