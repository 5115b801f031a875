"""One row per human being, and where each lived from which day on, in both geographies at once.

A residence is an *atom*: a pair (commune of 2024, commune of 2025) of the crosswalk, so that figures of either
geography are exact sums of atoms. A source gives a code of one vintage only; the other one is found

* `reported`: another of the person's records gives the other code, and the two make an atom;
* `crosswalk`: the code became, or came from, one commune only;
* `allocated`: several are possible; one is drawn by population share from the person's id, so that the same
  person always falls into the same one and the communes' totals keep their shares. A person whose sources give
  no usable code is placed at the station, which is `allocated` too.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.tables import PERSONS, RESIDENCES, conform
from ncdsurv.catalog.vocabulary import BirthPrecision, PatientStatus, Sex, Vintage
from ncdsurv.reference.sums import steady_sum

if TYPE_CHECKING:
    from ncdsurv.reference import Reference

REPORTED, CROSSWALK_ONLY, ALLOCATED = "reported", "crosswalk", "allocated"
_PAIR = ["commune_2024", "commune_2025"]
_CODE = ["commune_vintage", "commune_code"]


def build_persons(crosswalk: pl.DataFrame, patients: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    """Persons, one row each.

    Args:
        crosswalk: Columns of `CROSSWALK`.
        patients: Columns of `PATIENTS`; `received`, where present, tells the later of two rows of one day.
        visits: Columns of `VISITS`, for deaths: those that tell one are enough.

    Returns:
        `PERSONS`, sorted by id: sex by majority of records, birth date by best precision, then by majority,
        death by the first contact that reports it.
    """
    last = (
        _in_time(crosswalk, patients)
        .group_by("record_id", maintain_order=True)
        .agg(
            pl.col("person_id").first(),
            pl.col("sex").filter(pl.col("sex") != Sex.UNKNOWN.value).last(),
            pl.struct("birth_date", "birth_precision")
            .filter(pl.col("birth_date").is_not_null())
            .last()
            .alias("birth"),
            pl.col("valid_on").max(),
        )
    )
    persons = (
        crosswalk.select("person_id")
        .unique()
        .join(_majority(last.select("person_id", "sex", "valid_on"), ["sex"]), on="person_id", how="left")
        .join(_births(last), on="person_id", how="left")
        .join(_deaths(visits, crosswalk), on="person_id", how="left")
        .with_columns(pl.col("sex").fill_null(Sex.UNKNOWN.value))
        .sort("person_id")
    )
    return conform(persons, PERSONS)


def build_residences(crosswalk: pl.DataFrame, patients: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Where each person lived, from which day on.

    Args:
        crosswalk: Columns of `CROSSWALK`.
        patients: Columns of `PATIENTS`; `received`, where present, tells the later of two rows of one day.
        reference: Its atoms, commune populations and facilities.

    Returns:
        `RESIDENCES`, sorted by person and day: a row where place or facility changes. A person without any
        known place has no row.
    """
    atoms = _weighted_atoms(reference)
    rows = _in_time(crosswalk, patients)
    placed = _at_station(rows.with_row_index("step"), atoms, reference)
    seen = placed.select("person_id", *_CODE, "at_station").unique()
    known = placed.join(_resolve(seen, atoms), on=["person_id", *_CODE, "at_station"]).sort("step")
    daily = known.unique(["person_id", "valid_on"], keep="last", maintain_order=True)
    same = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(name).shift(1).over("person_id"))
        for name in ["person_id", *_PAIR, "facility"]
    )
    return conform(daily.filter(~same).rename({"valid_on": "from_on"}), RESIDENCES).sort(
        "person_id", "from_on"
    )


def _in_time(crosswalk: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """The rows of patients with their persons, each person's in the order of time."""
    order = ["valid_on", *(["received"] if "received" in patients.columns else []), "row_number", "record_id"]
    return patients.join(crosswalk.select("record_id", "person_id"), on="record_id").sort("person_id", *order)


def _majority(votes: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """The value most records of a person give; of equals the one given last, then the smallest."""
    return (
        votes.drop_nulls(columns)
        .group_by("person_id", *columns)
        .agg(pl.len().alias("n"), pl.col("valid_on").max())
        .sort(
            "person_id", "n", "valid_on", *columns, descending=[False, True, True, *(False for _ in columns)]
        )
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", *columns)
    )


def _births(last: pl.DataFrame) -> pl.DataFrame:
    ranks = {precision.value: rank for rank, precision in enumerate(BirthPrecision)}
    known = (
        last.select("person_id", "valid_on", "birth")
        .unnest("birth")
        .drop_nulls("birth_date")
        .with_columns(pl.col("birth_precision").replace_strict(ranks, default=len(ranks)).alias("rank"))
    )
    best = known.filter(pl.col("rank") == pl.col("rank").min().over("person_id"))
    return _majority(best, ["birth_date", "birth_precision"])


def _deaths(visits: pl.DataFrame, crosswalk: pl.DataFrame) -> pl.DataFrame:
    return (
        visits.filter(pl.col("patient_status") == PatientStatus.DEAD.value)
        .join(crosswalk.select("record_id", "person_id"), on="record_id")
        .group_by("person_id")
        .agg(pl.col("visited_on").min().alias("died_on"))
    )


def _weighted_atoms(reference: Reference) -> pl.DataFrame:
    """The atoms twice, once for each vintage a code may come in: [vintage, code, pair, weight]."""
    atoms = reference.atoms.select(*_PAIR, pl.col("share").fill_null(1.0))
    people = (
        reference.population.filter(
            (pl.col("vintage") == Vintage.V2024.value)
            & (pl.col("level") == "commune")
            & (pl.col("population") > 0)
        )
        .group_by("code", "year")
        .agg(steady_sum("population"))
        .sort("code", "year")
        .unique("code", keep="last", maintain_order=True)
        .select(pl.col("code").alias("commune_2024"), "population")
    )
    weighed = atoms.join(people, on="commune_2024", how="left")
    of_2025 = pl.col("share") * pl.col("population").fill_null(1.0).cast(pl.Float64)
    sides = [(Vintage.V2024, "commune_2024", pl.col("share")), (Vintage.V2025, "commune_2025", of_2025)]
    return pl.concat(
        weighed.select(
            pl.lit(vintage.value).alias("commune_vintage"),
            pl.col(column).alias("commune_code"),
            *_PAIR,
            weight.cast(pl.Float64).alias("weight"),
        )
        for vintage, column, weight in sides
    )


def _at_station(rows: pl.DataFrame, atoms: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Rows without a usable commune get the station's; rows that still have none are left out."""
    known = rows.join(atoms, on=_CODE, how="semi").with_columns(pl.lit(False).alias("at_station"))
    stations = (
        reference.facilities.select(
            pl.col("code").alias("facility"),
            pl.col("commune_code"),
            pl.col("vintage").alias("commune_vintage"),
        )
        .sort("facility", "commune_vintage", "commune_code")
        .unique("facility", keep="last", maintain_order=True)
    )
    other = (
        rows.join(atoms, on=_CODE, how="anti")
        .drop(_CODE)
        .join(stations, on="facility")
        .join(atoms, on=_CODE, how="semi")
        .with_columns(pl.lit(True).alias("at_station"))
    )
    return pl.concat([known, other.select(known.columns)])


def _resolve(seen: pl.DataFrame, atoms: pl.DataFrame) -> pl.DataFrame:
    """The atom of each code a person was seen with, and on what grounds."""
    key = ["person_id", *_CODE, "at_station"]
    possible = seen.join(atoms, on=_CODE)
    theirs = seen.filter(~pl.col("at_station")).select("person_id", *_CODE).unique()
    own = [
        theirs.filter(pl.col("commune_vintage") == vintage.value).select(
            "person_id", pl.col("commune_code").alias(column), pl.lit(True).alias(f"own_{column}")
        )
        for vintage, column in zip(Vintage, _PAIR, strict=True)
    ]
    for column, frame in zip(_PAIR, own, strict=True):
        possible = possible.join(frame, on=["person_id", column], how="left")
    both = (pl.col("own_commune_2024") & pl.col("own_commune_2025")).fill_null(False)
    possible = possible.with_columns(both.alias("both")).filter(
        pl.col("both") | ~pl.col("both").any().over(key)
    )
    basis = (
        pl.when(pl.col("at_station") | ((pl.len().over(key) > 1) & ~pl.col("both")))
        .then(pl.lit(ALLOCATED))
        .when("both")
        .then(pl.lit(REPORTED))
        .otherwise(pl.lit(CROSSWALK_ONLY))
    )
    possible = possible.with_columns(basis.alias("basis")).sort(*key, *_PAIR)
    single = possible.filter(pl.len().over(key) == 1)
    several = possible.filter(pl.len().over(key) > 1)
    ids = several["person_id"].unique()
    draws = pl.DataFrame(
        {"person_id": ids, "draw": [_uniform(person) for person in ids]},
        schema={"person_id": pl.String, "draw": pl.Float64},
    )
    drawn = (
        several.join(draws, on="person_id", maintain_order="left")
        .with_columns((pl.col("weight").cum_sum() / pl.col("weight").sum()).over(key).alias("up_to"))
        .filter((pl.col("up_to") > pl.col("draw")) | (pl.col("up_to") == pl.col("up_to").max().over(key)))
        .unique(key, keep="first", maintain_order=True)
    )
    columns = [*key, *_PAIR, "basis"]
    return pl.concat([single.select(columns), drawn.select(columns)])


def _uniform(person_id: str) -> float:
    """A number in [0, 1) that belongs to the person: the same on every machine and in every release."""
    digest = hashlib.sha256(person_id.encode()).digest()
    return int.from_bytes(digest[:6], "big") / float(1 << 48)
