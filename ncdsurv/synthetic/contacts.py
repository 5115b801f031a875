"""When people come: appointments kept and missed, dropping out and coming back, moving, dying."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ncdsurv.synthetic.data import parameters

NEVER = 10**6  # a day far beyond any window
_SUNDAY = 3  # day 0 of 1970 was a Thursday
EXAM, REFILL, SCREENING = 0, 1, 2
KINDS = ("exam", "refill", "screening")
MANAGED, TRANSFERRED_IN, TRANSFERRED_OUT, DEAD = 0, 1, 2, 3
STATUSES = ("managed", "transferred_in", "transferred_out", "dead")


@dataclass
class Contacts:
    """Contacts in order of person and day; parallel arrays.

    Attributes:
        person: Index of the person.
        day: Days since 1970.
        status: Index into `STATUSES`.
        moved: The person lives at the second home by then.
        first: First contact of the person.
    """

    person: np.ndarray
    day: np.ndarray
    status: np.ndarray
    moved: np.ndarray
    first: np.ndarray


def month_of(day: np.ndarray) -> np.ndarray:
    """Calendar month 1-12 of days since 1970."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 + 1


def draw_starts(
    size: int, first_day: int, last_day: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """First contact in the window of each person, and who was already under care before it."""
    prevalent = rng.random(size) < parameters("behaviour")["visits"]["enrolled_before"]
    soon = first_day + rng.integers(0, 32, size)
    later = rng.integers(first_day + 10, max(first_day + 11, last_day - 5), size)
    start = np.where(prevalent, soon, later)
    return np.minimum(_no_sunday(start), last_day), prevalent


def draw_series(
    start: np.ndarray, miss: np.ndarray, last_day: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Days of visits of each person until the window ends or the person stays away.

    Args:
        start: First day of each person, shape (n,).
        miss: Each person's chance to skip an appointment, shape (n,).
        last_day: Last day of the window.
        rng: Source of randomness.

    Returns:
        Person indices and days, ordered by person and day.
    """
    rules = parameters("behaviour")["visits"]
    season = np.array(rules["miss_month"])
    low, high = rules["gap_days"]
    away_low, away_high = rules["drop_days"]
    person, day = np.arange(len(start)), start.copy()
    people, days = [person], [day]
    while len(person):
        size = len(person)
        chance = np.clip(miss[person] * season[month_of(day) - 1], 0.01, 0.75)
        cycles = rng.geometric(1.0 - chance)
        gap = np.where(cycles > 1, cycles * 29 + rng.integers(-8, 9, size), rng.integers(low, high + 1, size))
        away = rng.random(size) < rules["drop_out"]
        back = rng.random(size) < rules["drop_returns"]
        gap = np.where(away, rng.integers(away_low, away_high, size), gap)
        day = _no_sunday(day + gap)
        stays = (day <= last_day) & ~(away & ~back)
        person, day = person[stays], day[stays]
        people.append(person)
        days.append(day)
    everyone, all_days = np.concatenate(people), np.concatenate(days)
    order = np.lexsort((all_days, everyone))
    return everyone[order], all_days[order]


def draw_deaths(
    age: np.ndarray, first_day: int, last_day: int, start: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Day of death within the window and after the first contact, or a day far beyond it."""
    steps = parameters("behaviour")["people"]["deaths_per_1000_by_age"]
    index = np.searchsorted([row[0] for row in steps], age, side="right") - 1
    hazard = np.array([row[1] for row in steps])[np.maximum(index, 0)] / 1000 / 365.25
    day = start + 1 + rng.exponential(1.0 / hazard).astype(int)
    return np.where(day <= last_day, day, NEVER)


def assemble(
    person: np.ndarray,
    day: np.ndarray,
    died_day: np.ndarray,
    moved_day: np.ndarray,
    stays_in_sight: np.ndarray,
) -> Contacts:
    """Cut the series by deaths and moves and add the rows that report them.

    Args:
        person: Person of each visit, ordered.
        day: Day of each visit.
        died_day: Day of death per person, far beyond the window when alive.
        moved_day: Day of the move per person, far beyond when none.
        stays_in_sight: The person goes on at another station of ours.
    """
    gone = ~stays_in_sight[person] & (day >= moved_day[person])
    settling = (day >= moved_day[person]) & (day < moved_day[person] + 7)
    keep = (day < died_day[person]) & ~gone & ~settling
    person, day = person[keep], day[keep]
    first = np.r_[True, person[1:] != person[:-1]]
    after = day > moved_day[person]
    arrived = after & ~first & ~np.r_[False, after[:-1]]
    status = np.where(arrived, TRANSFERRED_IN, MANAGED)
    seen = np.full(len(died_day), NEVER)
    np.minimum.at(seen, person, day)
    movers = np.flatnonzero((moved_day < NEVER) & (moved_day > seen) & (moved_day < died_day))
    dead = np.flatnonzero((died_day < NEVER) & (died_day > seen))
    dead_away = ~stays_in_sight[dead] & (moved_day[dead] < died_day[dead])
    dead = dead[~dead_away]
    all_person = np.concatenate([person, movers, dead])
    all_day = np.concatenate([day, moved_day[movers], died_day[dead]])
    all_status = np.concatenate([status, np.full(len(movers), TRANSFERRED_OUT), np.full(len(dead), DEAD)])
    order = np.lexsort((all_day, all_person))
    all_person, all_day, all_status = all_person[order], all_day[order], all_status[order]
    return Contacts(
        person=all_person,
        day=all_day,
        status=all_status,
        moved=all_day > moved_day[all_person],
        first=np.r_[True, all_person[1:] != all_person[:-1]],
    )


def _no_sunday(day: np.ndarray) -> np.ndarray:
    return day + (day % 7 == _SUNDAY)
