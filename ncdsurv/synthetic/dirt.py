"""Which dirt is put where. It is planned once with the registry, so that its effect can be bounded."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from ncdsurv.synthetic.data import parameters, table

APPLIED = {
    "kind": pl.String,
    "source": pl.String,
    "facility": pl.String,
    "person": pl.Int64,
    "visit": pl.Int64,
    "column": pl.String,
}
_IMPOSSIBLE = {"sbp": 735, "glucose_mmol_l": 777}


@dataclass(frozen=True)
class Dirt:
    """Rates from 0 to 1 of each kind of dirt; all zero is a clean registry.

    Attributes:
        missing_units: Glucose results of insurance files without a unit.
        mg_dl: Stations that write glucose in mg/dL.
        swapped_dates: Stations whose spreadsheet exchanged day and month where it could.
        lost_zeros: Stations whose codes became numbers.
        nfd_names: Stations whose text is decomposed Unicode.
        tcvn3_names: Stations whose HIS table holds TCVN3 glyph text.
        duplicate_rows: Rows written twice.
        second_system_typo: People in two systems with a typing error in the second.
        impossible_values: Rows with a reading that no living person has.
        zero_for_missing: Empty vital signs of HIS tables written as 0.
        year_only_birth: People whose birth is a year only in their main system.
    """

    missing_units: float = 0.0
    mg_dl: float = 0.0
    swapped_dates: float = 0.0
    lost_zeros: float = 0.0
    nfd_names: float = 0.0
    tcvn3_names: float = 0.0
    duplicate_rows: float = 0.0
    second_system_typo: float = 0.0
    impossible_values: float = 0.0
    zero_for_missing: float = 0.0
    year_only_birth: float = 0.0

    @classmethod
    def as_in_life(cls) -> Dirt:
        """The rates of the parameter file."""
        rates = parameters("dirt")
        return cls(**{field.name: rates[field.name] for field in fields(cls)})


def plan_dirt(
    dirt: Dirt | None,
    visits: pl.DataFrame,
    persons: pl.DataFrame,
    files: list[tuple[str, str]],
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Decide every piece of dirt.

    Args:
        dirt: Rates, or None for none.
        visits: The registry's visits.
        persons: The registry's persons.
        files: (source, facility) of every file that will be written.
        rng: Source of randomness.

    Returns:
        applied: kind, source, facility (what is spoiled whole), person, visit, column.
    """
    if dirt is None:
        return pl.DataFrame(schema=APPLIED)
    writers = {code: system["writer"] for code, system in parameters("systems").items()}
    rows: list[tuple[Any, ...]] = []
    rows += _whole_files(dirt, files, writers, rng)
    rows += _rows(dirt, visits, writers, rng)
    rows += _people(dirt, visits, persons, rng)
    return pl.DataFrame(rows, schema=APPLIED, orient="row")


def _whole_files(
    dirt: Dirt, files: list[tuple[str, str]], writers: dict[str, str], rng: np.random.Generator
) -> list[tuple[Any, ...]]:
    kinds = {
        "mg_dl": (dirt.mg_dl, ("sheets", "table", "insurance"), "glucose_mmol_l"),
        "swapped_dates": (dirt.swapped_dates, ("sheets",), "visited_on"),
        "lost_zeros": (dirt.lost_zeros, ("sheets", "table"), "citizen_id"),
        "nfd_names": (dirt.nfd_names, ("sheets", "table", "insurance"), "name"),
        "tcvn3_names": (dirt.tcvn3_names, ("table",), "name"),
        "zero_for_missing": (dirt.zero_for_missing, ("table",), "sbp"),
    }
    rows: list[tuple[Any, ...]] = []
    for kind, (rate, only, column) in kinds.items():
        able = [(source, facility) for source, facility in files if writers[source] in only]
        hit = rng.permutation(len(able))[: round(rate * len(able))]
        rows += [(kind, *able[i], None, None, column) for i in sorted(hit)]
    old_fonts = {row[1:3] for row in rows if row[0] == "tcvn3_names"}
    return [row for row in rows if row[0] != "nfd_names" or row[1:3] not in old_fonts]


def _rows(
    dirt: Dirt, visits: pl.DataFrame, writers: dict[str, str], rng: np.random.Generator
) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    main = visits.filter("in_main").select(
        "visit", "person", "facility", "source", "sbp", "glucose_mmol_l", "kind"
    )
    for visit, person, facility, source, sbp, glucose, _ in main.rows():
        rolled = rng.random(3)
        if rolled[0] < dirt.duplicate_rows:
            rows.append(("duplicate_rows", source, facility, person, visit, None))
        if rolled[1] < dirt.impossible_values and sbp is not None:
            column = "glucose_mmol_l" if glucose is not None and visit % 2 else "sbp"
            rows.append(("impossible_values", source, facility, person, visit, column))
        if rolled[2] < dirt.missing_units and glucose is not None and writers[source] == "insurance":
            rows.append(("missing_units", source, facility, person, visit, "glucose_mmol_l"))
    return rows


def _people(
    dirt: Dirt, visits: pl.DataFrame, persons: pl.DataFrame, rng: np.random.Generator
) -> list[tuple[Any, ...]]:
    ministry = next(code for code, system in parameters("systems").items() if system.get("ministry"))
    twice = set(visits.filter("in_second")["person"].unique().to_list())
    home = visits.filter("in_main").group_by("person").agg(pl.col("source").first())
    source_of = dict(home.sort("person").iter_rows())
    rows: list[tuple[Any, ...]] = []
    for person in persons["person"].to_list():
        rolled = rng.random(3)
        if person in twice and rolled[0] < dirt.second_system_typo:
            column = ("name", "citizen_id", "birth_date")[int(rolled[2] * 3)]
            rows.append(("second_system_typo", ministry, None, person, None, column))
        if rolled[1] < dirt.year_only_birth and person in source_of:
            rows.append(("year_only_birth", source_of[person], None, person, None, "birth_date"))
    return rows


def impossible(column: str) -> int:
    """A value of a column that no living person has."""
    return _IMPOSSIBLE[column]


def mistype(text: str, column: str) -> str:
    """A typing error: two neighbours exchanged, or a digit off by one.

    >>> mistype("Nguyễn Văn An", "name"), mistype("079180000014", "citizen_id")
    ('Nguyễn Vnă An', '079180000015')
    """
    if column == "name":
        at = text.find(" ") + 2
        return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
    return text[:-1] + str((int(text[-1]) + 1) % 10)


def to_tcvn3(text: str) -> str:
    """Unicode text as the glyphs of a TCVN3 (.VnTime) font in a Unicode file.

    Capitals with a tone have no glyph of their own there and fall to the lower case one.

    >>> to_tcvn3("Nguyễn Văn Ánh")
    'NguyÔn V¨n ¸nh'
    """
    return text.translate(_glyphs())


@lru_cache(maxsize=1)
def _glyphs() -> dict[int, str]:
    lower = {ord(row["unicode"]): row["glyph"] for row in table("tcvn3")}
    upper = {ord(chr(code).upper()): glyph for code, glyph in lower.items()}
    return {**upper, **lower}
