"""Records of a bucket's persons -> the layout: numbered, turned into months and codes, put in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.tables import Schema
from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR, VisitKind
from ncdsurv.errors import IdentityError
from ncdsurv.spells.layout import (
    CASES,
    CONTACTS,
    GLUCOSE_KINDS,
    KINDS,
    NEVER,
    PEOPLE,
    SCALES,
    SEGMENTS,
    SEXES,
    STATUSES,
    Bucket,
)

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog


def month_expr(day: pl.Expr) -> pl.Expr:
    """Month index (year x 12 + month) of a date column, Int32."""
    return day.dt.year().cast(pl.Int32) * MONTHS_PER_YEAR + day.dt.month().cast(pl.Int32)


def bucket_layout(
    persons: pl.DataFrame,
    residences: pl.DataFrame,
    crosswalk: pl.DataFrame,
    diagnoses: pl.DataFrame,
    visits: pl.DataFrame,
    catalog: Catalog,
    atoms: pl.DataFrame,
) -> Bucket:
    """Lay out the records of one bucket's persons for the engine.

    Args:
        persons: `tables.PERSONS` of the bucket.
        residences: `tables.RESIDENCES`; at least one row for each person.
        crosswalk: record_id -> person_id; records of other persons are left out.
        diagnoses: `tables.DIAGNOSES`. Detected: earliest `detected_on`, else `recorded_on`.
        visits: `tables.VISITS`. Rows of one day keep the order sequence, row_number, visit_id.
        catalog: Diseases (their order is the disease number) and groups.
        atoms: atom, commune_2024, commune_2025 of the reference.

    Returns:
        The bucket: people dense from 0, ordered by home atom and person_id.

    Raises:
        IdentityError: A person without residence, or a residence that is no atom of the reference.
    """
    people, segments = _people(persons, residences, atoms)
    numbered = crosswalk.select("record_id", "person_id").join(
        people.select("person", "person_id"), on="person_id"
    )
    numbered = numbered.select("record_id", "person").unique()
    contacts = _contacts(visits.join(numbered, on="record_id"), catalog)
    cases = _cases(diagnoses.join(numbered, on="record_id"), contacts, catalog)
    return Bucket(people, segments, cases, _conform(contacts, CONTACTS))


def _conform(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _people(
    persons: pl.DataFrame, residences: pl.DataFrame, atoms: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    pair = ["commune_2024", "commune_2025"]
    lived = (
        residences.join(persons.select("person_id"), on="person_id", how="semi")
        .join(atoms.select("atom", *pair), on=pair, how="left")
        .with_columns(from_month=month_expr(pl.col("from_on")))
        .sort("person_id", "from_on", *pair)
    )
    if lost := lived["atom"].null_count():
        raise IdentityError(
            "residences outside the reference", got=f"{lost} rows", do="check the reference pack"
        )
    if homeless := persons.join(lived, on="person_id", how="anti").height:
        raise IdentityError(
            "persons without a residence", got=f"{homeless} persons", do="run the link step again"
        )
    # The last move of a month is where the person lives at the month's end.
    monthly = lived.group_by("person_id", "from_month", maintain_order=True).agg(pl.col("atom").last())
    home = monthly.group_by("person_id", maintain_order=True).agg(home=pl.col("atom").last())
    people = persons.join(home, on="person_id").sort("home", "person_id").with_row_index("person")
    people = people.with_columns(
        sex=pl.col("sex").replace_strict({s.value: i for i, s in enumerate(SEXES)}, default=len(SEXES) - 1),
        birth_month=month_expr(pl.col("birth_date")).fill_null(NEVER),
        death_month=month_expr(pl.col("died_on")).fill_null(NEVER),
    )
    segments = monthly.join(people.select("person_id", "person"), on="person_id").sort("person", "from_month")
    moved = (pl.col("atom") != pl.col("atom").shift(1).over("person")).fill_null(True)
    return _conform(people, PEOPLE), _conform(segments.filter(moved), SEGMENTS)


def disease_masks(catalog: Catalog) -> dict[str, int]:
    """Disease id -> bits of the diseases its rows speak of: itself and each group it is a member of."""
    number = {name: i for i, name in enumerate(catalog.diseases)}
    masks = {name: 1 << i for name, i in number.items()}
    for name, disease in catalog.diseases.items():
        for member in disease.members:
            masks[member] |= 1 << number[name]
    return masks


def _contacts(visits: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    everything = (1 << len(catalog.diseases)) - 1
    place = {status.value: i + 1 for i, status in enumerate(STATUSES)}
    supplied = (pl.col("supply_days").fill_null(0) > 0) | (pl.col("kind") == VisitKind.REFILL.value)
    order = ["person", "visited_on", "sequence", "row_number", "visit_id"]
    return (
        visits.with_columns(pl.col("sequence").fill_null(0), pl.col("row_number").fill_null(0))
        .sort(order)
        .with_columns(
            day=pl.col("visited_on").to_physical(),
            month=month_expr(pl.col("visited_on")),
            kind=pl.col("kind").replace_strict(
                {k.value: i for i, k in enumerate(KINDS)}, return_dtype=pl.Int8
            ),
            diseases=pl.when(pl.col("disease").is_null())
            .then(pl.lit(everything, pl.Int64))
            .otherwise(
                pl.col("disease").replace_strict(disease_masks(catalog), default=0, return_dtype=pl.Int64)
            ),
            status=pl.col("patient_status").replace_strict(place, default=0, return_dtype=pl.Int8),
            reported_target=pl.col("reported_target").fill_null(-1),
            dispensed=supplied.fill_null(False),
            glucose_kind=pl.col("glucose_kind").replace_strict(
                {k: i for i, k in enumerate(GLUCOSE_KINDS)}, default=None, return_dtype=pl.Int8
            ),
            **{name: (pl.col(name) * scale).round() for name, scale in SCALES.items()},
        )
    )


def _cases(diagnoses: pl.DataFrame, contacts: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    number = {name: i for i, name in enumerate(catalog.diseases)}
    groups = {
        member: [number[name] for name, d in catalog.diseases.items() if member in d.members]
        for member in number
    }
    belongs = pl.DataFrame(
        {"disease": list(number), "number": [[number[name], *groups[name]] for name in number]},
        schema={"disease": pl.String, "number": pl.List(pl.Int8)},
    ).explode("number")
    known = (
        diagnoses.select(
            "person",
            "disease",
            "recorded_on",
            detected_on=pl.coalesce("detected_on", "recorded_on"),
        )
        .join(belongs, on="disease")
        .group_by("person", "number")
        .agg(pl.col("detected_on").min(), pl.col("recorded_on").min())
    )
    managed = contacts.filter(pl.col("kind") != KINDS.index(VisitKind.SCREENING)).select(
        "person", "visited_on"
    )
    enrolled = (
        known.join(managed, on="person")
        .filter(pl.col("visited_on") >= pl.col("recorded_on"))
        .group_by("person", "number")
        .agg(enrolled_on=pl.col("visited_on").min())
    )
    cases = known.join(enrolled, on=["person", "number"], how="left").with_columns(
        disease=pl.col("number"),
        enrolled_month=month_expr(pl.col("enrolled_on")).fill_null(NEVER),
        detected_month=month_expr(pl.col("detected_on")).fill_null(NEVER),
    )
    # A detection dated after the enrolment cannot be: who is enrolled is known.
    cases = cases.with_columns(detected_month=pl.min_horizontal("detected_month", "enrolled_month"))
    return _conform(cases.sort("person", "disease"), CASES)
