"""The seeded registry: invented people with known truth, before anything is written to a file."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ncdsurv.catalog.vocabulary import Period
from ncdsurv.errors import UsageError
from ncdsurv.synthetic.contacts import draw_starts
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.dirt import Dirt, plan_dirt
from ncdsurv.synthetic.illness import draw_cells, draw_illness, has_his
from ncdsurv.synthetic.moves import draw_moves
from ncdsurv.synthetic.people import draw_people, to_day
from ncdsurv.synthetic.population import BasePopulation, base_population, pilot_codes
from ncdsurv.synthetic.stations import draw_stations
from ncdsurv.synthetic.visits import draw_visits


@dataclass(frozen=True)
class SyntheticRegistry:
    """Invented people, their care and what the files will say; every table is polars.

    Attributes:
        seed: The seed it was made from; same seed and parameters, same content.
        first: First month of the window, `2024-07`.
        last: Last month of the window.
        stations: facility, name, commune_2025, province_2024, source, effects, faults, file habits.
        persons: person, identity, first home (commune_2024, commune_2025, province_2024), facility,
            died_on, second_system.
        illness: person, disease, known_on, detected_on, detected_where, icd10.
        visits: every contact that some file shows, see `draw_visits`.
        moves: person, moved_on, to_facility (null: out of sight), recorded.
        applied: which dirt was put where, see `plan_dirt`.
        base: the invented population that the people were drawn from.
        dirt: the rates, or None.
    """

    seed: int
    first: str
    last: str
    stations: pl.DataFrame
    persons: pl.DataFrame
    illness: pl.DataFrame
    visits: pl.DataFrame
    moves: pl.DataFrame
    applied: pl.DataFrame
    base: BasePopulation
    dirt: Dirt | None

    def __repr__(self) -> str:
        return (
            f"SyntheticRegistry(seed={self.seed}, {self.first}..{self.last}, {self.stations.height} stations, "
            f"{self.persons.height} invented people, {self.visits.height} visits, "
            f"{self.applied.height} pieces of dirt)"
        )


def month_bounds(first: str, last: str) -> tuple[dt.date, dt.date]:
    """First and last day of a window of months.

    Raises:
        UsageError: Not months, or the wrong way round.
    """
    for month in (first, last):
        if Period.parse(month).first_month != Period.parse(month).last_month:
            raise UsageError("the window of a registry is given in months", got=month, allowed="YYYY-MM")
    if first > last:
        raise UsageError("the window ends before it begins", got=f"{first}..{last}", do="swap first and last")
    start, end = (dt.date.fromisoformat(f"{month}-01") for month in (first, last))
    return start, end.replace(day=calendar.monthrange(end.year, end.month)[1])


def make_registry(
    patients: int,
    seed: int,
    provinces: list[str] | None = None,
    dirt: Dirt | None = None,
    reference: Any = None,
    catalog: Any = None,
    first: str = "2024-07",
    last: str = "2026-06",
    facilities: Mapping[str, int] | None = None,
) -> SyntheticRegistry:
    """Invent a registry: people of the pilot provinces, their diseases, visits, deaths and moves.

    Args:
        patients: Number of people.
        seed: Same seed and arguments, same registry.
        provinces: 2024 codes of pilot provinces; None is all six.
        dirt: What is spoiled in the files; None writes clean files.
        reference: Areas and populations; None loads the built-in pack.
        catalog: Definitions; None loads the package's. Every invented disease must be in it.
        first: First month of the window.
        last: Last month of the window.
        facilities: Only these stations, with about how many people each; None is all.

    Returns:
        The registry with its truth.

    Raises:
        UsageError: Unknown province or facility, a wrong window, or no patients.
    """
    if patients < 1:
        raise UsageError("a registry needs people", got=patients, allowed="1 or more")
    if reference is None:
        from ncdsurv.reference import load_reference

        reference = load_reference()
    if catalog is None:
        from ncdsurv.catalog import load_catalog

        catalog = load_catalog()
    for disease in parameters("illness")["disease"]:
        catalog.need("diseases", disease)
    start, end = month_bounds(first, last)
    # One stream per stage: the stations of a seed stay the same whatever the number of people.
    streams = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(6))
    land, care, folk, rng, spill, screening = streams
    base = base_population(reference, pilot_codes(reference, provinces), patients, land)
    communes = reference.areas("commune", "2025")
    stations = draw_stations(base.atoms, dict(communes.select("code", "name").iter_rows()), care)
    if facilities is not None:
        base, stations = _restrict(base, stations, facilities)
    atom, sex, age, first_disease = draw_cells(base, stations, patients, folk)
    homes = base.atoms.drop("region_2024", "region_2025")[atom].join(
        stations.select("commune_2025", "facility"), on="commune_2025", how="left", maintain_order="left"
    )
    clinic = has_his(stations)
    his = np.array([clinic[code] for code in homes["commune_2025"]])
    codes = reference.areas("province", "2024")["code"].to_list()
    tables = [code for code, system in parameters("systems").items() if system["writer"] == "table"]
    strict = ~homes.join(stations, on="facility", how="left", maintain_order="left")["source"].is_in(tables)
    persons = draw_people(homes, sex, age, codes, strict.to_numpy(), folk)
    first_day, last_day = to_day(start), to_day(end)
    starts, prevalent = draw_starts(patients, first_day, last_day, rng)
    illness = draw_illness(first_disease, starts, prevalent, his, last_day, rng)
    moves = draw_moves(persons, illness, base, stations, first_day, last_day, rng)
    moves = moves.filter(pl.col("moved_day") > pl.Series(starts).gather(moves["person"]))
    persons, illness, visits = draw_visits(
        persons, illness, moves, stations, starts, prevalent, (first_day, last_day), rng, screening
    )
    files = sorted(_files(visits))
    applied = plan_dirt(dirt, visits, persons, files, spill)
    days = pl.col("moved_day").cast(pl.Int32).cast(pl.Date)
    moves = moves.select("person", moved_on=days, to_facility="to_facility", recorded="recorded")
    return SyntheticRegistry(
        seed, first, last, stations, persons, illness, visits, moves, applied, base, dirt
    )


def _files(visits: pl.DataFrame) -> set[tuple[str, str]]:
    ministry = next(code for code, system in parameters("systems").items() if system.get("ministry"))
    main = visits.filter("in_main").select("source", "facility").unique().rows()
    second = visits.filter("in_second").select("facility").unique().rows()
    return {*main, *((ministry, facility) for (facility,) in second)}


def _restrict(
    base: BasePopulation, stations: pl.DataFrame, facilities: Mapping[str, int]
) -> tuple[BasePopulation, pl.DataFrame]:
    """Keep some stations; their populations are scaled to the people wanted at each."""
    unknown = sorted(set(facilities) - set(stations["facility"]))
    if unknown:
        raise UsageError(
            "no such invented station", got=", ".join(unknown), do="see the registry's stations table"
        )
    kept = stations.filter(pl.col("facility").is_in(list(facilities)))
    wanted = {
        code: facilities[facility] for code, facility in kept.select("commune_2025", "facility").iter_rows()
    }
    atoms = base.atoms.filter(pl.col("commune_2025").is_in(list(wanted)))
    people = parameters("behaviour")["people"]["persons_per_patient"]
    shape = base.counts.sum(axis=0) / base.counts.sum()
    pieces = dict(atoms.group_by("commune_2025").len().iter_rows())
    size = np.array([wanted[code] * people / pieces[code] for code in atoms["commune_2025"]])
    return BasePopulation(atoms, np.rint(size[:, None, None] * shape * 100).astype(np.int64)), kept
