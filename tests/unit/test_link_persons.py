"""Where people lived and when, in both geographies at once."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import polars as pl
import pytest

from ncdsurv.catalog.tables import PATIENTS, VISITS, conform
from ncdsurv.link import build_persons, build_residences

# Old commune 1 became 10; 2 was split between 10 (three quarters) and 20; 3 and 4 became 30.
ATOMS = pl.DataFrame(
    [("1", "10", 1.0), ("2", "10", 0.75), ("2", "20", 0.25), ("3", "30", 1.0), ("4", "30", 1.0)],
    schema=["commune_2024", "commune_2025", "share"],
    orient="row",
).with_row_index("atom")
POPULATION = pl.DataFrame(
    [("2024", "commune", "3", 2024, 9000.0), ("2024", "commune", "4", 2024, 1000.0)],
    schema=["vintage", "level", "code", "year", "population"],
    orient="row",
)
FACILITIES = pl.DataFrame({"code": ["s1"], "commune_code": ["1"], "vintage": ["2024"]})
REFERENCE = SimpleNamespace(atoms=ATOMS, population=POPULATION, facilities=FACILITIES)


def row(
    record: str, day: date, code: str | None, vintage: str | None = "2024", **more: object
) -> dict[str, object]:
    base = {"record_id": record, "valid_on": day, "commune_code": code, "commune_vintage": vintage}
    return base | {"facility": "s1", "sex": "male", "row_number": 1} | more


def build(rows: list[dict[str, object]], persons: dict[str, str] | None = None, visits: list | None = None):
    of = persons or {str(r["record_id"]): "p" for r in rows}
    crosswalk = pl.DataFrame({"record_id": list(of), "person_id": list(of.values())})
    patients = conform(pl.DataFrame(rows, infer_schema_length=None), PATIENTS)
    contacts = conform(
        pl.DataFrame(visits or [], schema=None if visits else {"record_id": pl.String}), VISITS
    )
    residences = build_residences(crosswalk, patients, REFERENCE)  # type: ignore[arg-type]
    return build_persons(crosswalk, patients, contacts), residences


def lived(residences: pl.DataFrame) -> list[tuple]:
    return residences.select("from_on", "commune_2024", "commune_2025", "basis").rows()


D1, D2, D3 = date(2024, 9, 1), date(2025, 3, 1), date(2025, 9, 1)


def test_an_undivided_commune_gives_the_other_code_by_the_crosswalk():
    _, residences = build([row("a", D1, "1")])
    assert lived(residences) == [(D1, "1", "10", "crosswalk")]


def test_monthly_exports_of_an_unmoved_person_are_one_residence():
    _, residences = build([row("a", day, "1") for day in (D1, D2)] + [row("a", D3, "10", "2025")])
    assert lived(residences) == [(D1, "1", "10", "reported")]


def test_a_move_counts_from_its_day():
    _, residences = build([row("a", D1, "1"), row("a", D2, "3")])
    assert lived(residences) == [(D1, "1", "10", "crosswalk"), (D2, "3", "30", "crosswalk")]


def test_another_station_in_the_same_commune_is_a_row_of_its_own():
    _, residences = build([row("a", D1, "1"), row("a", D2, "1", facility="s2")])
    assert residences["facility"].to_list() == ["s1", "s2"]


def test_both_codes_reported_settle_a_divided_commune():
    _, residences = build([row("a", D1, "2"), row("b", D3, "20", "2025")])
    assert lived(residences) == [(D1, "2", "20", "reported")]


@pytest.mark.parametrize(
    ("code", "vintage", "column", "of", "share"),
    [("2", "2024", "commune_2025", "10", 0.75), ("30", "2025", "commune_2024", "3", 0.9)],
    ids=["forward_by_share", "back_by_population"],
)
def test_a_divided_commune_is_allocated_in_proportion_and_always_alike(code, vintage, column, of, share):
    n = 4000
    rows = [row(f"r{i}", D1, code, vintage) for i in range(n)]
    persons = {f"r{i}": f"person {i}" for i in range(n)}
    _, residences = build(rows, persons)
    assert residences["basis"].unique().to_list() == ["allocated"]
    assert abs((residences[column] == of).mean() - share) < 0.02  # 3 standard errors
    _, again = build(list(reversed(rows)), persons)
    assert again.equals(residences)


def test_a_person_without_a_usable_commune_is_placed_at_the_station():
    _, residences = build([row("a", D1, None, None), row("b", D1, "99999")], {"a": "p", "b": "q"})
    assert lived(residences) == [(D1, "1", "10", "allocated")] * 2


def test_a_person_without_any_place_has_no_residence():
    persons, residences = build([row("a", D1, None, None, facility="unknown")])
    assert (persons.height, residences.height) == (1, 0)


def test_sex_goes_by_majority_of_records_and_birth_by_best_precision():
    rows = [
        row("a", D1, "1", sex="male", birth_date=date(1960, 1, 1), birth_precision="year"),
        row("b", D1, "1", sex="male", birth_date=date(1960, 1, 1), birth_precision="year"),
        row("c", D1, "1", sex="female", birth_date=date(1960, 4, 9), birth_precision="day"),
        row("d", D1, "1", sex="unknown"),
    ]
    persons, _ = build(rows)
    assert persons.rows() == [("p", "male", date(1960, 4, 9), "day", None)]


def test_the_last_word_of_one_record_is_its_vote():
    rows = [row("a", D1, "1", sex="male"), row("a", D2, "1", sex="female")]
    assert build(rows)[0]["sex"].to_list() == ["female"]


def test_a_person_is_dead_from_the_first_contact_that_says_so():
    visits = [
        {"record_id": "a", "visited_on": D3, "patient_status": "dead"},
        {"record_id": "b", "visited_on": D2, "patient_status": "dead"},
        {"record_id": "a", "visited_on": D1, "patient_status": "managed"},
    ]
    persons, _ = build([row("a", D1, "1"), row("b", D1, "1")], visits=visits)
    assert persons["died_on"].to_list() == [D2]
