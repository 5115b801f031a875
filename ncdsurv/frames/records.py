"""An analyst's frames -> the engine's record tables: columns, dtypes and words checked, nothing guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import Any

import polars as pl

from ncdsurv.catalog import Catalog
from ncdsurv.catalog.source_fields import FIELDS, GRADES
from ncdsurv.catalog.tables import CROSSWALK, DIAGNOSES, PERSONS, RESIDENCES, VISITS, conform
from ncdsurv.catalog.vocabulary import (
    GLUCOSE_KINDS,
    BirthPrecision,
    PatientStatus,
    Sex,
    VisitKind,
)
from ncdsurv.errors import InputError, UsageError
from ncdsurv.frames.casting import cast_column, polars_column
from ncdsurv.frames.plausible import check_plausible
from ncdsurv.frames.units import UNIT_COLUMNS, in_the_registrys_unit

_TEXT, _DAY = pl.String(), pl.Date()
PERSON, AREA = "person_id", "area"
PATIENT_COLUMNS: Mapping[str, pl.DataType] = {
    PERSON: _TEXT,
    "sex": _TEXT,
    "birth_date": _DAY,
    "died_on": _DAY,
    AREA: _TEXT,
}
DIAGNOSIS_COLUMNS: Mapping[str, pl.DataType] = {
    PERSON: _TEXT,
    **{name: DIAGNOSES[name] for name in ("disease", "detected_on", "recorded_on", "withdrawn_on")},
}
VISIT_COLUMNS: Mapping[str, pl.DataType] = {
    PERSON: _TEXT,
    **{
        name: VISITS[name]
        for name in VISITS
        if name not in ("record_id", "visit_id", "reported_history", "file_sha256", "row_number")
    },
    "source": _TEXT,
    **dict.fromkeys(UNIT_COLUMNS, _TEXT),
}
_NEEDED = {
    "patients": [PERSON],
    "diagnoses": [PERSON, "disease", "recorded_on"],
    "visits": [PERSON, "visited_on"],
}
_WORDS: Mapping[str, Iterable[str]] = {
    "sex": [word.value for word in Sex],
    "kind": [word.value for word in VisitKind],
    "patient_status": [word.value for word in PatientStatus],
    "glucose_kind": GLUCOSE_KINDS,
    **{name: FIELDS[name] or () for name in GRADES},
}
UNTOLD = GLUCOSE_KINDS[-1]  # a glucose without a word on when it was taken
_SHOWN, _NEAREST = 30, 3
_ALIKE, _ALIKE_IN_LENGTH, _SHORTEST = 0.73, 0.65, 4


@dataclass(frozen=True, repr=False)
class Records:
    """The record tables of `ncdsurv.spells.bucket_layout`, and the names of the areas.

    Attributes:
        areas: Names of the places of residence; an area's number is its place in the list.
    """

    persons: pl.DataFrame
    residences: pl.DataFrame
    crosswalk: pl.DataFrame
    diagnoses: pl.DataFrame
    visits: pl.DataFrame
    areas: list[str]

    def __repr__(self) -> str:
        """Counts only, as `Spells`."""
        return f"Records({self.persons.height} persons, {self.visits.height} visits)"

    @property
    def atoms(self) -> pl.DataFrame:
        """The areas as the engine's atoms, the same in both vintages."""
        names = pl.Series("commune_2024", self.areas, dtype=pl.String)
        return pl.DataFrame(names).with_columns(
            pl.int_range(pl.len(), dtype=pl.Int32).alias("atom"), commune_2025="commune_2024"
        )


def take_records(patients: Any, diagnoses: Any, visits: Any, catalog: Catalog) -> Records:
    """Check three frames and turn them into record tables; see `build_spells` for their columns.

    Raises:
        UsageError: Not a frame; a column is missing, misspelt or of a type that cannot be read.
        InputError: Rows that contradict each other: one person twice, a visit of nobody, an unknown word.
    """
    # A visit for a disease of another name would speak of none.
    words = {**_WORDS, "disease": catalog.diseases}
    people = _taken("patients", patients, PATIENT_COLUMNS, words)
    known = _taken("diagnoses", diagnoses, DIAGNOSIS_COLUMNS, words)
    seen = _taken("visits", visits, VISIT_COLUMNS, words)
    if twice := people.height - people[PERSON].n_unique():
        raise InputError(
            "patients: a person stands in several rows", got=f"{twice} rows too many", do="keep one row each"
        )
    for name, frame in (("diagnoses", known), ("visits", seen)):
        if strangers := frame.join(people, on=PERSON, how="anti").height:
            raise InputError(
                f"{name}: rows of persons who are not among the patients",
                got=f"{strangers} rows",
                do="add the persons, or leave these rows out",
            )
    seen = in_the_registrys_unit(seen, catalog)
    check_plausible(people, known, seen, catalog)
    people = _with_deaths(people, seen).with_columns(
        pl.col(AREA).fill_null(""), pl.col("sex").fill_null(Sex.UNKNOWN.value)
    )
    areas = people[AREA].unique().sort().to_list()
    numbered = seen.with_row_index("row_number").with_columns(
        pl.col("row_number").cast(pl.Int64),
        record_id=PERSON,
        visit_id=pl.col("row_number").cast(pl.String).str.zfill(12),
        kind=pl.col("kind").fill_null(VisitKind.EXAM.value),
        glucose_kind=pl.coalesce(
            "glucose_kind", pl.when(pl.col("glucose_mmol_l").is_not_null()).then(pl.lit(UNTOLD))
        ),
    )
    day = pl.lit(BirthPrecision.DAY.value)
    return Records(
        persons=conform(people.with_columns(birth_precision=day), PERSONS),
        residences=conform(
            people.with_columns(
                from_on=pl.date(1900, 1, 1), commune_2024=pl.col(AREA), commune_2025=pl.col(AREA)
            ),
            RESIDENCES,
        ),
        crosswalk=conform(people.with_columns(record_id=PERSON), CROSSWALK),
        diagnoses=conform(known.with_columns(record_id=PERSON), DIAGNOSES),
        visits=conform(numbered, {**VISITS, "source": pl.String()}),
        areas=areas,
    )


def _with_deaths(people: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    """The day of death as the patients say it, else the first day on which a visit says so."""
    told = visits.filter(pl.col("patient_status") == PatientStatus.DEAD.value)
    first = told.group_by(PERSON).agg(told_on=pl.col("visited_on").min())
    known = people.join(first, on=PERSON, how="left", maintain_order="left")
    dead = known.with_columns(pl.coalesce("died_on", "told_on").alias("died_on")).drop("told_on")
    if odd := dead.filter(pl.col("died_on") < pl.col("birth_date")).height:
        raise InputError(
            "patients: died before the day of birth",
            got=f"{odd} rows",
            do="see which of the two dates is right",
        )
    return dead


def _taken(
    name: str, frame: Any, columns: Mapping[str, pl.DataType], allowed: Mapping[str, Iterable[str]]
) -> pl.DataFrame:
    """One frame as polars, with exactly the columns known; what is absent is null."""
    import narwhals as nw

    try:
        table = nw.from_native(frame, eager_only=True)
    except TypeError as error:
        raise UsageError(
            f"{name}: not a frame",
            got=type(frame).__name__,
            allowed="a pandas or polars DataFrame",
            do="collect it first" if hasattr(frame, "collect") else "make it one (of DuckDB .pl() or .df())",
        ) from error
    except nw.exceptions.DuplicateError:
        twice = sorted({str(column) for column in frame.columns if list(frame.columns).count(column) > 1})
        raise UsageError(
            f"{name}: a column stands there twice", got=", ".join(twice[:_SHOWN]), do="keep one of them"
        ) from None
    given = [column for column in table.columns if isinstance(column, str)]
    for column in _NEEDED[name]:
        if column not in given:
            raise UsageError(
                f"{name}: a column is missing",
                got=", ".join(map(str, table.columns[:_SHOWN])) or "no column",
                allowed=", ".join(columns),
                do=f"add {column}",
            )
    for column in given:
        absent = {known: dtype for known, dtype in columns.items() if known not in given}
        near = _meant(column, absent) if column not in columns else []
        if near:  # a misspelt column would be an empty one, and nobody would know
            raise UsageError(
                f"{name}: a column that looks like {' or '.join(near)} but is not",
                got=column,
                do="rename it, or drop it",
            )
    present = {column: dtype for column, dtype in columns.items() if column in given}
    read = [cast_column(name, polars_column(name, table, column), dtype) for column, dtype in present.items()]
    full = conform(pl.DataFrame(read), columns)
    for column in _NEEDED[name]:
        blank = full[column].str.strip_chars() == "" if full[column].dtype == _TEXT else None
        if empty := full[column].null_count() + (0 if blank is None else int(blank.sum())):
            raise InputError(
                f"{name}: {column} is empty", got=f"{empty} rows", do="fill it, or leave them out"
            )
    for column, words in allowed.items():
        if column in columns and (
            odd := full[column].drop_nulls().cast(_TEXT).is_in(list(words)).not_().sum()
        ):
            raise InputError(
                f"{name}: {column} has a word or code that is not known",
                got=f"{odd} rows",
                allowed=", ".join(words),
                do="translate the column first",
            )
    return full


def _meant(column: str, absent: Mapping[str, pl.DataType]) -> list[str]:
    """The columns that one of another name may stand for: their first or last words, more than it, or its letters.

    The first words stand for a reading or a day (`glucose`, `next_visit`), not for a column of words: `patient` is
    no `patient_status`. The last word stands for any (`grade`), and so does a name with a word more (`area_id`). Names
    of other length must be more alike: half of `kind` is `id`.
    """
    word = column.strip().lower()
    begun = [
        known
        for known, dtype in absent.items()
        if word.startswith(known + "_")
        or (len(word) >= _SHORTEST and known.endswith("_" + word))
        or (len(word) >= _SHORTEST and known.startswith(word + "_") and (dtype.is_numeric() or dtype == _DAY))
    ]
    return begun or [
        known
        for known in get_close_matches(word, absent, _NEAREST, _ALIKE_IN_LENGTH)
        if abs(len(known) - len(word)) <= 1 or SequenceMatcher(None, known, word).ratio() >= _ALIKE
    ]
