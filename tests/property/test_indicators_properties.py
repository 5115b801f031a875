"""Invariants of published values, on people drawn at random in places of both vintages."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.tables import VALUES
from ncdsurv.catalog.vocabulary import month_index, month_label
from ncdsurv.indicators import poisson_limits, publish_values, wilson_limits
from ncdsurv.reference import load_reference
from ncdsurv.spells import count_bucket, measure_plan
from tests.engine_records import layout, random_records

CATALOG, REFERENCE = load_catalog(), load_reference()
PLAN = measure_plan(CATALOG)
START = date(2024, 10, 1)
FIRST, LAST = month_index(START), month_index(START) + 14
KEY = ["indicator", "preset", "disease", "period", "sex", "age_band", "standardisation"]


def _places() -> pl.DataFrame:
    """Atoms of old and new communes: some whole, some pieces of a commune that was split, in several provinces."""
    split = REFERENCE.atoms.filter(pl.len().over("commune_2024") > 1).head(6)
    whole = REFERENCE.atoms.filter(pl.len().over("commune_2024") == 1).gather_every(997)
    return pl.concat([split, whole])


PLACES = _places()


def published(seed: int, people: int = 25) -> tuple[pl.DataFrame, pl.DataFrame]:
    records = random_records(seed, people, CATALOG, START, 450, PLACES)
    measures = count_bucket(
        layout(records, CATALOG), CATALOG, first_month=FIRST, last_month=LAST, form="polars"
    )
    values = publish_values(measures, REFERENCE, CATALOG, "test", first_month=FIRST, last_month=LAST)
    return measures, values


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_values_keep_their_identities(seed):
    measures, values = published(seed)
    assert values.schema == pl.Schema(VALUES)
    key = [*KEY, "area_vintage", "area_level", "area_code"]
    assert not values.select(key).is_duplicated().any(), "one row per cell"
    order = ["indicator", "preset", "disease", "area_vintage", "area_level", "area_code", "period"]
    assert values.equals(values.sort(*order, "sex", "age_band", "standardisation", maintain_order=True))
    _communes_provinces_and_nation_agree(values)
    _nation_is_the_sum_of_the_counts(values, measures)
    _strata_add_up(values)
    _figures_are_sound(values)


def _communes_provinces_and_nation_agree(values: pl.DataFrame) -> None:
    """In both vintages and at each level, numerators and denominators of counts of people add up alike."""
    whole = [i.id for i in CATALOG.indicators.values() if len(i.levels) == 5 and i.id in PLAN.numerators]
    from_spells = [
        name for name in whole if CATALOG.indicators[name].denominator_source in ("spells", "none")
    ]
    months = values.filter(
        pl.col("indicator").is_in(from_spells) & (pl.col("sex") == "both") & (pl.col("age_band") == "all")
    ).filter(pl.col("period").str.contains(r"^\d{4}-\d{2}$"))
    sums = months.group_by(*KEY, "area_vintage", "area_level").agg(pl.col("numerator", "denominator").sum())
    nation = sums.filter(area_level="nation", area_vintage="2025").drop("area_vintage", "area_level")
    for vintage in ("2024", "2025"):
        for level in (
            "commune",
            "province",
            "region",
            "nation",
            *(("district",) if vintage == "2024" else ()),
        ):
            part = sums.filter(area_level=level, area_vintage=vintage)
            joined = nation.join(part, on=KEY, how="left", suffix="_part")
            assert joined.height
            for figure in ("numerator", "denominator"):
                same = pl.col(figure).fill_null(0) == pl.col(f"{figure}_part").fill_null(0)
                assert joined.select(same.all()).item(), (vintage, level, figure)


def _nation_is_the_sum_of_the_counts(values: pl.DataFrame, measures: pl.DataFrame) -> None:
    labels = {month: month_label(month) for month in range(FIRST, LAST + 1)}
    counted = measures.group_by("disease", "preset", "month").agg(pl.col("under_care", "controlled").sum())
    counted = counted.with_columns(
        pl.col("disease", "preset").cast(pl.String), period=pl.col("month").replace_strict(labels)
    )
    for name in ("under_care", "controlled"):
        nation = values.filter(
            indicator=name, area_level="nation", area_vintage="2025", sex="both", age_band="all"
        )
        both = nation.join(counted, on=["disease", "preset", "period"], how="inner")
        assert both.height
        assert (both["numerator"] == both[name]).all()


def _strata_add_up(values: pl.DataFrame) -> None:
    """By sex (unknown sex apart) and by age band (unknown age apart), parts never exceed the total."""
    nation = values.filter(indicator="under_care", area_level="nation", area_vintage="2025")
    keys = ["preset", "disease", "period"]
    total = nation.filter(sex="both", age_band="all").select(*keys, total="numerator")
    for part in (
        nation.filter(pl.col("sex") != "both", age_band="all"),
        nation.filter(pl.col("age_band") != "all", sex="both"),
    ):
        sums = part.group_by(keys).agg(pl.col("numerator").sum()).join(total, on=keys)
        assert sums.height
        assert (sums["numerator"] <= sums["total"]).all()


def _figures_are_sound(values: pl.DataFrame) -> None:
    shares_of = [i for i in CATALOG.indicators.values() if i.unit == "percent"]
    spells = [i.id for i in shares_of if i.denominator_source == "spells"]
    shares = values.filter(pl.col("indicator").is_in(spells))
    assert (shares["numerator"] <= shares["denominator"]).all()
    empty = shares.filter(pl.col("denominator") == 0)
    assert empty["value"].null_count() == empty.height
    assert (empty["flag"] == "no_denominator").all()
    filled = shares.filter(pl.col("denominator") > 0)
    assert filled["value"].null_count() == 0
    assert filled["value"].is_between(0, 100).all()
    inside = values.drop_nulls(["value", "lower", "upper"])
    assert (inside["lower"] <= inside["value"] + 1e-9).all()
    assert (inside["value"] <= inside["upper"] + 1e-9).all()
    assert values.filter(pl.col("value").is_null(), flag="ok").is_empty(), "a null value says why"
    assert values["flag"].null_count() == 0
    assert not values.select(pl.col("value", "lower", "upper").is_nan().any()).row(0).count(True)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.floats(0.5, 0.999))
def test_wilson_limits_hold_the_share_and_stay_within_0_and_1(count, more, confidence):
    lower, upper = wilson_limits(count, count + more, confidence)
    assert 0 <= lower <= count / (count + more) <= upper <= 1


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_wilson_limits_mirror_each_other(count, rest):
    if count + rest == 0:
        return
    lower, upper = wilson_limits(count, count + rest)
    mirrored_lower, mirrored_upper = wilson_limits(rest, count + rest)
    assert abs(lower + mirrored_upper - 1) < 1e-12
    assert abs(upper + mirrored_lower - 1) < 1e-12


@given(st.integers(0, 10**6), st.floats(0.5, 0.999))
def test_poisson_limits_hold_the_count_and_grow_with_it(count, confidence):
    lower, upper = poisson_limits([count, count + 1], confidence)
    assert lower[0] <= count <= upper[0]
    assert lower[0] < lower[1]
    assert upper[0] < upper[1]
