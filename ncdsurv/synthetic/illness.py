"""Who falls ill with what: people are drawn from the base population in proportion to known cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.names import weighted
from ncdsurv.synthetic.population import AGE_GROUPS, BasePopulation


def prevalence(table: dict[str, Any]) -> np.ndarray:
    """True prevalence as a share by sex and age group, shape (2, 17)."""
    ages = parameters("illness")["ages"]
    middle = [int(group.split("-")[0].rstrip("+")) + 2 for group in AGE_GROUPS]
    step = np.searchsorted(ages, middle, side="right") - 1
    return np.array([[table["percent"][sex][i] for i in step] for sex in ("male", "female")]) / 100


def draw_cells(
    base: BasePopulation, stations: pl.DataFrame, patients: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Draw home, sex, age group and first disease of each patient.

    Weights are people x prevalence x detected share x the station's zeal; diseases without a sheet of the
    Ministry software are known only where the station has a HIS.

    Returns:
        Atom index, sex index, age group index, each of shape (patients,), and the disease ids.
    """
    diseases = parameters("illness")["disease"]
    zeal = dict(stations.select("commune_2025", "detect").iter_rows())
    clinic = {code for code, his in has_his(stations).items() if his}
    commune = base.atoms["commune_2025"].to_list()
    detect = np.array([zeal[code] for code in commune])
    his = np.array([code in clinic for code in commune], dtype=float)
    layers = [
        base.counts
        * prevalence(table)[None]
        * (table["detected"] * detect * (1.0 if "sheet" in table else his))[:, None, None]
        for table in diseases.values()
    ]
    weight = np.stack(layers)
    drawn = rng.choice(weight.size, patients, p=(weight / weight.sum()).ravel())
    disease, atom, sex, age = np.unravel_index(drawn, weight.shape)
    return atom, sex, age, [list(diseases)[i] for i in disease]


def has_his(stations: pl.DataFrame) -> dict[str, bool]:
    """Whether the station of each 2025 commune has a HIS (and not the Ministry software alone)."""
    systems = parameters("systems")
    return {
        code: not systems[source].get("ministry", False)
        for code, source in stations.select("commune_2025", "source").iter_rows()
    }


def draw_illness(
    first: list[str],
    enrolled_day: np.ndarray,
    prevalent: np.ndarray,
    his: np.ndarray,
    last_day: int,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Diseases of each person with the day from which the station writes them down.

    Args:
        first: First disease of each person.
        enrolled_day: Day of the first contact (days since 1970), shape (n,).
        prevalent: Already under care when the window opened, shape (n,).
        his: The home station has a HIS, shape (n,).
        last_day: Last day of the window.
        rng: Source of randomness.

    Returns:
        person, disease, known_day, detected_day (Int64), detected_where (code 1-6), icd10.
    """
    diseases, people = parameters("illness")["disease"], parameters("behaviour")["visits"]
    rows = [(i, disease, int(enrolled_day[i])) for i, disease in enumerate(first)]
    for disease in diseases:
        have = np.array([d == disease for d in first])
        for other, share in diseases[disease]["companions"].items():
            allowed = his if "sheet" not in diseases[other] else np.ones_like(his)
            for i in np.flatnonzero(have & allowed & (rng.random(len(first)) < share)):
                later = not prevalent[i] or rng.random() < 0.25
                known = int(rng.integers(enrolled_day[i], last_day + 1)) if later else int(enrolled_day[i])
                rows.append((int(i), other, known))
    rows.sort(key=lambda row: (row[0], row[2], list(diseases).index(row[1])))
    size = len(rows)
    old = np.array([prevalent[i] and known == enrolled_day[i] for i, _, known in rows])
    known_day = np.array([row[2] for row in rows])
    long_ago = rng.exponential(people["detected_years_before"] * 365.25, size)
    delay = np.where(
        old, 30 + np.minimum(long_ago, 20 * 365), rng.integers(0, 2, size) * rng.integers(0, 15, size)
    )
    icd = {disease: weighted(table["icd10"], size, rng) for disease, table in diseases.items()}
    where = rng.choice(["1", "2", "3", "4", "5", "6"], size, p=[0.52, 0.24, 0.13, 0.03, 0.05, 0.03])
    return pl.DataFrame(
        {
            "person": [row[0] for row in rows],
            "disease": [row[1] for row in rows],
            "known_day": known_day,
            "detected_day": known_day - delay.astype(int),
            "detected_where": where,
            "icd10": [icd[row[1]][k] for k, row in enumerate(rows)],
        }
    )
