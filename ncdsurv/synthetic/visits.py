"""The contacts of all people as one table: when, where, what was measured, and which files show it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ncdsurv.synthetic import contacts as when
from ncdsurv.synthetic import readings
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.illness import has_his
from ncdsurv.synthetic.people import AGED_ON
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


def draw_visits(
    persons: pl.DataFrame,
    illness: pl.DataFrame,
    moves: pl.DataFrame,
    stations: pl.DataFrame,
    starts: np.ndarray,
    prevalent: np.ndarray,
    window: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Draw every contact with its readings.

    Returns:
        persons with `died_on` and `second_system`; illness with dates (`known_on`, `detected_on`);
        visits: visit (0..), person, facility, source, commune_2024, commune_2025, district_2024,
        province_2024, visited_on, minute (of the day), kind, status, first (of the person), sbp, dbp
        (mmHg or null), glucose_mmol_l, glucose_kind, hba1c_percent, weight_kg, height_cm, supply_days,
        next_visit_on, reported_target (0-2 or null), in_main, in_second: ordered by person and date.
    """
    people = persons.height
    rules = parameters("behaviour")["visits"]
    where = {name: stations[name].to_numpy() for name in ("miss", "bp", "trend", "sugar")}
    number = {facility: k for k, facility in enumerate(stations["facility"])}
    home = np.array([number[code] for code in persons["facility"]])
    miss = rules["miss"] * where["miss"][home] * np.exp(rules["miss_spread"] * rng.normal(size=people))
    series = when.draw_series(starts, miss, window[1], rng)
    age = AGED_ON.year - persons["birth_date"].dt.year().to_numpy()
    died = when.draw_deaths(age, *window, starts, rng)
    moved_day = np.full(people, when.NEVER)
    moved_day[moves["person"].to_numpy()] = moves["moved_day"].to_numpy()
    second_home = home.copy()
    arrives = moves.filter(pl.col("to_facility").is_not_null())
    second_home[arrives["person"].to_numpy()] = [number[code] for code in arrives["to_facility"]]
    in_sight = np.ones(people, dtype=bool)
    in_sight[moves.filter(pl.col("to_facility").is_null())["person"].to_numpy()] = False
    contacts = when.assemble(*series, died, moved_day, in_sight)
    station = np.where(contacts.moved, second_home[contacts.person], home[contacts.person])
    seen = _seen(contacts, station, stations, persons, moves, illness, rng)
    died_on = pl.Series(np.where(died < when.NEVER, died, -1)).cast(pl.Int32)
    persons = persons.with_columns(
        died_on=pl.when(died_on >= 0).then(died_on).cast(pl.Date), second_system=pl.Series(seen.pop("twice"))
    )
    measured = _measured(contacts, station, stations, persons, illness, starts, prevalent, rng)
    homes = ("commune_2024", "commune_2025", "district_2024", "province_2024")
    moved_home = moves.select("person", *(f"to_{name}" for name in homes))
    visits = (
        pl.DataFrame(
            {"person": contacts.person, "day": contacts.day, "moved": contacts.moved, **seen, **measured}
        )
        .with_columns(
            facility=stations["facility"].gather(station),
            source=stations["source"].gather(station),
            status=pl.Series([when.STATUSES[k] for k in contacts.status]),
            first=pl.Series(contacts.first),
        )
        .join(persons.select("person", *homes), on="person", how="left", maintain_order="left")
        .join(moved_home, on="person", how="left", maintain_order="left")
        .with_columns(
            pl.when("moved").then(pl.coalesce(f"to_{name}", name)).otherwise(name).alias(name)
            for name in homes
        )
    )
    visits = visits.with_columns(
        minute=pl.Series(_minutes(visits.height, rng)), visited_on=pl.col("day").cast(pl.Int32).cast(pl.Date)
    )
    visits = pl.concat([visits, _screenings(visits, prevalent, rng)], how="diagonal")
    typed = pl.col("sbp").is_not_null() | pl.col("status").is_in(when.STATUSES[when.TRANSFERRED_OUT :])
    visits = visits.with_columns(in_second=pl.col("in_second") & typed)
    visits = visits.filter(pl.col("in_main") | pl.col("in_second")).sort("person", "visited_on")
    visits = visits.with_columns(visit=pl.int_range(pl.len(), dtype=pl.Int64))
    dates = {
        f"{name}_on": pl.col(f"{name}_day").cast(pl.Int32).cast(pl.Date) for name in ("known", "detected")
    }
    illness = illness.with_columns(**dates).select(
        "person", "disease", "known_on", "detected_on", "detected_where", "icd10"
    )
    return persons, illness, visits.select(_COLUMNS)


_COLUMNS = [
    *(
        "visit",
        "person",
        "facility",
        "source",
        "commune_2024",
        "commune_2025",
        "district_2024",
        "province_2024",
    ),
    *("visited_on", "minute", "kind", "status", "first", "sbp", "dbp", "glucose_mmol_l", "glucose_kind"),
    *("hba1c_percent", "weight_kg", "height_cm", "supply_days", "next_visit_on", "reported_target"),
    *("in_main", "in_second"),
]


def _seen(
    contacts: when.Contacts,
    station: np.ndarray,
    stations: pl.DataFrame,
    persons: pl.DataFrame,
    moves: pl.DataFrame,
    illness: pl.DataFrame,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Which contacts the main system and, for some people, the Ministry software show."""
    rules, systems = parameters("behaviour")["people"], parameters("systems")
    source = stations["source"].to_list()
    says = {
        name: np.array([systems[code].get(name, False) for code in source])
        for name in ("transfers", "deaths")
    }
    ministry = np.array([systems[code].get("ministry", False) for code in source])
    sheets = {d for d, table in parameters("illness")["disease"].items() if "sheet" in table}
    only_sheets = (
        illness.group_by("person").agg(ok=pl.col("disease").is_in(sorted(sheets)).all()).sort("person")
    )
    both_numbers = persons.select(pl.all_horizontal(pl.col("citizen_id", "insurance_number").is_not_null()))
    twice = (
        only_sheets["ok"].to_numpy()
        & both_numbers.to_series().to_numpy()
        & (rng.random(persons.height) < rules["second_system"])
    )
    told = np.ones(persons.height, dtype=bool)
    told[moves["person"].to_numpy()] = moves["recorded"].to_numpy()
    dead_told = rng.random(persons.height) < rules["death_recorded"]
    transfer, dead = contacts.status == when.TRANSFERRED_OUT, contacts.status == when.DEAD
    hidden = (transfer & ~told[contacts.person]) | (dead & ~dead_told[contacts.person])
    main = ~hidden & (~transfer | says["transfers"][station]) & (~dead | says["deaths"][station])
    second = ~hidden & twice[contacts.person] & ~ministry[station]
    return {"in_main": main, "in_second": second, "twice": twice}


def _measured(
    contacts: when.Contacts,
    station: np.ndarray,
    stations: pl.DataFrame,
    persons: pl.DataFrame,
    illness: pl.DataFrame,
    starts: np.ndarray,
    prevalent: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Kind, readings and drugs of each contact as polars-ready columns."""
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


def _screenings(visits: pl.DataFrame, prevalent: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """Screening contacts some days before the first exam of people found by screening."""
    systems, rules = parameters("systems"), parameters("behaviour")["visits"]
    able = [code for code in systems if "screening" in systems[code]["kinds"]]
    found = visits.filter(
        pl.col("first")
        & pl.col("source").is_in(able)
        & pl.col("sbp").is_not_null()
        & ~pl.Series(prevalent).gather(visits["person"])
    )
    found = found.filter(pl.Series(rng.random(found.height) < 4 * rules["screened_first"]))
    earlier = pl.lit(pl.Series(rng.integers(2, 10, found.height)))
    empty = pl.lit(None)
    return found.with_columns(
        pl.col("visited_on") - pl.duration(days=earlier),
        kind=pl.lit(when.KINDS[when.SCREENING]),
        glucose_mmol_l=empty.cast(pl.Float64),
        glucose_kind=empty.cast(pl.String),
        hba1c_percent=empty.cast(pl.Float64),
        supply_days=empty.cast(pl.Int16),
        next_visit_on=empty.cast(pl.Date),
        reported_target=empty.cast(pl.Int8),
        in_second=pl.lit(False),
    )


def _minutes(size: int, rng: np.random.Generator) -> np.ndarray:
    """Minute of the day within opening hours."""
    morning = rng.random(size) < 0.75
    return np.where(morning, rng.integers(425, 680, size), rng.integers(800, 990, size))
