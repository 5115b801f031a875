"""The columns of a contact that come from the examination: kind, readings, drugs, next appointment."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ncdsurv.synthetic import contacts as when
from ncdsurv.synthetic import readings
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.people import AGED_ON


def measured_columns(
    contacts: when.Contacts,
    station: np.ndarray,
    stations: pl.DataFrame,
    persons: pl.DataFrame,
    illness: pl.DataFrame,
    starts: np.ndarray,
    prevalent: np.ndarray,
    rng: np.random.Generator,
    screening: np.random.Generator,
) -> dict[str, Any]:
    """Kind, readings and drugs of each contact as polars-ready columns.

    `screening` draws the sugar of people without diabetes: a stream of its own, so that it moves nothing else.
    """
    systems, rules = parameters("systems"), parameters("behaviour")["visits"]
    source, person, day = stations["source"].to_list(), contacts.person, contacts.day
    size = len(person)
    per_station = {
        name: stations[name].to_numpy()[station] for name in ("bp", "trend", "heaps", "clones", "invents")
    }
    per_station["refills"] = np.array(["refill" in systems[code]["kinds"] for code in source])[station]
    per_station["plain"] = np.array([systems[code].get("plain", False) for code in source])[station]
    grades = np.array([systems[code].get("reported_target", False) for code in source])[station]
    north = parameters("behaviour")["blood_pressure"]["north_below"]
    per_station["north"] = np.array([int(code) < north for code in stations["province_2024"]])[station]
    kind, exam = readings.draw_kinds(per_station, contacts.status, contacts.first, rng)
    known = _known_from(illness, persons.height)
    since = day - starts[person] + np.where(prevalent[person], 360, 0)
    pressured = known["blood_pressure"][person] < when.NEVER
    sbp, dbp = readings.draw_pressure(person, day, since, per_station, pressured, persons.height, rng)
    diabetic = known["glycaemia"][person] <= day
    is_random = (rng.random(size) < rules["random_glucose"]) & per_station["plain"]
    glucose, hba1c = readings.draw_sugar(
        person, day, stations["sugar"].to_numpy()[station], is_random, persons.height, rng
    )
    has_sugar = exam & diabetic & (rng.random(size) > rules["not_measured"])
    has_hba1c = has_sugar & (rng.random(size) < rules["hba1c"])
    shown = np.array([not systems[code].get("ministry", False) for code in source])[station]
    born = persons["birth_date"].dt.year().to_numpy()[person]
    grown = AGED_ON.year - born >= rules["screened_sugar_from_age"]
    never = known["glycaemia"][person] >= when.NEVER
    screened, found = readings.screen_sugar(
        person, is_random, exam & shown & grown & never, persons.height, screening
    )
    glucose, has_sugar = np.where(screened, found, glucose), has_sugar | screened
    grade = readings.draw_grades(person, day, persons.height, rng)
    graded = grades & (kind == when.EXAM) & (known["graded"][person] <= day) & (contacts.status != when.DEAD)
    graded &= contacts.status != when.TRANSFERRED_OUT
    report = np.isin(contacts.status, (when.DEAD, when.TRANSFERRED_OUT))
    supplied = ~report & ((kind == when.REFILL) | (rng.random(size) > rules["no_drugs"]))
    supply = rng.choice([28, 30], persons.height)[person]
    height, usual = readings.draw_bodies(persons, rng)
    weight = np.round(usual[person] + 0.8 * rng.normal(size=size), 1)

    def column(values: np.ndarray, shown: np.ndarray, dtype: Any) -> pl.Series:
        series = pl.Series(values).cast(dtype)
        return series.zip_with(pl.Series(shown), pl.Series([None], dtype=dtype).new_from_index(0, size))

    next_on = pl.Series(day + supply).cast(pl.Int32).cast(pl.Date)
    return {
        "kind": pl.Series([when.KINDS[k] for k in kind]),
        "sbp": column(sbp, exam, pl.Int16),
        "dbp": column(dbp, exam, pl.Int16),
        "glucose_mmol_l": column(glucose, has_sugar, pl.Float64),
        "glucose_kind": column(
            np.where(is_random, "random", np.where(per_station["plain"], "fasting", "unknown")),
            has_sugar,
            pl.String,
        ),
        "hba1c_percent": column(hba1c, has_hba1c, pl.Float64),
        "weight_kg": column(weight, exam, pl.Float64),
        "height_cm": column(height[person], exam, pl.Int16),
        "supply_days": column(np.where(supplied, supply, 0), ~report, pl.Int16),
        "next_visit_on": next_on.zip_with(
            pl.Series(supplied), pl.Series([None], dtype=pl.Date).new_from_index(0, size)
        ),
        "reported_target": column(grade, graded, pl.Int8),
    }


def _known_from(illness: pl.DataFrame, people: int) -> dict[str, np.ndarray]:
    """Day from which each person has a disease followed by pressure, by sugar, or by a grade alone."""
    diseases = parameters("illness")["disease"]
    known = {name: np.full(people, when.NEVER) for name in ("blood_pressure", "glycaemia", "graded")}
    for person, disease, day in illness.select("person", "disease", "known_day").iter_rows():
        days = known[diseases[disease].get("grade", "graded")]
        days[person] = min(days[person], day)
    return known
