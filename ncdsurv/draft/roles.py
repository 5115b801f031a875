"""Fields that only a comparison of columns can tell: which date is which, which pressure is the upper one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from statistics import median

from ncdsurv.draft.shapes import Column, days_of
from ncdsurv.draft.words import Words

_MOSTLY = 0.7
_BORN_BEFORE = 20 * 365  # days: most patients of chronic disease are older
_APPOINTMENT = 200  # days: the longest usual way to the next visit
_OTHER_ROLE, _WRONG_ROLE = 0.6, 0.2
_ROLES = ("birth_date", "detected_on", "visited_on", "next_visit_on")


def date_shares(columns: Sequence[Column]) -> dict[int, dict[str, float]]:
    """Per column of dates: how well it fits each date field, by its order among the other dates of its rows.

    Births lie decades back, detection before the visit, the next visit some weeks after it.
    """
    dated = {
        column.place: days_of(column)
        for column in columns
        if column.shares["visited_on"] >= _MOSTLY or column.shares["year"] >= _MOSTLY
    }
    known = {place: [day for day in days if day] for place, days in dated.items()}
    known = {place: days for place, days in known.items() if days}
    if not known:
        return {}
    middle = {place: _middle(days) for place, days in known.items()}
    latest = max(middle.values())
    years = {column.place for column in columns if column.shares["year"] >= _MOSTLY}
    births = {place for place, day in middle.items() if latest - day > _BORN_BEFORE or place in years}
    others = sorted(set(known) - births, key=lambda place: middle[place])
    filled = {column.place: column.filled for column in columns}
    roles = dict.fromkeys(births, "birth_date") | _in_order(others, dated, filled)
    by_place = {column.place: column.shares for column in columns}
    return {
        place: {
            name: max(by_place[place]["visited_on"], by_place[place]["year"] * (name == "birth_date"))
            * (1 if name == role else _WRONG_ROLE if "birth_date" in (name, role) else _OTHER_ROLE)
            for name in _ROLES
        }
        for place, role in roles.items()
    }


def _middle(days: list[date]) -> float:
    return median(day.toordinal() for day in days)


def _in_order(
    others: list[int], dated: dict[int, list[date | None]], filled: dict[int, int]
) -> dict[int, str]:
    """Roles of the dates that are no births, given from the oldest to the newest."""
    if not others:
        return {}
    fullest = max(filled[place] for place in others)
    full = [place for place in others if filled[place] * 10 >= fullest * 9]
    visit = full[0]
    for place in full[1:]:  # a date mostly filled that comes later is the visit, unless it is an appointment
        gaps = [
            (b - a).days
            for a, b in zip(dated[visit], dated[place], strict=True)
            if a is not None and b is not None
        ]
        if gaps and not (
            min(gaps) >= 0 and 0 < median(gaps) <= _APPOINTMENT and max(gaps) <= 2 * _APPOINTMENT
        ):
            visit = place
    roles = {}
    for place in others:
        before = others.index(place) < others.index(visit)
        roles[place] = "visited_on" if place == visit else "detected_on" if before else "next_visit_on"
    return roles


def pressure_shares(columns: Sequence[Column], words: Words) -> dict[int, dict[str, float]]:
    """Two columns of numbers, the first above the second in nearly every row and both where pressures lie."""
    found: dict[int, dict[str, float]] = {}
    numeric = [
        c
        for c in columns
        if c.median is not None and c.shares["sbp"] >= _MOSTLY and c.shares["visited_on"] == 0
    ]
    for upper in numeric:
        lower = next((c for c in columns if c.place > upper.place and c.median is not None), None)
        if lower is None or lower.shares["dbp"] < _MOSTLY or not _usual(upper, lower, words):
            continue
        pairs = [
            (one, two)
            for a, b in zip(upper.cells, lower.cells, strict=True)
            if (one := _number(a)) and (two := _number(b))
        ]
        if pairs and sum(one > two for one, two in pairs) >= 0.95 * len(pairs):
            found[upper.place] = {"sbp": upper.shares["sbp"]}
            found[lower.place] = {"dbp": lower.shares["dbp"]}
    return found


def _usual(upper: Column, lower: Column, words: Words) -> bool:
    assert upper.median is not None
    assert lower.median is not None
    (s_low, s_high), (d_low, d_high) = words.typical["sbp"], words.typical["dbp"]
    return s_low <= upper.median <= s_high and d_low <= lower.median <= d_high


def _number(text: str | None) -> float | None:
    digits = (text or "").strip().split(" ")[0].replace(",", ".")
    try:
        return float(digits)
    except ValueError:
        return None
