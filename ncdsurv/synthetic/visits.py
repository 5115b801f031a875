"""The contacts of all people as one table: when, where, what was measured, and which files show it."""

from __future__ import annotations

import numpy as np
import polars as pl

from ncdsurv.synthetic import contacts as when
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.measured import measured_columns
from ncdsurv.synthetic.people import AGED_ON


def draw_visits(
    persons: pl.DataFrame,
    illness: pl.DataFrame,
    moves: pl.DataFrame,
    stations: pl.DataFrame,
    starts: np.ndarray,
    prevalent: np.ndarray,
    window: tuple[int, int],
    rng: np.random.Generator,
    screening: np.random.Generator,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Draw every contact with its readings; `screening` is the stream of what is measured without a diagnosis.

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
    measured = measured_columns(
        contacts, station, stations, persons, illness, starts, prevalent, rng, screening
    )
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
