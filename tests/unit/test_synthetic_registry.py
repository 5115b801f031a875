"""The invented people look like people, and the same seed gives the same ones."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.errors import UsageError
from ncdsurv.synthetic import make_registry
from ncdsurv.synthetic.names import unaccented
from ncdsurv.synthetic.writers.reference_pack import facilities_table, population_table

TABLES = ("stations", "persons", "illness", "visits", "moves", "applied")


@pytest.fixture(scope="module")
def registry():
    return make_registry(4000, seed=3)


def test_same_seed_same_tables_and_another_seed_others():
    one, again, other = make_registry(150, 5), make_registry(150, 5), make_registry(150, 6)
    for table in TABLES:
        assert getattr(one, table).equals(getattr(again, table))
    assert np.array_equal(one.base.counts, again.base.counts)
    assert not one.persons.equals(other.persons)


def test_stations_of_a_seed_do_not_depend_on_the_number_of_people():
    assert make_registry(20, 5).stations.equals(make_registry(200, 5).stations)


def test_one_station_for_each_new_commune_of_the_six_pilot_provinces(registry):
    assert registry.stations.height == 373
    assert registry.stations["facility"].is_unique().all()
    assert registry.stations["facility"].str.contains(r"^(02|37|56|64|79|84)\d{3}$").all()
    assert (registry.stations["facility"].str.head(2) == registry.stations["province_2024"]).all()


def test_every_province_has_every_system(registry):
    seen = registry.stations.select("province_2024", "source").unique()
    assert seen.height == 6 * registry.stations["source"].n_unique()


def test_numbers_have_the_structure_of_the_real_ones(registry):
    sexes = {("male", 19): "0", ("female", 19): "1", ("male", 20): "2", ("female", 20): "3"}
    rows = registry.persons.select("citizen_id", "insurance_number", "phone", "sex", "birth_date").rows()
    for citizen, card, phone, sex, born in rows:
        if citizen:
            assert re.fullmatch(r"0\d{11}", citizen)
            assert citizen[3] == sexes[sex, born.year // 100]
            assert citizen[4:6] == f"{born.year % 100:02d}"
        assert card is None or re.fullmatch(r"[A-Z]{2}\d{13}", card)
        assert phone is None or re.fullmatch(r"0\d{9}", phone)


def test_everybody_can_be_told_apart(registry):
    people = registry.persons
    assert people["citizen_id"].drop_nulls().is_unique().all()
    assert people["insurance_number"].str.tail(10).drop_nulls().is_unique().all()
    assert (people["citizen_id"].is_not_null() | people["insurance_number"].is_not_null()).all()
    keys = [
        (unaccented(name), born.year, sex, province)
        for name, born, sex, province in people.select("name", "birth_date", "sex", "province_2024").rows()
    ]
    assert len(set(keys)) == people.height


def test_names_follow_the_place_and_nguyen_is_the_most_frequent(registry):
    family = registry.persons.with_columns(family=pl.col("name").str.split(" ").list.first())
    assert family["family"].value_counts(sort=True)["family"][0] == "Nguyễn"
    khmer = family.filter(pl.col("family") == "Thạch")
    assert khmer.height > 5
    assert (khmer["province_2024"] == "84").mean() > 0.9


def test_every_disease_is_one_of_the_catalog_and_its_codes_belong_to_it(registry):
    diseases = load_catalog().diseases
    for disease, code in registry.illness.select("disease", "icd10").unique().rows():
        assert diseases[disease].matches(code)


def test_patients_are_mostly_older_people(registry):
    ages = registry.persons.with_columns(age=2025 - pl.col("birth_date").dt.year())
    assert 52 < ages["age"].mean() < 66
    assert ages["age"].min() >= 0


def test_people_known_are_about_half_of_those_expected(registry):
    """Detection of the invented hypertension against the survey figure of the catalog: 35 to 65 %."""
    catalog = load_catalog()
    survey = catalog.default_prevalence("hypertension")
    population = population_table(registry).filter(level="nation", vintage="2024")
    low = pl.col("age_group").str.extract(r"^(\d+)").cast(pl.Int32)
    adults = population.filter((low >= survey.age_from) & (low < survey.age_to))["population"].sum()
    known = registry.illness.filter(disease="hypertension").height
    assert 0.35 < known / (adults * survey.percent / 100) < 0.65


def test_visits_lie_in_the_window_never_on_sunday_about_a_month_apart(registry):
    days = registry.visits["visited_on"]
    assert str(days.min()) >= "2024-07-01"
    assert str(days.max()) <= "2026-06-30"
    kept = registry.visits.filter(pl.col("status") == "managed")
    assert (kept.filter(pl.col("kind") != "screening")["visited_on"].dt.weekday() != 7).all()
    gaps = registry.visits.select(pl.col("visited_on").diff().over("person").dt.total_days()).to_series()
    assert 28 <= gaps.drop_nulls().median() <= 33
    assert gaps.drop_nulls().min() > 0, "two contacts of a person on one day"


def test_visits_are_about_a_dozen_a_person(registry):
    assert 7 < registry.visits.height / registry.persons.height < 13


def test_nobody_comes_after_death(registry):
    joined = registry.visits.join(registry.persons.select("person", "died_on"), on="person")
    assert (joined["visited_on"] <= joined["died_on"]).drop_nulls().all()
    assert joined.filter(pl.col("visited_on") == pl.col("died_on"))["status"].unique().to_list() == ["dead"]


def test_people_who_moved_are_seen_at_the_other_station_later(registry):
    moved = registry.moves.filter(pl.col("to_facility").is_not_null())
    seen = registry.visits.join(moved, on="person").filter(pl.col("visited_on") > pl.col("moved_on"))
    assert moved.height > 20
    assert (seen["facility"] == seen["to_facility"]).all()
    assert "transferred_in" in seen["status"].to_list()


def test_control_improves_and_stations_differ(registry):
    exams = registry.visits.filter(pl.col("sbp").is_not_null())
    early = exams.filter(pl.col("visited_on") < pl.date(2024, 12, 1))
    late = exams.filter(pl.col("visited_on") >= pl.date(2026, 2, 1))
    assert early["sbp"].mean() - late["sbp"].mean() > 3
    by_station = exams.group_by("facility").agg(pl.col("sbp").mean(), pl.len()).filter(pl.col("len") > 60)
    assert by_station["sbp"].std() > 2.5


def test_heaping_stations_write_139_more_often_than_others(registry):
    exams = registry.visits.filter(pl.col("sbp").is_not_null()).join(
        registry.stations.select("facility", "heaps"), on="facility"
    )
    at = exams.group_by("heaps").agg(share=(pl.col("sbp") == 139).mean()).sort("heaps")["share"].to_list()
    assert at[1] > 5 * at[0]


def test_the_ministry_software_never_holds_diseases_without_a_sheet(registry):
    known = registry.visits.filter(pl.col("in_second") | (pl.col("source") == "moh_ncd_excel"))
    diseases = registry.illness.join(known.select("person").unique(), on="person", how="semi")["disease"]
    assert set(diseases.unique()) <= {"hypertension", "diabetes"}


def test_the_invented_population_adds_up_in_both_geographies(registry):
    table = population_table(registry)
    sums = table.group_by("vintage", "level").agg(pl.col("population").sum())["population"].unique()
    assert sums.to_list() == [int(registry.base.counts.sum())]
    assert facilities_table(registry).height == 373


def test_wrong_arguments_are_refused_in_words():
    with pytest.raises(UsageError, match="no invented people for these provinces: got 01"):
        make_registry(10, 1, provinces=["01"])
    with pytest.raises(UsageError, match="a registry needs people"):
        make_registry(0, 1)
    with pytest.raises(UsageError, match="the window ends before it begins"):
        make_registry(10, 1, first="2026-06", last="2024-07")
    with pytest.raises(UsageError, match="no such invented station"):
        make_registry(10, 1, facilities={"99999": 5})


def test_some_stations_repeat_the_last_reading(registry):
    exams = registry.visits.filter(pl.col("sbp").is_not_null()).sort("person", "visited_on")
    same = (pl.col("sbp") == pl.col("sbp").shift(1)) & (pl.col("dbp") == pl.col("dbp").shift(1))
    repeats = exams.select("facility", same=same.over("person")).drop_nulls()
    repeats = repeats.join(registry.stations.select("facility", "clones"), on="facility")
    share = repeats.group_by("clones").agg(pl.col("same").mean()).sort("clones")["same"].to_list()
    assert share[0] < 0.06 < 0.3 < share[1]
