"""Who is a case of what since when: diagnosis, enrolment, withdrawal, and readings that raise a suspicion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR, VisitKind
from ncdsurv.spells.layout import KINDS, NEVER, NOTICE, encode_condition

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.conditions import Condition
    from ncdsurv.catalog.models import Disease

_KEY = ["person", "disease"]
_DAYS = ("detected_on", "enrolled_on", "suspected_on", "at_risk_on", "withdrawn_on")


def month_expr(day: pl.Expr) -> pl.Expr:
    """Month index (year x 12 + month) of a date column, Int32."""
    return day.dt.year().cast(pl.Int32) * MONTHS_PER_YEAR + day.dt.month().cast(pl.Int32)


def cases_of(
    diagnoses: pl.DataFrame, contacts: pl.DataFrame, people: pl.DataFrame, catalog: Catalog
) -> pl.DataFrame:
    """One row per person and disease that is known or suspected, groups of diseases included.

    Args:
        diagnoses: `tables.DIAGNOSES` with the person's number.
        contacts: Contacts of the layout, still with `visited_on`.
        people: People of the layout.
        catalog: Diseases; their order is the disease number.

    Returns:
        person, disease, detected_month, enrolled_month, suspected_month, at_risk_month, withdrawn_month;
        `NEVER` where it did not happen. Sorted by person and disease.
    """
    known = _known(diagnoses, contacts, people, catalog)
    cases = known.join(_suspected(contacts, catalog), on=_KEY, how="full", coalesce=True)
    cases = cases.with_columns(
        month_expr(pl.col(day)).fill_null(NEVER).alias(f"{day.removesuffix('_on')}_month") for day in _DAYS
    )
    # A detection dated after the enrolment cannot be: who is enrolled is known.
    return cases.with_columns(detected_month=pl.min_horizontal("detected_month", "enrolled_month")).sort(_KEY)


def _known(
    diagnoses: pl.DataFrame, contacts: pl.DataFrame, people: pl.DataFrame, catalog: Catalog
) -> pl.DataFrame:
    number = {name: i for i, name in enumerate(catalog.diseases)}
    groups = {
        member: [number[name] for name, d in catalog.diseases.items() if member in d.members]
        for member in number
    }
    belongs = pl.DataFrame(
        {"name": list(number), "disease": [[number[name], *groups[name]] for name in number]},
        schema={"name": pl.String, "disease": pl.List(pl.Int8)},
    ).explode("disease")
    stands = pl.col("withdrawn_on").is_null()
    stated = pl.max_horizontal("recorded_on", "last_stated_on").filter(stands).max()
    single = (
        diagnoses.with_columns(detected_on=pl.coalesce("detected_on", "recorded_on"))
        .group_by("person", name="disease")
        .agg(
            pl.col("detected_on").min(),
            pl.col("recorded_on").min(),
            pl.col("withdrawn_on").max(),
            stated.alias("stated_on"),
        )
    )
    # A diagnosis that another record states after the withdrawal stands.
    again = (pl.col("stated_on") > pl.col("withdrawn_on")).fill_null(False)
    single = single.with_columns(pl.when(~again).then("withdrawn_on").alias("withdrawn_on"))
    all_withdrawn = pl.col("withdrawn_on").is_not_null().all()  # a group ends with the last of its members
    known = (
        single.join(belongs, on="name")
        .group_by(_KEY)
        .agg(
            pl.col("detected_on").min(),
            pl.col("recorded_on").min(),
            pl.when(all_withdrawn).then(pl.col("withdrawn_on").max()).alias("withdrawn_on"),
        )
    )
    # A visit dated after the month of death is a slip, or somebody else's errand: the dead do not enrol.
    managed = (
        contacts.filter(~pl.col("kind").is_in([KINDS.index(VisitKind.SCREENING), NOTICE]))
        .join(people.select("person", "death_month"), on="person")
        .filter(pl.col("month") <= pl.col("death_month"))
        .select("person", "visited_on")
    )
    enrolled = (
        known.join(managed, on="person")
        .filter(pl.col("visited_on") >= pl.col("recorded_on"))
        .group_by(_KEY)
        .agg(enrolled_on=pl.col("visited_on").min())
    )
    return known.join(enrolled, on=_KEY, how="left").drop("recorded_on")


def _suspected(contacts: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """The first reading, at a contact of any kind, that points to a disease or to the stage before it."""
    days = []
    for number, disease in enumerate(catalog.diseases.values()):
        if not disease.below_suspected:
            continue
        high = _beyond(disease, disease.below_suspected, catalog)
        raised = _beyond(disease, disease.below_at_risk, catalog)
        on = pl.col("visited_on")
        days.append(
            contacts.lazy()
            .filter(high | raised)
            .group_by("person")
            .agg(suspected_on=on.filter(high).min(), at_risk_on=on.min())
            .with_columns(disease=pl.lit(number, pl.Int8))
        )
    schema = {"person": pl.Int32, "disease": pl.Int8, "suspected_on": pl.Date, "at_risk_on": pl.Date}
    if not days:
        return pl.DataFrame(schema=schema)
    return pl.concat(days).select(pl.col(name).cast(dtype) for name, dtype in schema.items()).collect()


def _beyond(disease: Disease, limits: dict[str, Condition], catalog: Catalog) -> pl.Expr:
    """Whether any usable kind of reading of a contact lies beyond its limit; never null."""
    beyond = pl.lit(False)
    for kind, limit in limits.items():
        reading = catalog.measurements[str(disease.measurement)].readings[kind]
        present = pl.all_horizontal(pl.col(column).is_not_null() for column in reading.columns)
        usable = present & encode_condition(reading.where).expr()
        beyond = beyond | (usable & ~encode_condition(limit).expr())
    return beyond
