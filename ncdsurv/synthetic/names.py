"""Invented Vietnamese names, by ethnic group and sex, no two alike within a birth year, sex and province."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np

from ncdsurv.synthetic.data import parameters


def unaccented(name: str) -> str:
    """A name in lower case without marks and spaces, for comparing only.

    >>> unaccented("Đặng Thị Huệ")
    'dangthihue'
    """
    marks = unicodedata.normalize("NFD", name.lower().replace("đ", "d"))
    return "".join(letter for letter in marks if letter.isalnum())


def weighted(pairs: list[Any], size: int, rng: np.random.Generator) -> list[Any]:
    """Draw first elements of rows whose last element is the weight."""
    weights = np.array([float(pair[-1]) for pair in pairs])
    return [pairs[i][0] for i in rng.choice(len(pairs), size, p=weights / weights.sum())]


def draw_ethnic_groups(provinces: list[str], rng: np.random.Generator) -> list[str]:
    """An ethnic group (a table of `names.toml`) for each person, by home province."""
    mix = parameters("ethnic_mix")
    groups = [""] * len(provinces)
    for code in sorted(set(provinces)):
        shares = mix["by_province"].get(code, mix["default"])
        here = [i for i, province in enumerate(provinces) if province == code]
        for i, group in zip(here, weighted(list(shares.items()), len(here), rng)):
            groups[i] = group
    return groups


def draw_names(
    groups: list[str], sexes: list[str], distinct_by: list[tuple[Any, ...]], rng: np.random.Generator
) -> list[str]:
    """A name for each person.

    Args:
        groups: Ethnic group of each person.
        sexes: `male` or `female`.
        distinct_by: Within equal values no two people get names that differ only by marks or spaces.
        rng: Source of randomness.
    """
    names = [""] * len(groups)
    taken: set[tuple[Any, ...]] = set()
    todo = list(range(len(groups)))
    for round_ in range(200):
        drawn = _draw([groups[i] for i in todo], [sexes[i] for i in todo], rng)
        again = []
        for i, name in zip(todo, drawn):
            if round_ > 20:  # small groups run out of names: give a second given name
                name = f"{name} {drawn[(i * 7 + round_) % len(drawn)].split()[-1]}"
            key = (unaccented(name), *distinct_by[i])
            if key in taken:
                again.append(i)
            else:
                taken.add(key)
                names[i] = name
        todo = again
        if not todo:
            break
    return names


def _draw(groups: list[str], sexes: list[str], rng: np.random.Generator) -> list[str]:
    names = [""] * len(groups)
    pieces = parameters("names")
    for group in sorted(set(groups)):
        table = pieces[group]
        for sex in ("male", "female"):
            here = [i for i in range(len(groups)) if groups[i] == group and sexes[i] == sex]
            order = table.get(f"order_{sex}", table["order"])
            family = weighted(table.get(f"family_{sex}", table["family"]), len(here), rng)
            middle = rng.choice(table[f"middle_{sex}"], len(here))
            given = rng.choice(table[f"given_{sex}"], len(here))
            for k, i in enumerate(here):
                full = order.format(family=family[k], middle=middle[k], given=given[k])
                names[i] = " ".join(full.split())
    return names
