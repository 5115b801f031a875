"""Who moves, when and where to; deaths are in `contacts`."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.illness import has_his
from ncdsurv.synthetic.population import BasePopulation


def draw_moves(
    persons: pl.DataFrame,
    illness: pl.DataFrame,
    base: BasePopulation,
    stations: pl.DataFrame,
    first_day: int,
    last_day: int,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Who moves, when and where to.

    People with a disease that only a HIS holds move to stations with a HIS.

    Returns:
        person, moved_day (Int64), to_facility and home codes (null: out of sight), recorded (Boolean).
    """
    rules = parameters("behaviour")["people"]
    diseases = parameters("illness")["disease"]
    needs_his = set(
        illness.filter(~pl.col("disease").is_in([d for d in diseases if "sheet" in diseases[d]]))["person"]
    )
    clinic = has_his(stations)
    places = base.atoms.join(
        stations.select("commune_2025", "facility"), on="commune_2025", how="left", maintain_order="left"
    ).rows(named=True)
    people = base.counts.sum(axis=(1, 2)) + 1e-9
    rolled = rng.random(persons.height)
    days = rng.integers(first_day + 60, max(last_day - 30, first_day + 61), persons.height)
    recorded = rng.random(persons.height) < rules["move_recorded"]
    near, far = rules["moved"], rules["moved"] + rules["moved_province"]
    rows: list[tuple[Any, ...]] = []
    for i in np.flatnonzero(rolled < far + rules["left"]):
        home = persons.row(int(i), named=True)
        to: dict[str, Any] = {}
        if rolled[i] < far:
            same = rolled[i] < near
            fits = np.array(
                [
                    (place["province_2024"] == home["province_2024"]) == same
                    and place["facility"] != home["facility"]
                    and (int(i) not in needs_his or clinic[place["commune_2025"]])
                    for place in places
                ]
            )
            if not fits.any():
                continue
            chance = people * fits
            to = places[int(rng.choice(len(places), p=chance / chance.sum()))]
        row = (int(i), int(days[i]), bool(recorded[i]), to.get("facility"))
        rows.append(
            (
                *row,
                to.get("commune_2024"),
                to.get("commune_2025"),
                to.get("province_2024"),
                to.get("district_2024"),
            )
        )
    text = dict.fromkeys(
        ("to_facility", "to_commune_2024", "to_commune_2025", "to_province_2024", "to_district_2024"),
        pl.String,
    )
    schema = {"person": pl.Int64, "moved_day": pl.Int64, "recorded": pl.Boolean, **text}
    return pl.DataFrame(rows, schema=schema, orient="row")
