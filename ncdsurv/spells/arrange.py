"""Records of a bucket's persons -> the layout: numbered, turned into months and codes, put in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.tables import VISITS
from ncdsurv.catalog.vocabulary import CARE_COLUMNS, VisitKind
from ncdsurv.errors import IdentityError
from ncdsurv.spells.cases import cases_of, month_expr
from ncdsurv.spells.layout import (
    ASSIGNMENTS,
    CASES,
    CONTACTS,
    GLUCOSE_KINDS,
    KINDS,
    NEVER,
    NOTICE,
    PEOPLE,
    SCALES,
    SEGMENTS,
    SEXES,
    STATUSES,
    Bucket,
    lay_out,
)
from ncdsurv.spells.notices import mark_notices

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog


_ROW = ("record_id", "visit_id", "facility", "visited_on", "sequence", "row_number", "disease")
_SAID = ("supply_days", "next_visit_on", "patient_status", *CARE_COLUMNS, *CONTACTS)


def visit_columns(catalog: Catalog) -> list[str]:
    """Columns of the visits that a layout is made of; without the others less is read, and hashed.

    >>> from ncdsurv.catalog import load_catalog
    >>> "file_sha256" in visit_columns(load_catalog())
    False
    """
    needed = {*_ROW, *_SAID, *catalog.contact_flags}
    return [name for name in VISITS if name in needed]


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
        crosswalk: record_id -> person_id; records of other persons are left out. Its column `source`, where
            there is one, says which system a record comes from (`visits` may say it as well).
        diagnoses: `tables.DIAGNOSES`. Detected: earliest `detected_on`, else `recorded_on`.
        visits: `tables.VISITS`. Rows of one day keep the order sequence, row_number, visit_id. A contact
            flagged pregnant keeps its day and loses its readings; a row that only reports a status is a notice.
        catalog: Diseases (their order is the disease number) and groups.
        atoms: atom, commune_2024, commune_2025 of the reference.

    Returns:
        The bucket: people dense from 0, ordered by home atom and person_id.

    Raises:
        IdentityError: A person without residence, or a residence that is no atom of the reference.
    """
    people, segments = _people(persons, residences, atoms)
    told = [name for name in ("source",) if name in crosswalk.columns and name not in visits.columns]
    numbered = crosswalk.select("record_id", "person_id", *told).join(
        people.select("person", "person_id"), on="person_id"
    )
    numbered = numbered.select("record_id", "person", *told).unique("record_id", keep="first")
    contacts = _contacts(visits.join(numbered, on="record_id"), catalog)
    cases = cases_of(diagnoses.join(numbered, on="record_id"), contacts, people, catalog)
    return Bucket(
        people,
        segments,
        _assignments(people, contacts),
        lay_out(cases, CASES),
        lay_out(contacts, CONTACTS),
    )


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
    return lay_out(people, PEOPLE), lay_out(segments.filter(moved), SEGMENTS)


def _assignments(people: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """Who looks after a person from which month on: the facility of the last contact of each month.

    A screening or a notice assigns nobody who has other contacts; who has none at all belongs to a place without
    a name.
    """
    if "source" not in contacts.columns:
        contacts = contacts.with_columns(source=pl.lit(""))
    passing = pl.col("kind").is_in([KINDS.index(VisitKind.SCREENING), NOTICE])
    monthly = (
        contacts.drop_nulls("facility")
        .filter(~passing | passing.all().over("person"))
        .group_by("person", "month", maintain_order=True)
        .agg(pl.col("facility").last(), pl.col("source").last().fill_null(""))
        .rename({"month": "from_month"})
        .sort("person", "from_month")
    )
    changed = pl.any_horizontal(
        (pl.col(name) != pl.col(name).shift(1)).fill_null(True) for name in ("person", "facility", "source")
    )
    nowhere = people.join(monthly, on="person", how="anti").select(
        "person", from_month=pl.lit(0), facility=pl.lit(""), source=pl.lit("")
    )
    return pl.concat([lay_out(monthly.filter(changed), ASSIGNMENTS), lay_out(nowhere, ASSIGNMENTS)]).sort(
        "person", "from_month"
    )


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
    read = {name for m in catalog.measurements.values() for r in m.readings.values() for name in r.columns}
    hidden = pl.any_horizontal(pl.col(flag).fill_null(False) for flag in catalog.contact_flags)
    on = pl.col("visited_on")
    supplied_until = pl.when(pl.col("supply_days") > 0).then(on + pl.duration(days="supply_days"))
    due = pl.when(pl.col("next_visit_on") > on).then("next_visit_on").otherwise(supplied_until)
    numbered = (
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
            due_day=due.cast(pl.Date).to_physical(),
            glucose_kind=pl.col("glucose_kind").replace_strict(
                {k: i for i, k in enumerate(GLUCOSE_KINDS)}, default=None, return_dtype=pl.Int8
            ),
            **{name: (pl.col(name) * scale).round() for name, scale in SCALES.items()},
        )
    )
    told = mark_notices(numbered, catalog)
    return told.with_columns(pl.when(~hidden).then(name).alias(name) for name in sorted(read))
