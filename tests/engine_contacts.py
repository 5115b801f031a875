"""What the plain oracle reads of a contact: conditions, usable readings, and which contacts are only notices."""

from __future__ import annotations

import operator
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ncdsurv.catalog import Catalog

_COMPARE = {"lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge}


def month_of(day: date) -> int:
    """Calendar month as year x 12 + month: 31 January to 1 February is one month."""
    return day.year * 12 + day.month


@lru_cache(maxsize=4096)
def exact(number: float) -> Fraction:
    """The number as it is written, so that a mean of two readings meets a limit exactly."""
    return Fraction(str(number))


def holds(condition: Any, row: dict) -> bool:
    """Whether a row satisfies every test of a condition."""
    for test in condition.tests:
        value = row.get(test.column)
        if value is None:
            return False
        if not test.bounds:
            if value not in test.values:
                return False
            continue
        value = value if isinstance(value, Fraction) else exact(value)
        if not all(_COMPARE[operator](value, exact(limit)) for operator, limit in test.bounds):
            return False
    return True


def usable(row: dict, reading: Any) -> bool:
    """A reading can be used when all its columns are there and it is of the kind asked for."""
    return all(row[column] is not None for column in reading.columns) and holds(reading.where, row)


def in_order(visits: list[dict], catalog: Catalog) -> list[dict]:
    """A person's contacts in order, each with `notice`: whether it only reports a status, and nobody was seen.

    The status of a notice that only the facility of the last contact may tell is taken from another's; a death
    counts by the person's date of it.
    """
    ordered = sorted(
        visits, key=lambda v: (v["visited_on"], v["sequence"] or 0, v["row_number"] or 0, v["visit_id"])
    )
    bare = [any(_only_reports(visit, notice) for notice in catalog.notices.values()) for visit in ordered]
    away = {status for notice in catalog.notices.values() for status in notice.only_from_last_facility}
    found = []
    for visit, is_bare in zip(ordered, bare):
        same_day = [b for v, b in zip(ordered, bare) if v["visited_on"] == visit["visited_on"]]
        cared = [
            v["facility"]
            for v, b in zip(ordered, bare)
            if v["visited_on"] <= visit["visited_on"] and not b and v["kind"] != "screening" and v["facility"]
        ]
        elsewhere = visit["patient_status"] in away and cared and visit["facility"] not in (None, cared[-1])
        notice = is_bare and (all(same_day) or bool(elsewhere))
        silent = notice and (elsewhere or visit["patient_status"] == "dead")
        status = None if silent else visit["patient_status"]
        found.append({**visit, "notice": notice, "patient_status": status})
    return found


def _only_reports(visit: dict, notice: Any) -> bool:
    told = visit["patient_status"] in notice.statuses and visit["kind"] in notice.kinds
    filled = any(visit[column] is not None for column in notice.filled)
    return told and not filled and not any(holds(condition, visit) for condition in notice.unless)
