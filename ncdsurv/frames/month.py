"""`states`: one row per person and disease, as of the end of one month."""

from __future__ import annotations

from typing import Any

import polars as pl

from ncdsurv.errors import UsageError
from ncdsurv.frames.spells import KEY, Spells, as_spells, one_month


def states(spells: Spells, at: str) -> Any:
    """The state of every person and disease at the end of a month.

    Args:
        spells: From `build_spells`.
        at: The month, `YYYY-MM`, among those built.

    Returns:
        A frame of the kind the records came in, sorted by person_id and disease: person_id, disease, area,
        facility, source, sex, age_band, care_state, outcome, tenure, and the other spell columns;
        months_since_enrolment (Int32) is as of the month. Persons not yet known have no row.

    Raises:
        UsageError: Not a month, or a month that was not built.

    >>> import polars as pl
    >>> from ncdsurv.frames import build_spells
    >>> spells = build_spells(
    ...     pl.DataFrame({"person_id": ["A"]}),
    ...     pl.DataFrame({"person_id": ["A"], "disease": ["hypertension"], "recorded_on": ["2023-06-10"]}),
    ...     pl.DataFrame({"person_id": ["A"] * 2, "visited_on": ["2023-06-10", "2024-02-01"],
    ...                   "sbp": [150, 132], "dbp": [95, 84]}),
    ...     first="2024-01", last="2024-06", preset="hearts",
    ... )
    >>> states(spells, at="2024-03")["outcome"].to_list()
    ['controlled']
    """
    spells = as_spells(spells)
    return spells.like(states_at(spells, within(spells, one_month(at), at)))


def within(spells: Spells, month: int, text: str) -> int:
    """The month, checked to be among those built."""
    if not spells.first_month <= month <= spells.last_month:
        raise UsageError(
            "a month that was not built",
            got=text,
            allowed=repr(spells),
            do="build the spells with an earlier first or a later last month",
        )
    return month


def states_at(spells: Spells, month: int) -> pl.DataFrame:
    """`states` as a polars frame, by month index."""
    since = pl.col("months_since_enrolment") + month - pl.col("from_month")
    return (
        spells.frame.filter(pl.lit(month).is_between(pl.col("from_month"), pl.col("to_month")))
        .with_columns(months_since_enrolment=since.cast(pl.Int32))
        .drop("from_month", "to_month")
        .sort(KEY)
    )
