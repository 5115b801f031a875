"""What holds of every area, atom and share, in the built-in pack and in packs made up by the machine."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.reference import Reference, load_reference
from ncdsurv.reference.ages import share_inside
from ncdsurv.reference.hierarchy import build_atoms
from ncdsurv.reference.population import merge_population
from ncdsurv.reference.schema import conform

REFERENCE = load_reference()


@pytest.fixture(scope="module")
def reference() -> Reference:
    return REFERENCE


def test_the_shares_of_every_old_commune_sum_to_one(reference: Reference) -> None:
    sums = reference.atoms.group_by("commune_2024").agg(pl.col("share").sum())
    assert ((sums["share"] - 1).abs() < 1e-12).all()
    assert (reference.atoms["share"] > 0).all()


@pytest.mark.parametrize("vintage", ["2024", "2025"])
def test_atoms_roll_up_to_every_commune(reference: Reference, vintage: str) -> None:
    communes = reference.areas("commune", vintage)["code"]
    assert set(communes) <= set(reference.atoms[f"commune_{vintage}"])
    rolled = reference.atom_areas(vintage)
    assert rolled["atom"].to_list() == list(range(reference.atoms.height))
    assert rolled.select("commune", "province", "region", "nation").null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize("vintage", ["2024", "2025"])
def test_every_commune_has_exactly_one_chain_of_parents(reference: Reference, vintage: str) -> None:
    chain = reference.parents(vintage)
    assert chain["commune"].is_unique().all()
    for level in ("district", "province", "region", "nation"):
        codes = chain[level].drop_nulls().unique()
        assert set(codes) == set(reference.areas(level, vintage)["code"])
    for child, parent in (("district", "province"), ("province", "region"), ("region", "nation")):
        links = chain.select(child, parent).drop_nulls().unique()
        assert links[child].is_unique().all()


def test_codes_are_text_with_their_leading_zeros(reference: Reference) -> None:
    areas = reference.areas()
    assert areas.schema["code"] == pl.String
    for level, digits in (("province", 2), ("district", 3), ("commune", 5)):
        assert areas.filter(level=level)["code"].str.contains(rf"^\d{{{digits}}}$").all()
    assert areas.select("vintage", "code").is_unique().all()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(REFERENCE.areas().select("code", "vintage", "level").rows()))
def test_every_code_resolves_in_its_vintage(area: tuple[str, str, str]) -> None:
    code, vintage, level = area
    found = REFERENCE.area(code, vintage)
    assert (found["code"], found["level"]) == (code, level)
    if level == "district" and code not in set(REFERENCE.parents(vintage)["district"].drop_nulls()):
        return
    assert REFERENCE.codes_within(code, vintage, level) == [code]


@settings(deadline=None)
@given(lower=st.integers(0, 79), width=st.integers(0, 79))
def test_two_age_bases_that_meet_hold_everybody_once(lower: int, width: int) -> None:
    groups = [*(f"{age}-{age + 4}" for age in range(0, 80, 5)), "80+"]
    cut = min(lower + width, 79)
    for group in groups:
        young, old = share_inside(group, 0, cut), share_inside(group, cut + 1, None)
        assert young + old == pytest.approx(1.0)
        assert 0 <= young <= 1


crosswalks = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(1, 9)),
    min_size=1,
    max_size=14,
    unique_by=lambda r: r[:2],
)


@settings(max_examples=60, deadline=None)
@given(crosswalks, st.data())
def test_people_are_neither_lost_nor_made_when_the_geography_changes(
    rows: list[tuple[int, int, int]], data
) -> None:
    """Whatever the crosswalk: the nation has the same people in both vintages, and atoms share each commune whole."""
    frame = pl.DataFrame(rows, schema=["code_2024", "code_2025", "share_population"], orient="row").cast(
        {"code_2024": pl.String, "code_2025": pl.String, "share_population": pl.Float64}
    )
    atoms = build_atoms(frame.with_columns(relation=pl.lit("part"), method=pl.lit("given")))
    sums = atoms.group_by("commune_2024").agg(pl.col("share").sum())
    assert (sums["share"] - 1).abs().max() < 1e-12  # type: ignore[operator]
    olds = sorted(set(atoms["commune_2024"]))
    persons = data.draw(st.lists(st.integers(0, 1000), min_size=len(olds), max_size=len(olds)))
    given_rows = pl.DataFrame({"code": olds, "population": persons}).with_columns(
        vintage=pl.lit("2024"),
        level=pl.lit("commune"),
        year=pl.lit(2024),
        sex=pl.lit("male"),
        age_group=pl.lit("0-4"),
    )
    parents = {
        vintage: pl.DataFrame({"commune": atoms[f"commune_{vintage}"].unique().sort()}).with_columns(
            district=pl.lit(None, pl.String), province=pl.lit("P"), region=pl.lit("R"), nation=pl.lit("VN")
        )
        for vintage in ("2024", "2025")
    }
    found = merge_population([("p", conform(given_rows, "population"))], parents, atoms)
    for vintage in ("2024", "2025"):
        for level in ("commune", "province", "nation"):
            people = found.filter(vintage=vintage, level=level)["population"].sum()
            assert people == pytest.approx(sum(persons))
