"""Rows that only report a death or a move: they tell a status from their day on, and are no visit (`notices.toml`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import PatientStatus, VisitKind
from ncdsurv.spells.layout import KINDS, NOTICE, STATUSES

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Notice

_DAY = ["person", "visited_on"]
_DEAD = STATUSES.index(PatientStatus.DEAD) + 1


def mark_notices(contacts: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Give the rows that only report a status a kind of their own.

    Args:
        contacts: Ordered by person, day and order within the day; person, visited_on, facility, kind and status as
            in the layout, and the columns that only care fills as they were written.
        catalog: What such a row is.

    Returns:
        The contacts, with kind `NOTICE` where nothing else is on record of the person's day. A status that only the
        facility of the last contact can tell is taken from a row of another facility, and the row is a notice too,
        whatever the day holds. A notice of death tells no status: a death is known by the person's date of it.
    """
    bare = pl.any_horizontal(False, *(_only_reports(notice) for notice in catalog.notices.values()))
    asked = contacts.select(bare.alias("bare"))["bare"]
    if not asked.any():
        return contacts
    rows = contacts.select(*_DAY, "kind", "facility", "status").with_columns(bare=asked).with_row_index("row")
    people = rows.filter("bare").select("person").unique()
    away = {status for notice in catalog.notices.values() for status in notice.only_from_last_facility}
    # Only who has such a row is looked at: they are few, and the order of days is needed for each.
    cared = ~pl.col("bare") & (pl.col("kind") != KINDS.index(VisitKind.SCREENING))
    here = pl.when(cared).then("facility").forward_fill().over("person")
    told = pl.col("status").is_in([STATUSES.index(status) + 1 for status in away])
    silent = pl.col("elsewhere") | (pl.col("status") == _DEAD)
    found = (
        rows.join(people, on="person", how="semi", maintain_order="left")
        .with_columns(here=here)
        .with_columns(pl.col("here").last().over(_DAY), alone=pl.col("bare").min().over(_DAY))
        .with_columns(elsewhere=(told & (pl.col("facility") != pl.col("here"))).fill_null(False))
        .filter(pl.col("bare") & (pl.col("alone") | pl.col("elsewhere")))
        .select("row", status=pl.when(silent).then(0).otherwise("status").cast(pl.Int8))
    )
    return contacts.with_columns(
        contacts["kind"].scatter(found["row"], NOTICE),
        contacts["status"].scatter(found["row"], found["status"]),
    )


def _only_reports(notice: Notice) -> pl.Expr:
    """Whether a row has one of a notice's statuses and nothing that care leaves behind; never null."""
    status = pl.col("status").is_in([STATUSES.index(status) + 1 for status in notice.statuses])
    kind = pl.col("kind").is_in([KINDS.index(kind) for kind in notice.kinds])
    empty = pl.all_horizontal(pl.col(name).is_null() for name in notice.filled)
    done = pl.any_horizontal(False, *(condition.expr() for condition in notice.unless))
    return (status & kind & empty & ~done).fill_null(False)
