"""People placed by population share are counted, in the geography in which they were placed."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ncdsurv.catalog.tables import CROSSWALK, PATIENTS, RESIDENCES, conform, empty
from ncdsurv.link import build_residences
from ncdsurv.quality import residence_rows
from ncdsurv.reference import load_reference

REFERENCE = load_reference()


def _merged() -> tuple[str, list[str]]:
    """A commune of 2025 in a pilot province that was made of several whole communes of 2024."""
    atoms = REFERENCE.atoms.with_columns(
        into=pl.col("commune_2025").n_unique().over("commune_2024"),
        of=pl.col("commune_2024").n_unique().over("commune_2025"),
        all_whole=(pl.col("commune_2025").n_unique().over("commune_2024") == 1).all().over("commune_2025"),
    ).filter(pl.col("all_whole") & (pl.col("of") > 2))
    new = atoms.sort("commune_2025")["commune_2025"][0]
    return new, atoms.filter(commune_2025=new)["commune_2024"].sort().to_list()


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    new, old = _merged()
    told = [  # person, vintage and code that a file gave
        ("only the new code", "2025", new),
        ("only the old code", "2024", old[0]),
        ("both codes", "2024", old[1]),
        ("both codes", "2025", new),
    ]
    patients = conform(
        pl.DataFrame(
            [(who, vintage, code, date(2026, 1, 1 + day)) for day, (who, vintage, code) in enumerate(told)],
            schema=["record_id", "commune_vintage", "commune_code", "valid_on"],
            orient="row",
        ),
        PATIENTS,
    )
    crosswalk = conform(
        patients.select("record_id").unique().with_columns(person_id=pl.col("record_id")), CROSSWALK
    )
    residences = build_residences(crosswalk, patients, REFERENCE)
    return residence_rows(residences, crosswalk, patients, REFERENCE)


def test_in_the_new_geography_nobody_was_placed_by_share(rows: pl.DataFrame) -> None:
    new, _ = _merged()
    here = rows.filter(area_vintage="2025", area_level="commune", area_code=new)
    assert here.select("numerator", "denominator").row(0) == (0, 3)


def test_in_the_old_geography_only_the_person_with_the_new_code_alone_was(rows: pl.DataFrame) -> None:
    _, old = _merged()
    here = rows.filter(pl.col("area_code").is_in(old), area_vintage="2024", area_level="commune")
    assert here["numerator"].sum() == 1
    assert here["denominator"].sum() == 3
    nation = rows.filter(area_vintage="2024", area_level="nation")
    assert nation["value"][0] == pytest.approx(100 / 3)


def test_without_people_there_is_nothing_to_say() -> None:
    none = residence_rows(empty(RESIDENCES), empty(CROSSWALK), empty(PATIENTS), REFERENCE)
    assert none.is_empty()
