"""What is measured at a contact: blood pressure, sugar, weight, drugs; and what stations write down instead.

Each person has a mean that falls after enrolment and, slowly, over the calendar; provinces, stations, winters
and visits add their own noise. Some stations heap just under the limit, repeat the last reading or invent one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ncdsurv.synthetic.contacts import DEAD, EXAM, REFILL, TRANSFERRED_OUT, month_of
from ncdsurv.synthetic.data import parameters

_MONTH = 30.4


def draw_kinds(
    station: dict[str, np.ndarray], status: np.ndarray, first: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Kind of each contact (index into KINDS) and whether it is an exam with vital signs.

    Args:
        station: Per contact: `refills`, `plain` (bool).
        status: Status of each contact.
        first: First contact of the person.
        rng: Source of randomness.
    """
    rules = parameters("behaviour")["visits"]
    size = len(status)
    report = (status == DEAD) | (status == TRANSFERRED_OUT)
    refill = station["refills"] & ~first & ~report & (rng.random(size) < rules["refill"])
    plain = station["plain"] & (rng.random(size) < rules["plain"])
    blank = rng.random(size) < rules["not_measured"]
    kind = np.where(refill, REFILL, EXAM)
    return kind, ~report & ~refill & ~plain & ~blank


def draw_pressure(
    person: np.ndarray,
    day: np.ndarray,
    since: np.ndarray,
    station: dict[str, np.ndarray],
    hypertensive: np.ndarray,
    people: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Systolic and diastolic pressure (mmHg) as the station writes them.

    Args:
        person: Person of each contact, ordered by person and day.
        day: Day of each contact.
        since: Days since the person's first contact; prevalent people are past the first fall.
        station: Per contact: `bp`, `trend`, `north`, `heaps`, `clones`, `invents`.
        hypertensive: The person has the disease that is treated by pressure, per contact.
        people: Number of people.
        rng: Source of randomness.
    """
    rules, faults = parameters("behaviour")["blood_pressure"], parameters("behaviour")["stations"]
    size = len(person)
    months = (day - day.min()) / _MONTH if size else day
    winter = np.isin(month_of(day), (12, 1, 2))
    usual = rules["mean"] + rules["person"] * rng.normal(size=people)
    level = (
        usual[person]
        + np.where(hypertensive, 0.0, rules["without_hypertension"])
        + station["bp"]
        + station["trend"] * months
        + rules["start_excess"] * 0.5 ** (since / _MONTH / 3)
        + np.where(winter, np.where(station["north"], rules["winter_north"], rules["winter_south"]), 0.0)
    )
    sbp = level + rules["visit"] * rng.normal(size=size)
    dbp = 0.42 * sbp + 22.0 + 5.5 * rng.normal(size=size)
    sbp, dbp = _digits(sbp, rules, rng), _digits(dbp, rules, rng)
    sbp, dbp = np.clip(sbp, 86, 238), np.clip(dbp, 48, 138)
    dbp = np.minimum(dbp, sbp - 18)
    invented = station["invents"] & (rng.random(size) < faults["inventing_share"])
    sbp = np.where(invented, rng.integers(112, 139, size), sbp)
    dbp = np.where(invented, rng.integers(68, 89, size), dbp)
    heap = faults["heap"]
    lower = station["heaps"] & (rng.random(size) < faults["heaping_share"])
    sbp = np.where(lower & (sbp > heap["sbp"]) & (sbp <= heap["sbp"] + heap["reach"]), heap["sbp"], sbp)
    dbp = np.where(lower & (dbp > heap["dbp"]) & (dbp <= heap["dbp"] + heap["reach"]), heap["dbp"], dbp)
    clone = station["clones"] & (rng.random(size) < faults["cloning_share"])
    clone &= np.r_[False, person[1:] == person[:-1]] if size else clone
    origin = np.maximum.accumulate(np.where(clone, 0, np.arange(size))) if size else np.arange(0)
    return sbp[origin].astype(int), dbp[origin].astype(int)


def draw_sugar(
    person: np.ndarray,
    day: np.ndarray,
    station_sugar: np.ndarray,
    is_random: np.ndarray,
    people: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Glucose (mmol/L, one decimal) and HbA1c (%, one decimal) of each contact, whether measured or not."""
    rules = parameters("behaviour")["glucose"]
    size = len(person)
    usual = rules["mean_log"] + rules["person"] * rng.normal(size=people)
    months = (day - day.min()) / _MONTH if size else day
    level = usual[person] + station_sugar + rules["trend_per_month"] * months
    glucose = np.exp(level + rules["visit"] * rng.normal(size=size) + rules["random_extra"] * is_random)
    hba1c = 3.4 + 0.47 * np.exp(level) + 0.35 * rng.normal(size=size)
    return np.round(np.clip(glucose, 3.1, 28.0), 1), np.round(np.clip(hba1c, 4.6, 15.0), 1)


def screen_sugar(
    person: np.ndarray, is_random: np.ndarray, able: np.ndarray, people: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Who without diabetes has the sugar measured, and the glucose (mmol/L, one decimal) then found.

    Args:
        person: Person of each contact.
        is_random: The glucose would be a random one.
        able: An exam of a grown-up without diabetes whose system shows a glucose.
        people: Number of people.
        rng: Source of randomness, apart from that of the other readings.

    Returns:
        Whether each contact has one, and its value.
    """
    rules, visits = parameters("behaviour")["glucose"], parameters("behaviour")["visits"]
    usual = rules["without_mean_log"] + rules["without_person"] * rng.normal(size=people)
    noise = rules["without_visit"] * rng.normal(size=len(person))
    glucose = np.exp(usual[person] + noise + rules["random_extra"] * is_random)
    measured = able & (rng.random(len(person)) < visits["screened_sugar"])
    return measured, np.round(np.clip(glucose, 3.1, 28.0), 1)


def draw_grades(person: np.ndarray, day: np.ndarray, people: int, rng: np.random.Generator) -> np.ndarray:
    """Grade of diseases without a measurement: 1 at target, 0 not, 2 not assessed."""
    rules = parameters("behaviour")["target"]
    tilt = np.log(rules["at_target"] / (1 - rules["at_target"])) + rules["person"] * rng.normal(size=people)
    months = (day - day.min()) / _MONTH if len(day) else day
    chance = 1 / (1 + np.exp(-(tilt[person] + rules["trend_per_month"] * months)))
    grade = (rng.random(len(day)) < chance).astype(int)
    skipped = rng.random(len(day)) < parameters("behaviour")["visits"]["target_not_assessed"]
    return np.where(skipped, 2, grade)


def draw_bodies(persons: pl.DataFrame, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Height (cm) and usual weight (kg) of each person, plausible for adults; children are scaled down."""
    male = (persons["sex"] == "male").to_numpy()
    age = 2025 - persons["birth_date"].dt.year().to_numpy()
    height = np.where(male, 163.0, 153.0) + 6.0 * rng.normal(size=persons.height)
    height = np.where(
        age < 17, 80.0 + 5.0 * np.clip(age, 0, 16) + 3 * rng.normal(size=persons.height), height
    )
    bmi = np.clip(np.where(age < 17, 16.5, 22.8) + 3.0 * rng.normal(size=persons.height), 14.0, 38.0)
    return np.round(height).astype(int), bmi * (height / 100) ** 2


def _digits(values: np.ndarray, rules: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Round as a person reading a dial does: often to even numbers, sometimes to tens."""
    rolled = rng.random(len(values))
    tens = np.round(values / 10) * 10
    even = np.round(values / 2) * 2
    zero, both = rules["zero_digit"], rules["zero_digit"] + rules["even_digit"]
    return np.where(rolled < zero, tens, np.where(rolled < both, even, np.round(values)))
