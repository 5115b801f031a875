"""The invented base population: counts of people by atom, sex and five-year age group.

Its size follows the number of patients wanted, not the census: expected cases and detection then look as
in life, and nobody can mistake it for official figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ncdsurv.errors import UsageError
from ncdsurv.synthetic.data import parameters

SEXES = ("male", "female")
AGE_GROUPS = (*(f"{low}-{low + 4}" for low in range(0, 80, 5)), "80+")
OLDEST = 95


@dataclass(frozen=True)
class BasePopulation:
    """Places and people before anyone falls ill.

    Attributes:
        atoms: One row per home: commune_2024, commune_2025, district_2024, and province and region of both
            vintages.
        counts: People, shape (atoms, 2 sexes, 17 age groups), Int64.
        year: Year of the counts.
    """

    atoms: pl.DataFrame
    counts: np.ndarray
    year: int = 2024


def pilot_codes(reference: Any, provinces: list[str] | None) -> list[str]:
    """The 2024 codes of the pilot provinces, or those asked for.

    Raises:
        UsageError: A province is not a pilot province.
    """
    pilots = sorted(set(reference.pilot_provinces()["code"]))
    if provinces is None:
        return pilots
    unknown = sorted(set(provinces) - set(pilots))
    if unknown:
        raise UsageError(
            "no invented people for these provinces", got=", ".join(unknown), allowed=", ".join(pilots)
        )
    return sorted(set(provinces))


def base_population(
    reference: Any, provinces: list[str], patients: int, rng: np.random.Generator
) -> BasePopulation:
    """Invent a population for the communes of some provinces.

    Provinces weigh by the square root of their real population, so that small provinces keep readable
    stations; communes by a lognormal draw; age and sex by the nation's structure.

    Args:
        reference: Areas, atoms and populations (built-in pack is enough).
        provinces: 2024 province codes.
        patients: People to be drawn later; sets the size.
        rng: Source of randomness.
    """
    places = _places(reference, provinces)
    structure = _structure(reference)
    real = _province_totals(reference)
    total = patients * parameters("behaviour")["people"]["persons_per_patient"]
    communes = places["commune_2025"].unique().sort()
    draw = dict(zip(communes, rng.lognormal(0.0, 0.35, len(communes))))
    weight = np.array([draw[code] for code in places["commune_2025"]]) * places["share"].to_numpy()
    province = places["province_2024"].to_numpy()
    for code in provinces:
        here = province == code
        weight[here] *= np.sqrt(real.get(code, 1.0)) / weight[here].sum()
    mean = total * (weight / weight.sum())[:, None, None] * structure[None, :, :]
    return BasePopulation(places.drop("share"), rng.poisson(mean).astype(np.int64))


def _places(reference: Any, provinces: list[str]) -> pl.DataFrame:
    """Atoms of the provinces; `share` is the atom's part of its new commune, old communes weighing alike."""
    old = reference.parents("2024").select(
        commune_2024="commune", district_2024="district", province_2024="province", region_2024="region"
    )
    new = reference.parents("2025").select(
        commune_2025="commune", province_2025="province", region_2025="region"
    )
    places = (
        reference.atoms.select("commune_2024", "commune_2025", "share")
        .join(old, on="commune_2024", how="inner")
        .join(new, on="commune_2025", how="inner")
        .filter(pl.col("province_2024").is_in(provinces))
        .sort("commune_2025", "commune_2024")
    )
    return places.with_columns(share=pl.col("share") / pl.col("share").sum().over("commune_2025"))


def _structure(reference: Any) -> np.ndarray:
    """Share of the nation by sex and age group, shape (2, 17)."""
    nation = reference.population.filter(
        (pl.col("level") == "nation") & (pl.col("vintage") == "2024") & pl.col("age_group").is_in(AGE_GROUPS)
    )
    nation = nation.filter(pl.col("year") == pl.col("year").max())
    cells = {
        (sex, age): people for sex, age, people in nation.select("sex", "age_group", "population").rows()
    }
    counts = np.array([[float(cells[sex, age]) for age in AGE_GROUPS] for sex in SEXES])
    return counts / counts.sum()


def _province_totals(reference: Any) -> dict[str, float]:
    rows = reference.population.filter(
        (pl.col("level") == "province") & (pl.col("vintage") == "2024") & pl.col("sex").is_in(SEXES)
    )
    rows = rows.filter(pl.col("year") == pl.col("year").max())
    return dict(rows.group_by("code").agg(pl.col("population").sum()).sort("code").iter_rows())
