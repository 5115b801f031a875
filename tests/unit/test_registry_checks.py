"""The last look before a release: each identity, broken by one person, keeps the whole of it from being written."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import Period, Sex
from ncdsurv.errors import IdentityError
from ncdsurv.indicators import publish_values
from ncdsurv.indicators.stations import STATIONS
from ncdsurv.reference import load_reference
from ncdsurv.registry.checks import ValueChecks, check_measures, partitions
from ncdsurv.spells import count_bucket, measure_plan
from ncdsurv.spells.engine import UNKNOWN_BAND
from tests.engine_records import layout, random_records

WHOLE_CATALOG, REFERENCE = load_catalog(), load_reference()
ASKED = (
    "control_rate",
    "uncontrolled_rate",
    "visited_unmeasured_rate",
    "missed_visit_rate",
    "treatment_rate",
)
ASKED += ("under_care", "detection_rate", "days_between_visits", "stations_reporting")
CATALOG = WHOLE_CATALOG.model_copy(
    update={"indicators": {name: WHOLE_CATALOG.indicators[name] for name in ASKED}}
)
PLAN = measure_plan(CATALOG)
MONTH = Period.parse("2025-06").first_month
DISEASE, PRESET = "hypertension", "hearts"
WHOLE = {"sex": "both", "age_band": "all", "standardisation": "crude"}
ADD_UP, AS_COUNTED, WITHIN, EMPTY, ORDERED, NOTHING_MISSING = ValueChecks.HELD


@pytest.fixture(scope="module")
def measures() -> pl.DataFrame:
    """Counts of one month of invented people of one province, as the engine gives them."""
    records = random_records(3, 60, CATALOG, date(2024, 7, 1), 540)
    counted = count_bucket(
        layout(records, CATALOG), CATALOG, first_month=MONTH, last_month=MONTH, form="polars"
    )
    atoms = REFERENCE.atom_areas("2024")["atom"].head(counted["atom"].max() + 1)
    return counted.with_columns(atom=atoms.gather(counted["atom"]))


@pytest.fixture(scope="module")
def values(measures: pl.DataFrame) -> pl.DataFrame:
    """What is published of them, and of two stations of which one reported."""
    atom = measures["atom"].min()
    cell = {"month": MONTH, "disease": DISEASE, "sex": Sex.UNKNOWN.value, "age_band": UNKNOWN_BAND}
    told = {"atom": atom, **cell, "preset": PRESET, "reporting": 1, "known": 2}
    stations = pl.DataFrame([told], schema=STATIONS)
    return publish_values(measures, REFERENCE, CATALOG, "checks", stations=stations)


def one_cell_altered(measures: pl.DataFrame, where: pl.Expr, name: str, new: pl.Expr) -> pl.DataFrame:
    """The counts with one measure of one cell altered: the first of the preset for which a test holds."""
    numbered = measures.with_row_index("row")
    at = numbered.filter(where & (pl.col("preset") == PRESET))["row"][0]
    return numbered.with_columns(pl.when(pl.col("row") == at).then(new).otherwise(name).alias(name)).drop(
        "row"
    )


def refused(error: pytest.ExceptionInfo[IdentityError]) -> str:
    """The identity that was named."""
    return str(error.value).split("allowed: ")[1].split("; do: ")[0]


def test_counts_and_values_as_they_are_pass(measures: pl.DataFrame, values: pl.DataFrame) -> None:
    assert (
        measures.select(pl.col(PLAN.numerators["days_between_visits"]).max()).item() > 31
    )  # days over visits
    assert check_measures(measures, PLAN, CATALOG)
    ValueChecks(measures, PLAN, CATALOG).check(values)


def test_one_person_more_above_than_below_is_caught(measures: pl.DataFrame) -> None:
    name = PLAN.denominators["treatment_rate"]
    above = PLAN.numerators["treatment_rate"]
    wrong = one_cell_altered(measures, pl.col(name) > 0, above, pl.col(name) + 1)
    with pytest.raises(IdentityError) as caught:
        check_measures(wrong, PLAN, CATALOG)
    assert refused(caught) == f"{above} <= {name}"


@pytest.mark.parametrize("by", [1, -1])
def test_states_that_add_up_to_one_person_more_or_fewer_are_caught(measures: pl.DataFrame, by: int) -> None:
    whole = PLAN.denominators["control_rate"]
    name = PLAN.numerators["control_rate"]
    assert name in partitions(PLAN, PRESET)[whole]
    room = pl.col(name) < pl.col(whole) if by > 0 else pl.col(name) > 0  # the part stays within its whole
    wrong = one_cell_altered(measures, room, name, pl.col(name) + by)
    with pytest.raises(IdentityError) as caught:
        check_measures(wrong, PLAN, CATALOG)
    assert refused(caught).startswith(f"{PRESET}: ")
    assert name in refused(caught)


def altered(values: pl.DataFrame, where: pl.Expr, **put: pl.Expr) -> pl.DataFrame:
    """The values with the rows of a test altered; at least one is."""
    assert values.filter(where).height
    return values.with_columns(
        pl.when(where).then(new).otherwise(name).alias(name) for name, new in put.items()
    )


def total_of(indicator: str) -> pl.Expr:
    """The totals of one indicator, disease and preset, at every level."""
    named = {"indicator": indicator, "disease": DISEASE, "preset": PRESET, **WHOLE, "period": "2025-06"}
    return pl.all_horizontal(pl.col(name) == word for name, word in named.items())


def checked(measures: pl.DataFrame, wrong: pl.DataFrame) -> str:
    with pytest.raises(IdentityError) as caught:
        ValueChecks(measures, PLAN, CATALOG).check(wrong)
    return refused(caught)


@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize("indicator", ["control_rate", "under_care", "detection_rate", "stations_reporting"])
@pytest.mark.parametrize("vintage", ["2024", "2025"])
def test_communes_that_have_one_more_or_fewer_than_the_nation_are_caught(
    measures, values, indicator, vintage, by
) -> None:
    commune = (pl.col("area_level") == "commune") & (pl.col("area_vintage") == vintage)
    where = total_of(indicator) & commune
    if values.filter(where).is_empty():  # not published for communes
        where = (
            total_of(indicator) & (pl.col("area_level") == "province") & (pl.col("area_vintage") == vintage)
        )
    first = where & (pl.col("area_code") == values.filter(where)["area_code"][0])
    wrong = altered(values, first, numerator=pl.col("numerator") + by)
    assert checked(measures, wrong) == ADD_UP


@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize("indicator", ["control_rate", "under_care"])
def test_areas_that_agree_with_one_another_and_not_with_the_counts_are_caught(
    measures, values, indicator, by
) -> None:
    """In every level and vintage one area has one person more: only the counts know better."""
    level = ["area_vintage", "area_level"]
    firsts = values.filter(total_of(indicator)).unique(level, keep="first", maintain_order=True)
    where = total_of(indicator) & pl.concat_str(*level, "area_code").is_in(
        firsts.select(pl.concat_str(*level, "area_code")).to_series().to_list()
    )
    wrong = altered(values, where, numerator=pl.col("numerator") + by)
    assert checked(measures, wrong) == AS_COUNTED


def test_a_share_of_more_people_than_there_are_is_caught(measures, values) -> None:
    women = (pl.col("indicator") == "control_rate") & (pl.col("sex") == "female")
    wrong = altered(values, women, numerator=pl.col("denominator") + 1)
    assert checked(measures, wrong) == WITHIN


def test_a_value_of_nobody_is_caught(measures, values) -> None:
    women = (pl.col("indicator") == "control_rate") & (pl.col("sex") == "female")
    nothing = {name: pl.lit(0.0) for name in ("numerator", "denominator", "value")}
    assert checked(measures, altered(values, women, **nothing)) == EMPTY


@pytest.mark.parametrize(("side", "by"), [("lower", -0.01), ("upper", 0.01)])
def test_a_value_beside_its_interval_is_caught(measures, values, side, by) -> None:
    women = (
        (pl.col("indicator") == "control_rate") & (pl.col("sex") == "female") & pl.col("value").is_not_null()
    )
    assert checked(measures, altered(values, women, value=pl.col(side) + by)) == ORDERED
    ValueChecks(measures, PLAN, CATALOG).check(altered(values, women, value=pl.col(side) + by * 1e-9))


@pytest.mark.parametrize("indicator", ["control_rate", "under_care", "detection_rate"])
def test_a_disease_that_one_preset_leaves_out_is_caught(measures, values, indicator) -> None:
    """No sum is wrong where nothing stands: only the other presets know that something should."""
    lost = total_of(indicator) & pl.col("area_level").is_in(["province", "region", "nation"])
    assert values.filter(lost).height
    assert checked(measures, values.filter(~lost)) == NOTHING_MISSING


@pytest.mark.parametrize("least", [1, -1])
def test_a_disease_that_one_preset_leaves_out_is_caught_where_presets_come_one_by_one(
    measures, values, least
) -> None:
    """Of a nation a part is one preset of an indicator: what its last part had is remembered."""
    mine = values.filter(indicator="control_rate")
    lost = total_of("control_rate") & pl.col("area_level").is_in(["province", "region", "nation"])
    assert mine.filter(lost).height
    presets = sorted(mine["preset"].unique().to_list())[::least]
    assert len(presets) > 1

    def check(found: pl.DataFrame) -> None:
        checks = ValueChecks(measures, PLAN, CATALOG)
        checks.check(values.filter(indicator="control_among_enrolled"))
        for preset in presets:
            checks.check(found.filter(preset=preset))
        checks.check(values.filter(indicator="under_care"))

    check(mine)
    with pytest.raises(IdentityError) as caught:
        check(mine.filter(~lost))
    assert refused(caught) == NOTHING_MISSING
