"""Timeliness, doubles, jumps and too-even readings, on records whose answer can be counted by hand."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.tables import VISITS, conform
from ncdsurv.quality import QualityMetric, load_metrics
from ncdsurv.quality.counts import Records
from ncdsurv.quality.kinds import count_metric, gather, judge
from ncdsurv.quality.patterns import JUDGE, _quantile
from ncdsurv.store.release import Release

CATALOG, METRICS = load_catalog(), load_metrics()
DAY = date(2026, 5, 4)
NO_MARKS = {"has_citizen_id": pl.Boolean, "has_insurance_number": pl.Boolean}


def visit(record: str = "a", **columns: Any) -> dict[str, Any]:
    return {
        "record_id": record,
        "visit_id": f"{record}-{columns.get('visited_on', DAY)}-{columns.get('facility', '')}",
        "facility": "79001",
        "visited_on": DAY,
        "sequence": 0,
        "kind": "exam",
        "row_number": 1,
    } | columns


def records(
    visits: list[dict[str, Any]],
    received: dict[str, date] | None = None,
    marks: dict[str, tuple[bool, bool]] | None = None,
) -> Records:
    contacts = conform(pl.DataFrame(visits, infer_schema_length=None), VISITS).with_columns(
        source=pl.lit("moh"), month=pl.col("visited_on").dt.strftime("%Y-%m")
    )
    flags = pl.DataFrame(
        [(name, *held) for name, held in (marks or {}).items()],
        schema={"record_id": pl.String, **NO_MARKS},
        orient="row",
    )
    receipts = pl.DataFrame(
        list((received or {}).items()),
        schema={"visit_id": pl.String, "received_on": pl.Date},
        orient="row",
    )
    if received is not None:
        contacts = contacts.join(receipts, on="visit_id", how="left")
    return Records(contacts, pl.DataFrame(), flags, CATALOG)


def counted(metric: str, *args: Any) -> tuple[int, int]:
    found = count_metric(records(*args), METRICS[metric])
    return int(found["numerator"].sum()), int(found["denominator"].sum())


def readings(station: str, values: list[int], column: str = "sbp") -> list[dict[str, Any]]:
    return [visit(f"{station}-{i}", facility=station, **{column: value}) for i, value in enumerate(values)]


def test_the_deadline_is_the_fifth_working_day_after_the_month():
    # May 2026 ends on a Sunday: Monday to Friday, 1 to 5 June, are the five working days
    last = [visit(name, visited_on=date(2026, 5, 29)) for name in "abc"]
    received = {
        last[0]["visit_id"]: date(2026, 6, 5),
        last[1]["visit_id"]: date(2026, 6, 6),
        last[2]["visit_id"]: date(2026, 5, 30),
    }
    assert counted("received_by_deadline", last, received) == (2, 3)


def test_a_deadline_over_a_week_end_is_moved():
    # April 2026 ends on a Thursday: 1, 4, 5, 6, 7 May are the five working days (holidays are not taken off)
    rows = [visit(name, visited_on=date(2026, 4, 30)) for name in "ab"]
    received = {rows[0]["visit_id"]: date(2026, 5, 7), rows[1]["visit_id"]: date(2026, 5, 8)}
    assert counted("received_by_deadline", rows, received) == (1, 2)


def test_delay_is_counted_in_days_and_an_unknown_day_is_in_no_denominator():
    days = METRICS["received_within_a_month"].within_days or 0
    rows = [visit(name) for name in "abc"]
    received = {
        rows[0]["visit_id"]: DAY + timedelta(days),
        rows[1]["visit_id"]: DAY + timedelta(days + 1),
    }
    assert counted("received_within_a_month", rows, received) == (1, 2)
    assert counted("received_within_a_month", rows) == (0, 0)


def test_two_contacts_of_a_day_count_once_and_only_for_the_same_disease():
    rows = [
        visit("a", disease="x", sequence=480),
        visit("a", disease="x", sequence=600),
        visit("b", disease="x"),
        visit("b", disease="y"),
        visit("c"),
        visit("c", facility="79002"),
    ]
    assert counted("same_day_twice", rows) == (1, 4)


def test_supply_is_recorded_when_any_row_of_the_day_has_it():
    rows = [visit("a", supply_days=0), visit("a", disease="y"), visit("b"), visit("c", kind="screening")]
    assert counted("supply_recorded", rows) == (1, 2)


def test_weight_alone_is_no_body_size_and_a_refill_needs_none():
    rows = [
        visit("a", weight_kg=60.0, height_cm=160.0),
        visit("b", weight_kg=60.0),
        visit("c", kind="refill"),
    ]
    assert counted("body_size_recorded", rows) == (1, 2)


@pytest.mark.parametrize(("change", "jumps"), [(59, 0), (60, 1), (-60, 1)])
def test_a_jump_is_judged_at_its_limit_in_both_directions(change: int, jumps: int):
    rows = [visit("a", sbp=150), visit("a", sbp=150 + change, visited_on=DAY + timedelta(30))]
    assert counted("sbp_jump", rows) == (jumps, 1)


def test_readings_far_apart_and_readings_of_others_make_no_pair():
    days = METRICS["sbp_jump"].within_days or 0
    rows = [
        visit("a", sbp=120),
        visit("a", sbp=200, visited_on=DAY + timedelta(days + 1)),
        visit("b", sbp=220, visited_on=DAY + timedelta(1)),
    ]
    assert counted("sbp_jump", rows) == (0, 0)
    rows[1]["visited_on"] = DAY + timedelta(days)
    assert counted("sbp_jump", rows) == (1, 1)


def test_readings_much_alike_at_one_station_stand_out_against_the_others():
    dice = random.Random(7)
    honest = [round(dice.gauss(138, 16)) for _ in range(120)]
    alike = [round(dice.gauss(132, 3)) for _ in range(40)]
    rows = readings("79001", honest[:60]) + readings("79002", honest[60:]) + readings("79003", alike)
    found = count_metric(records(rows), METRICS["sbp_too_even"]).sort("facility")
    assert found["numerator"].to_list() == [0, 0, 40]
    assert found["denominator"].to_list() == [60, 60, 40]
    assert found["month"].unique().to_list() == ["2026-05"]


def test_a_station_alone_or_with_few_readings_is_not_judged_too_even():
    dice = random.Random(7)
    alike = [round(dice.gauss(132, 3)) for _ in range(40)]
    assert counted("sbp_too_even", readings("79003", alike)) == (0, 40)  # nothing to compare with
    few = readings("79001", [100, 180] * 20) + readings("79003", alike[:29])
    assert counted("sbp_too_even", few) == (0, 40)


def test_the_same_number_every_time_is_too_even_and_all_the_same_everywhere_breaks_nothing():
    same = readings("79003", [130] * 40)
    assert counted("sbp_too_even", same) == (0, 40)
    assert counted("sbp_too_even", same + readings("79001", [100, 180] * 20)) == (40, 80)


@pytest.mark.parametrize("metric", ["sbp_evenly_spread", "glucose_evenly_spread"])
def test_random_numbers_in_a_range_are_told_from_a_body(metric: str):
    definition: QualityMetric = METRICS[metric]
    column, step = definition.columns[0], definition.step or 1.0
    told: dict[str, int] = {"invented": 0, "measured": 0}
    for seed in range(20):
        dice = random.Random(seed)
        invented = [dice.randint(110, 139) * step for _ in range(300)]
        measured = [round(dice.gauss(138, 16)) * step for _ in range(300)]
        for name, values in (("invented", invented), ("measured", measured)):
            rows = [visit(f"{name}-{i}", **{column: value}) for i, value in enumerate(values)]
            found = count_metric(records(rows), definition)
            told[name] += int(found["numerator"].sum() > 0)
    assert told["invented"] >= 17  # one in twenty is rejected at the 0.05 level
    assert told["measured"] == 0


def test_too_few_or_equal_readings_are_not_judged_for_evenness():
    assert counted("sbp_evenly_spread", readings("79001", list(range(110, 170)))) == (0, 0)
    assert counted("sbp_evenly_spread", readings("79001", [130] * 200)) == (0, 0)


def test_the_api_of_the_ministry_takes_only_people_with_both_numbers():
    rows = [visit(name) for name in "abcd"]
    marks = {"a": (True, True), "b": (True, False), "c": (False, True)}
    assert counted("left_out_by_ministry_api", rows, None, marks) == (3, 4)
    assert counted("citizen_id_missing", rows, None, marks) == (2, 4)


def test_a_release_knows_when_every_contact_was_received(sample_release: Release):
    """Invented visits up to June 2026, taken in when the test runs: none can have arrived before it took place."""
    found = sample_release.quality().filter(pl.col("facility").is_null(), pl.col("area_level") == "nation")
    late = found.filter(pl.col("metric") == "received_within_a_month")
    met = found.filter(pl.col("metric") == "received_by_deadline")
    assert late["denominator"].sum() == met["denominator"].sum() > 0
    contacts = found.filter(pl.col("metric") == "same_day_twice")
    assert late["denominator"].sum() >= contacts["denominator"].sum()


@settings(deadline=None, max_examples=60)
@given(
    values=st.lists(st.integers(90, 110), min_size=1, max_size=40),
    share=st.sampled_from([0.0, 0.01, 0.05, 0.25, 0.5, 0.95, 0.99, 1.0]),
)
def test_a_rank_among_counted_numbers_is_the_rank_among_the_numbers_written_out(
    values: list[int], share: float
):
    counted = pl.DataFrame({"at": values}).group_by("at").agg(n=pl.len().cast(pl.Int64)).sort("at")
    assert counted.select(_quantile(share)).item() == int(pl.Series(values).quantile(share, "nearest"))


@settings(deadline=None, max_examples=20)
@given(
    values=st.lists(st.sampled_from([118, 119, 120, 121, 131]), min_size=12, max_size=60),
    halves=st.integers(2, 4),
)
def test_a_station_is_judged_by_all_its_readings_whatever_parts_they_came_in(values: list[int], halves: int):
    rows = [*readings("79001", values), *readings("79002", list(range(100, 160, 2)))]
    for kind in JUDGE:
        for metric in (one for one in METRICS.values() if one.kind == kind):
            parts = [gather(records(part), metric) for at in range(halves) if (part := rows[at::halves])]
            whole = count_metric(records(rows), metric)
            assert judge(parts, metric).sort("facility").equals(whole.sort("facility"))
