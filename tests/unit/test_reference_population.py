"""Where an area's population comes from, how ages are filled in, and how age bases cut groups."""

from __future__ import annotations

import polars as pl
import pytest

from ncdsurv.errors import UsageError
from ncdsurv.reference import Reference, load_reference
from ncdsurv.reference.ages import share_inside
from ncdsurv.reference.population import at_age_bases, at_ages, at_year, merge_population
from ncdsurv.reference.schema import conform

# Two 2024 communes of one district; b is cut between two 2025 communes; x lies whole in province P.
ATOMS = pl.DataFrame(
    {"commune_2024": ["a", "b", "b"], "commune_2025": ["x", "x", "y"], "share": [1.0, 0.25, 0.75]}
)
CHAIN = {"province": "P", "region": "R", "nation": "VN"}
PARENTS = {
    vintage: pl.DataFrame(
        {"commune": communes, "district": districts}, schema={"commune": pl.String, "district": pl.String}
    ).with_columns(**{level: pl.lit(code) for level, code in CHAIN.items()})
    for vintage, communes, districts in (("2024", ["a", "b"], ["D", "D"]), ("2025", ["x", "y"], [None, None]))
}


def rows(*cells: tuple[str, str, str, str, str, float], year: int = 2024) -> pl.DataFrame:
    """Population rows: vintage, level, code, sex, age group, persons."""
    names = ["vintage", "level", "code", "sex", "age_group", "population"]
    frame = pl.DataFrame(cells, schema=names, orient="row").with_columns(
        year=pl.lit(year), source=pl.lit("s")
    )
    return conform(frame, "population")


def total(population: pl.DataFrame, vintage: str, level: str, code: str) -> float | None:
    found = population.filter(vintage=vintage, level=level, code=code)
    return None if found.is_empty() else found["population"].sum()


def commune(code: str, persons: float, vintage: str = "2024") -> list[tuple]:
    return [(vintage, "commune", code, sex, "0-4", persons / 2) for sex in ("male", "female")]


def test_complete_parts_are_summed_upwards() -> None:
    found = merge_population([("p", rows(*commune("a", 10), *commune("b", 30)))], PARENTS, ATOMS)
    assert [
        total(found, "2024", *area) for area in (("district", "D"), ("province", "P"), ("nation", "VN"))
    ] == [40] * 3


def test_new_communes_are_shares_of_old_ones() -> None:
    found = merge_population([("p", rows(*commune("a", 10), *commune("b", 40)))], PARENTS, ATOMS)
    assert total(found, "2025", "commune", "x") == 10 + 0.25 * 40
    assert total(found, "2025", "commune", "y") == 0.75 * 40
    assert found.filter(vintage="2025", code="y")["estimated"].all()
    assert total(found, "2025", "province", "P") == 50


def test_an_old_province_is_the_sum_of_its_new_communes_when_none_reaches_beyond_it() -> None:
    given = rows(*commune("x", 20, "2025"), *commune("y", 30, "2025"))
    found = merge_population([("p", given)], PARENTS, ATOMS)
    assert total(found, "2024", "province", "P") == 50
    elsewhere = PARENTS["2024"].with_columns(district=pl.Series(["D", "E"]), province=pl.Series(["P", "Q"]))
    cut = merge_population([("p", given)], PARENTS | {"2024": elsewhere}, ATOMS)
    assert total(cut, "2024", "province", "P") is None  # commune x lies in P and in Q


def test_an_incomplete_province_is_not_a_sum() -> None:
    found = merge_population([("p", rows(*commune("a", 10)))], PARENTS, ATOMS)
    assert total(found, "2024", "province", "P") is None


def test_figures_of_two_packs_are_never_added() -> None:
    low = rows(*commune("a", 10), *commune("b", 30), ("2024", "province", "P", "both", "0-4", 40))
    high = rows(*commune("a", 7))
    found = merge_population([("low", low), ("high", high)], PARENTS, ATOMS)
    assert total(found, "2024", "commune", "a") == 7
    assert total(found, "2024", "province", "P") == 40
    assert found.filter(vintage="2024", level="province")["pack"].unique().to_list() == ["low"]


def test_no_real_figure_stands_above_invented_people() -> None:
    real = rows(*commune("a", 1000), *commune("b", 3000))
    made_up = rows(*commune("x", 7, "2025"), *commune("a", 7))
    found = merge_population([("real", real), ("made_up", made_up)], PARENTS, ATOMS, {"made_up"})
    for vintage in ("2024", "2025"):
        for area in (("province", "P"), ("region", "R"), ("nation", "VN")):
            assert total(found, vintage, *area) == 7
    assert total(found, "2024", "commune", "b") == 3000


def test_a_total_is_spread_by_the_national_structure_and_marked() -> None:
    people = {("male", "0-4"): 30.0, ("male", "5+"): 10.0, ("female", "0-4"): 30.0, ("female", "5+"): 30.0}
    structure = [("2024", "nation", "VN", *cell, persons) for cell, persons in people.items()]
    given = rows(
        *structure,
        ("2024", "province", "P", "male", "all", 80.0),
        ("2024", "province", "P", "female", "all", 60.0),
    )
    found = merge_population([("p", given)], PARENTS, ATOMS).filter(level="province", vintage="2024")
    cells = {
        (sex, age): persons for sex, age, persons in found.select("sex", "age_group", "population").rows()
    }
    assert cells == {("male", "0-4"): 60, ("male", "5+"): 20, ("female", "0-4"): 30, ("female", "5+"): 30}
    assert found["estimated"].all()


def test_official_totals_of_2024_are_kept() -> None:
    reference = load_reference()
    for vintage in ("2024", "2025"):
        for level in ("province", "region", "nation"):
            people = reference.population_of(vintage, level)["population"].sum()
            assert people == pytest.approx(101_343_756, abs=1)  # NSO, average population 2024, preliminary
    hanoi = reference.population_of("2024", "province").filter(code="01")
    assert hanoi["population"].sum() == pytest.approx(8_717_629)
    assert hanoi.filter(sex="male")["population"].sum() == pytest.approx(4_336_186)
    assert reference.population_of("2025", "commune").is_empty()


def test_adults_take_two_fifths_of_15_to_19() -> None:
    adults = load_reference().population_at_ages(18, vintage="2024", level="nation")
    # From the table of the national structure: 2/5 of 15-19 plus all older groups, male.
    older = 3387041 + 3444749 + 4315310 + 4244547 + 3847303 + 3300396 + 3052937 + 2711959 + 2360507
    older += 1721754 + 1046137 + 551805 + 479718
    assert adults.filter(sex="male")["population"].item() == pytest.approx(0.4 * 3801077 + older, abs=2)


@pytest.mark.parametrize(("group", "lower", "upper", "part"), [
    ("15-19", 18, 69, 0.4), ("65-69", 18, 69, 1.0), ("70-74", 18, 69, 0.0), ("0-4", 0, 17, 1.0),
    ("15-19", 0, 17, 0.6), ("80+", 80, None, 1.0), ("80+", 18, 69, 0.0),
])  # fmt: skip
def test_share_of_a_group_inside_an_age_base(group: str, lower: int, upper: int | None, part: float) -> None:
    assert share_inside(group, lower, upper) == pytest.approx(part)


def test_a_base_that_cuts_the_open_group_is_refused() -> None:
    with pytest.raises(UsageError, match="age base cuts an open age group"):
        share_inside("80+", 85, None)
    with pytest.raises(UsageError, match="age base is empty"):
        share_inside("15-19", 30, 18)


def test_the_year_is_the_last_one_known() -> None:
    reference = load_reference()
    for year, used in ((2026, 2024), (2024, 2024), (2019, 2024), (None, 2024)):
        assert reference.population_of("2025", "province", year)["year"].unique().to_list() == [used]


def test_what_was_asked_last_does_not_answer_another_level_vintage_or_year():
    reference = Reference(load_reference().packs)  # its own, to be altered
    cells = [
        (vintage, level, "A", "male", "15-19", 1000.0 * place)
        for place, (vintage, level) in enumerate(
            [("2024", "province"), ("2024", "nation"), ("2025", "province"), ("2025", "nation")], 1
        )
    ]
    later = [(*cell[:-1], cell[-1] + 1) for cell in cells]
    reference.__dict__["population"] = pl.concat([rows(*cells, year=2020), rows(*later, year=2024)])
    questions = [(*cell[:2], year) for cell in cells for year in (2020, 2024)]
    for asked in [*questions, *questions[::2], *reversed(questions)]:
        assert reference.population_of(*asked).equals(at_year(reference.population, *asked))
    assert len({reference.population_of(*asked)["population"].item() for asked in questions}) == 8


def test_several_age_bases_at_once_are_each_base_alone():
    bases = [(18, 69), (0, None), (40, 79), (7, 7)]
    people = load_reference().population_of("2024", "province")
    together = at_age_bases(people, bases)
    for place, (lower, upper) in enumerate(bases):
        alone = at_ages(people, lower, upper)
        assert together.select(alone.drop("population").columns).equals(alone.drop("population"))
        assert together[str(place)].to_list() == alone["population"].to_list()
    assert (together["1"] > together["0"]).all()
    assert (together["2"] > together["3"]).all()
    one_year = people.filter(age_group="5-9").sort("code", "sex")["population"] / 5
    assert together.sort("code", "sex")["3"].to_list() == one_year.to_list()
