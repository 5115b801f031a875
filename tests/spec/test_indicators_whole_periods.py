"""A preset that rests on whole periods: what a release publishes, what frames and forms answer, what cards say."""

from __future__ import annotations

from itertools import product

import polars as pl
import pytest

from ncdsurv.api.cards import card_of
from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.cards import card
from ncdsurv.catalog.models import Preset
from ncdsurv.catalog.vocabulary import Period
from ncdsurv.catalog.whole_periods import LENGTHS, counted_over, preset_over, with_whole_periods
from ncdsurv.errors import IdentityError, UsageError
from ncdsurv.forms.counts import count_cells, stocks_counted_as
from ncdsurv.frames import build_spells, count
from ncdsurv.indicators import publish_values
from ncdsurv.indicators.periods import at_period_ends
from ncdsurv.registry.checks import ValueChecks
from ncdsurv.spells import measure_plan, measures_schema
from tests.counts_support import ATOMS, CELL, PROVINCE, REFERENCE, VINTAGE
from tests.engine_story import rows

CATALOG = load_catalog()
COUNTED = with_whole_periods(CATALOG)
FIRST, LAST = Period.parse("2025-01").first_month, Period.parse("2025-12").last_month
TABLE = """
    month   | preset  | under_care | controlled | control_rate_denominator | newly_detected
    2025-03 | qd97    | 90         | 10         | 12                       | 4
    2025-03 | qd97@3  | 90         | 31         | 42                       | 4
    2025-06 | qd97    | 80         | 11         | 14                       | 5
    2025-06 | qd97@3  | 80         | 33         | 44                       | 5
    2025-06 | qd97@6  | 80         | 36         | 46                       | 5
    2025-09 | qd97    | 70         | 12         | 15                       | 6
    2025-09 | qd97@3  | 70         | 34         | 45                       | 6
    2025-09 | qd97@9  | 70         | 39         | 49                       | 6
    2025-12 | qd97    | 60         | 13         | 16                       | 7
    2025-12 | qd97@3  | 60         | 35         | 47                       | 7
    2025-12 | qd97@6  | 60         | 37         | 48                       | 7
    2025-12 | qd97@12 | 60         | 41         | 52                       | 7
    2025-12 | tt37    | 60         | 13         | 60                       | 7
    """
PUBLISHED = {
    "2025-06": (11, 14), "2025-12": (13, 16), "2025-Q1": (31, 42), "2025-Q2": (33, 44), "2025-Q3": (34, 45),
    "2025-Q4": (35, 47), "2025-H1": (36, 46), "2025-H2": (37, 48), "2025-9M": (39, 49), "2025": (41, 52),
}  # fmt: skip


def measures(table: str = TABLE) -> pl.DataFrame:
    """Counts from an ascii table, of one commune, men aged 60 to 69 with hypertension."""
    schema, found = measures_schema(COUNTED), []
    place = {"atom": ATOMS[0], "disease": "hypertension", "sex": "male", "age_band": "60-69"}
    for row in rows(table):
        counts = {name: int(row.get(name) or 0) for name in schema if name not in CELL}
        when = {"month": Period.parse(row["month"]).last_month, "preset": row["preset"]}
        found.append({**place, **when, **counts})
    return pl.DataFrame(found, schema=dict(schema))


def values(counts: pl.DataFrame, **chosen: str) -> pl.DataFrame:
    """Values of the old province, both sexes and all ages unless chosen otherwise."""
    found = publish_values(counts, REFERENCE, CATALOG, "spec", first_month=FIRST, last_month=LAST)
    usual = {"area_vintage": VINTAGE, "area_level": "province", "area_code": PROVINCE, "sex": "both"}
    usual |= {"age_band": "all", "standardisation": "crude", "disease": "hypertension"}
    return found.filter(**(usual | chosen))


@pytest.mark.parametrize(
    ("level", "stratum"),
    [
        *[(level, {}) for level in ("commune", "district", "province", "region", "nation")],
        *product(("province", "region", "nation"), ({"sex": "male"}, {"sex": "male", "age_band": "60-69"})),
    ],
)
def test_a_longer_period_is_published_from_the_counts_over_all_of_it(level, stratum):
    lived = REFERENCE.atoms.filter(atom=ATOMS[0])[f"commune_{VINTAGE}"][0]
    above = REFERENCE.parents(VINTAGE).filter(commune=lived).row(0, named=True)
    chosen = {"area_level": level, "area_code": above[level], "preset": "qd97", **stratum}
    found = values(measures(), indicator="control_rate", **chosen)
    told = {period: (n, d) for period, n, d in found.select("period", "numerator", "denominator").iter_rows()}
    wanted = PUBLISHED if not stratum else {p: v for p, v in PUBLISHED.items() if p != "2025-06"}
    assert {period: told[period] for period in wanted} == wanted


def test_the_counts_over_whole_periods_are_taken_where_presets_are_worked_out_one_by_one(monkeypatch):
    def published() -> pl.DataFrame:
        return publish_values(measures(), REFERENCE, CATALOG, "spec", first_month=FIRST, last_month=LAST)

    together = published()
    monkeypatch.setattr("ncdsurv.indicators.publish.CELLS_AT_A_TIME", 0)
    assert published().equals(together)


def test_flows_and_what_does_not_rest_on_the_outcome_stay_as_they_are():
    found = values(measures(), preset="qd97")
    flow = found.filter(indicator="newly_detected")
    told = dict(flow.select("period", "value").iter_rows())
    assert [told[period] for period in ("2025-Q2", "2025-H1", "2025-9M", "2025")] == [5, 9, 15, 22]
    cared = dict(found.filter(indicator="under_care").select("period", "value").iter_rows())
    assert [cared[period] for period in ("2025-Q2", "2025-H1", "2025-9M", "2025")] == [80, 80, 70, 60]


def test_a_preset_that_rests_on_the_last_month_is_not_touched():
    found = values(measures(), indicator="control_rate", preset="tt37")
    told = dict(found.select("period", "numerator").iter_rows())
    assert [told[period] for period in ("2025-12", "2025-Q4", "2025-H2", "2025")] == [13, 13, 13, 13]


def test_no_value_is_published_under_the_name_that_whole_periods_are_counted_under():
    found = publish_values(measures(), REFERENCE, CATALOG, "spec", first_month=FIRST, last_month=LAST)
    assert set(found["preset"]) <= set(CATALOG.presets)


def test_without_counts_over_whole_periods_a_longer_period_is_left_out_not_guessed():
    months_only = _counted_under(list(CATALOG.presets), measures())
    begun = months_only.with_columns(pl.col("month") - 1)  # nobody at any period's end
    for counts in (months_only, begun):
        found = values(counts, indicator="controlled", preset="qd97")
        assert {Period.parse(period).n_months for period in found["period"]} == {1}


def _counted_under(presets: list[str], counts: pl.DataFrame) -> pl.DataFrame:
    """The counts, as if the others had not been asked for."""
    words = pl.col("preset").cast(pl.String)
    return counts.filter(words.is_in(presets)).with_columns(words.cast(pl.Enum(presets)))


def test_who_is_counted_over_periods_alone_has_nobody_in_their_months():
    found = _by_period(_of_newcomers(OVER_ALONE), "control_rate", "qd97")
    assert found["2026-Q1"] == pytest.approx(100 * 31 / 42)
    assert {period: value for period, value in found.items() if period.startswith("2026-0")} == {
        "2026-01": None, "2026-02": None, "2026-03": None,
    }  # fmt: skip


NEWCOMERS = """
    month   | preset | under_care | controlled | control_rate_denominator | newly_detected
    2026-02 | tt37   | 90         | 10         | 90                       | 4
    2026-02 | qd97   | 90         | 10         | 12                       | 4
    2026-03 | tt37   | 90         | 10         | 90                       | 0
    2026-03 | qd97   | 90         | 10         | 12                       | 0
    2026-03 | qd97@3 | 90         | 31         | 42                       | 0
    """
OVER_ALONE = """
    month   | preset | under_care | controlled | control_rate_denominator | newly_detected
    2026-02 | tt37   | 90         | 10         | 90                       | 4
    2026-03 | qd97@3 | 90         | 31         | 42                       | 0
    """
TO_MARCH = {"first_month": FIRST, "last_month": Period.parse("2026-03").last_month}


def _of_newcomers(table: str = NEWCOMERS) -> pl.DataFrame:
    """Values of an area whose first patient comes after the only December and the only September of a release."""
    return publish_values(measures(table), REFERENCE, CATALOG, "spec", **TO_MARCH)


def _by_period(found: pl.DataFrame, indicator: str, preset: str) -> dict[str, float | None]:
    whole = {"sex": "both", "age_band": "all", "standardisation": "crude", "area_level": "province"}
    mine = found.filter(indicator=indicator, preset=preset, area_vintage=VINTAGE, **whole)
    return dict(mine.select("period", "value").iter_rows())


@pytest.mark.parametrize(
    "indicator", ["under_care", "control_rate", "newly_detected", "population_control_rate"]
)
def test_a_period_that_ends_before_the_first_patient_is_published_under_every_preset(indicator):
    found = _of_newcomers()
    month, whole = (_by_period(found, indicator, preset) for preset in ("tt37", "qd97"))
    assert list(whole) == list(month)
    before = ["2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2025-H1", "2025-H2", "2025-9M", "2025"]
    nothing = None if indicator == "control_rate" else 0.0
    assert {period: whole[period] for period in before} == dict.fromkeys(before, nothing)
    assert indicator != "control_rate" or whole["2026-Q1"] == pytest.approx(100 * 31 / 42)


def test_expected_cases_are_those_of_the_population_under_every_preset():
    found = _of_newcomers()
    month, whole = (_by_period(found, "estimated_cases", preset) for preset in ("tt37", "qd97"))
    assert whole == month
    assert whole["2025"] > 0


def test_a_length_of_period_that_was_not_counted_is_left_out_though_others_were():
    shorter = [preset for preset in COUNTED.presets if preset != "qd97@12"]
    found = values(_counted_under(shorter, measures()), preset="qd97")
    stocks = found.filter(indicator="control_rate")["period"].to_list()
    assert "2025" not in stocks
    assert {"2025-Q4", "2025-H2", "2025-9M"} <= set(stocks)


def test_a_disease_that_one_preset_alone_counts_in_has_nobody_under_the_others():
    counts = measures(NEWCOMERS).filter(pl.col("preset").cast(pl.String) == "qd97")
    others = measures(NEWCOMERS).with_columns(disease=pl.lit("diabetes"))
    both = pl.concat([counts, others.cast(dict(counts.schema))])
    found = publish_values(both, REFERENCE, CATALOG, "spec", **TO_MARCH).filter(disease="hypertension")
    assert _by_period(found, "under_care", "qd97")["2026-02"] == 90
    assert _by_period(found, "under_care", "tt37")["2026-02"] == 0
    assert _by_period(found, "under_care", "hearts") == {}


def test_a_release_in_which_a_preset_lacks_a_period_is_not_written():
    found = _of_newcomers()
    checks = ValueChecks(measures(NEWCOMERS), measure_plan(CATALOG), CATALOG)
    for indicator in ("under_care", "control_rate", "estimated_cases", "population_control_rate"):
        mine = found.filter(indicator=indicator)
        checks.check(mine)
        with pytest.raises(
            IdentityError, match=f"{indicator}, qd97, hypertension, 2025; allowed: every disease"
        ):
            checks.check(mine.remove(preset="qd97", period="2025"))


def test_a_release_keeps_the_counts_over_whole_periods_at_their_ends_only():
    months = pl.DataFrame({"month": range(FIRST, LAST + 1)}, schema={"month": pl.Int32})
    every = pl.DataFrame({"preset": list(COUNTED.presets)}).join(months, how="cross")
    kept = at_period_ends(every, CATALOG, FIRST, LAST)
    ends = {name: (kept.filter(preset=name)["month"] - FIRST + 1).to_list() for name in COUNTED.presets}
    assert ends["qd97"] == ends["tt37"] == ends["hearts"] == list(range(1, 13))
    over = [ends[counted_over(CATALOG)[n]["qd97"]] for n in LENGTHS]
    assert over == [[3, 6, 9, 12], [6, 12], [9], [12]]


def test_a_release_whose_longer_periods_differ_from_the_counts_is_not_written():
    checks = ValueChecks(measures(), measure_plan(CATALOG), CATALOG)
    found = publish_values(measures(), REFERENCE, CATALOG, "spec", first_month=FIRST, last_month=LAST)
    checks.check(found.filter(indicator="controlled"))
    wrong = pl.when(pl.col("period") == "2025-H1").then(pl.col("numerator") + 1).otherwise("numerator")
    with pytest.raises(IdentityError, match="controlled, qd97, hypertension, 2025-H1"):
        checks.check(found.filter(indicator="controlled").with_columns(numerator=wrong))


def test_the_names_of_the_counts_stay_and_only_outcomes_are_counted_anew():
    plain, more = measure_plan(CATALOG), measure_plan(COUNTED)
    assert plain.names == more.names
    assert (plain.numerators, plain.denominators) == (more.numerators, more.denominators)
    assert more.column("under_care", "qd97@6") == more.column("under_care", "qd97")
    assert more.column("controlled", "qd97@6") != more.column("controlled", "qd97")
    assert with_whole_periods(CATALOG.model_copy(update={"presets": {}, "indicators": {}})).presets == {}


def test_a_month_is_judged_by_the_preset_itself():
    for name, preset in CATALOG.presets.items():
        assert preset_over(preset, 1) is preset
        assert (preset_over(preset, 3) is preset) == (name not in counted_over(CATALOG)[3])


def test_the_window_of_a_preset_on_whole_periods_is_a_month():
    told = CATALOG.presets["qd97"].model_dump()
    with pytest.raises(
        ValueError, match="'whole_period' needs outcome_window_months 1: a month is a period too"
    ):
        Preset.model_validate({**told, "outcome_window_months": 3})


@pytest.mark.parametrize(("preset", "controlled"), [("qd97", 1.0), ("tt37", 0.0)])
def test_frames_answer_a_period_as_a_release_does(preset, controlled):
    spells = build_spells(
        pl.DataFrame({"person_id": ["A"]}),
        pl.DataFrame({"person_id": ["A"], "disease": ["hypertension"], "recorded_on": ["2025-01-10"]}),
        pl.DataFrame({"person_id": ["A"] * 2, "visited_on": ["2025-01-10", "2025-04-10"], "sbp": [150, 130],
                      "dbp": [95, 80]}),
        first="2025-01", last="2025-12", preset=preset,
    )  # fmt: skip
    found = {
        at: count(spells, ["controlled", "newly_detected"], at=at) for at in ("2025-04", "2025-Q2", "2025-H1")
    }
    told = {at: dict(frame.select("indicator", "value").iter_rows()) for at, frame in found.items()}
    assert told["2025-04"] == {"controlled": 1.0, "newly_detected": 0.0}
    assert told["2025-Q2"] == {"controlled": controlled, "newly_detected": 0.0}
    assert told["2025-H1"] == {"controlled": controlled, "newly_detected": 1.0}
    assert set(found["2025-Q2"]["preset"]) == {preset}


def _form(preset: str):
    form = CATALOG.forms["tt37_2019"]
    return form.model_copy(update={"preset": preset})


def test_forms_fill_a_longer_period_from_the_counts_over_all_of_it():
    form, half = _form("qd97"), Period.parse("2025-H1")
    counts = measures().lazy().with_columns(commune=pl.lit("1"))
    asked = {kind: [item for item in form.measures if item.kind == kind] for kind in ("stock", "flow")}
    at_target = next(item for item in asked["stock"] if item.measure == "controlled")
    new = next(item for item in asked["flow"] if item.measure == "newly_detected")
    stocks = stocks_counted_as(CATALOG, "qd97", half)
    figures = count_cells(counts, form, half, stocks).figures["1"]
    block = next(block.id for block in form.blocks if block.counted_as == "hypertension")
    assert (figures[block, at_target.id], figures[block, new.id]) == (36, 9)
    month = Period.parse("2025-06")
    figures = count_cells(counts, form, month, stocks_counted_as(CATALOG, "qd97", month)).figures["1"]
    assert figures[block, at_target.id] == 11
    assert stocks_counted_as(CATALOG, "tt37", half) == "tt37"


def test_a_running_period_has_no_last_visit_yet():
    running = Period(FIRST, FIRST + 4)
    with pytest.raises(UsageError) as told:
        stocks_counted_as(CATALOG, "qd97", running)
    assert str(told.value) == (
        "qd97 rests on the last visit of a whole period: got 2025-01 to 2025-05; allowed: a month, quarter, half-year, "
        "nine months or year that has ended; do: ask for a shorter period, or build a release that reaches the "
        "period's end"
    )


@pytest.mark.parametrize(
    ("lang", "line"),
    [
        (
            "en",
            "stock, as of the period's last month; over a period longer than a month under hearts, tt37: the outcome "
            "of its last month; over a period longer than a month under qd97: the outcome of the last visit within all "
            "of it; 95% interval by Wilson",
        ),
        (
            "vi",
            "số cuối kỳ (tháng cuối của kỳ); kỳ dài hơn một tháng ở hearts, tt37: kết quả của tháng cuối; kỳ dài hơn "
            "một tháng ở qd97: kết quả của lần khám cuối trong cả kỳ; khoảng tin cậy Wilson 95%",
        ),
    ],
)
def test_the_card_says_what_a_longer_period_rests_on(lang, line):
    heading = {"en": "Method", "vi": "Cách tính"}[lang]
    assert card(CATALOG.indicators["control_rate"], CATALOG, lang)[heading] == line
    for name in ("under_care", "newly_detected", "days_between_visits", "cohort_control_rate"):
        assert "qd97" not in card(CATALOG.indicators[name], CATALOG, lang)[heading]


def test_over_http_the_card_of_a_release_of_before_says_nothing_of_whole_periods():
    told = CATALOG.model_dump(mode="json")
    assert "qd97" in card_of(told["indicators"]["control_rate"], told)["method"]["en"]
    for preset in told["presets"].values():
        del preset["outcome_of_period"]
    method = card_of(told["indicators"]["control_rate"], told)["method"]["en"]
    assert method == "stock, as of the period's last month; 95% interval by Wilson"
