"""The invented people: who they are, where they live, which numbers they carry."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.names import draw_ethnic_groups, draw_names, weighted
from ncdsurv.synthetic.population import AGE_GROUPS, OLDEST, SEXES

AGED_ON = dt.date(2025, 1, 1)
YOUNGEST = 2  # years: nobody is born after the first visit
_EPOCH = dt.date(1970, 1, 1).toordinal()
_YEAR = 365.25


def to_date(day: int) -> dt.date:
    """A date from days since 1970-01-01."""
    return dt.date.fromordinal(int(day) + _EPOCH)


def to_day(date: dt.date) -> int:
    """Days since 1970-01-01."""
    return date.toordinal() - _EPOCH


def draw_people(
    homes: pl.DataFrame,
    sex: np.ndarray,
    age_group: np.ndarray,
    province_codes: list[str],
    both_numbers: np.ndarray,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Invent identities for people of given home, sex and age group.

    Args:
        homes: One row per person: commune_2024, commune_2025, district_2024, province_2024, facility.
        sex: Index into ("male", "female"), shape (n,).
        age_group: Index into the 17 five-year groups, shape (n,).
        province_codes: All 2024 province codes, for citizen numbers.
        both_numbers: True where the station's system needs both numbers, shape (n,).
        rng: Source of randomness.

    Returns:
        persons: person (0..n-1), name, sex, birth_date, ethnicity, citizen_id, insurance_number, phone,
        address, occupation, and the columns of `homes`.
    """
    size = len(sex)
    sexes = [SEXES[i] for i in sex]
    births = _births(age_group, rng)
    provinces = homes["province_2024"].to_list()
    groups = draw_ethnic_groups(provinces, rng)
    apart = [(birth.year, s, p) for birth, s, p in zip(births, sexes, provinces)]
    settings = parameters("behaviour")["people"]
    citizen = _citizen_numbers(births, sexes, provinces, province_codes, rng)
    card = _cards(births, provinces, rng)
    bare = np.array(both_numbers)
    lacks_id = ~bare & (rng.random(size) < settings["without_citizen_id"])
    lacks_card = ~bare & ~lacks_id & (rng.random(size) < settings["without_insurance"])
    return homes.with_columns(
        person=pl.int_range(size, dtype=pl.Int64),
        name=pl.Series(draw_names(groups, sexes, apart, rng)),
        sex=pl.Series(sexes),
        birth_date=pl.Series(births),
        ethnicity=pl.Series([parameters("names")[group]["code"] for group in groups]),
        citizen_id=pl.Series([None if lacks else n for n, lacks in zip(citizen, lacks_id)], dtype=pl.String),
        insurance_number=pl.Series([None if no else n for n, no in zip(card, lacks_card)], dtype=pl.String),
        phone=pl.Series(_phones(size, rng), dtype=pl.String),
        address=pl.Series(_addresses(size, rng)),
        occupation=pl.Series(weighted(parameters("behaviour")["identifiers"]["occupations"], size, rng)),
    )


def _births(age_group: np.ndarray, rng: np.random.Generator) -> list[dt.date]:
    low = np.array([int(group.split("-")[0].rstrip("+")) for group in AGE_GROUPS])[age_group]
    span = np.where(age_group == len(AGE_GROUPS) - 1, OLDEST - low, 5.0)
    span, low = np.where(low == 0, span - YOUNGEST, span), np.maximum(low, YOUNGEST)
    reach = rng.random(len(low))
    reach = np.where(span > 5.0, reach**2, reach)  # few reach the highest ages
    return [to_date(to_day(AGED_ON) - days) for days in ((low + span * reach) * _YEAR).astype(int)]


def _distinct(size: int, digits: int, rng: np.random.Generator) -> np.ndarray:
    """Distinct numbers of so many digits, in random order."""
    found = np.unique(rng.integers(0, 10**digits, size + size // 4 + 16))
    while len(found) < size:
        found = np.unique(np.concatenate([found, rng.integers(0, 10**digits, size)]))
    return rng.permutation(found)[:size]


def _citizen_numbers(
    births: list[dt.date], sexes: list[str], provinces: list[str], codes: list[str], rng: np.random.Generator
) -> list[str]:
    """Twelve digits: province of birth registration, century and sex, birth year, serial."""
    elsewhere = rng.random(len(births)) < parameters("behaviour")["identifiers"]["born_elsewhere"]
    other = rng.choice(codes, len(births))
    serial = rng.integers(0, 10**6, len(births))
    used: set[str] = set()
    numbers = []
    for i, birth in enumerate(births):
        province = other[i] if elsewhere[i] else provinces[i]
        century = 2 * (birth.year // 100 - 19) + SEXES.index(sexes[i])
        prefix, tail = f"{int(province):03d}{century}{birth.year % 100:02d}", int(serial[i])
        while f"{prefix}{tail:06d}" in used:
            tail = (tail + 1) % 10**6
        used.add(f"{prefix}{tail:06d}")
        numbers.append(f"{prefix}{tail:06d}")
    return numbers


def _cards(births: list[dt.date], provinces: list[str], rng: np.random.Generator) -> list[str]:
    """Insurance cards: 2 letters, benefit digit, province, 10-digit social insurance number."""
    settings = parameters("behaviour")["identifiers"]
    kinds = weighted(settings["cards"], len(births), rng)
    numbers = _distinct(len(births), 10, rng)
    child = [birth.year > AGED_ON.year - 6 for birth in births]
    return [
        f"{settings['card_child'] if child[i] else kinds[i]}{provinces[i]}{numbers[i]:010d}"
        for i in range(len(births))
    ]


def _phones(size: int, rng: np.random.Generator) -> list[str | None]:
    settings = parameters("behaviour")["identifiers"]
    prefix = rng.choice(settings["phone_prefixes"], size)
    none = rng.random(size) < settings["no_phone"]
    return [None if none[i] else f"{prefix[i]}{n:07d}" for i, n in enumerate(_distinct(size, 7, rng))]


def _addresses(size: int, rng: np.random.Generator) -> list[str]:
    words = rng.choice(parameters("behaviour")["identifiers"]["hamlets"], size)
    return [f"{word} {number}" for word, number in zip(words, rng.integers(1, 16, size))]
