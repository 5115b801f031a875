"""Small areas: what the verbs return, refuse and draw, on the built-in pack."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.areas import make_neighbours, scan_circles, smooth_rates, standardise_rates
from ncdsurv.areas.correct import fewest_at_floor, p_floor, permutations_needed
from ncdsurv.catalog.vocabulary import Flag
from ncdsurv.errors import NcdsurvError, StatisticsError, UsageError
from ncdsurv.reference import load_reference

REFERENCE = load_reference()
PROVINCE = "79"
CODES = REFERENCE.codes_within(PROVINCE, "2025", "commune")
ISLAND = "26732"  # Côn Đảo


def values(codes: list[str] = CODES, *, hot: int = 0, **columns: Any) -> pl.DataFrame:
    """Shares of about 45 percent; the area at `hot` and its neighbours have 80."""
    rng = np.random.default_rng(5)
    people = rng.integers(80, 900, len(codes)).astype(float)
    share = np.full(len(codes), 0.45)
    if hot:
        near = make_neighbours(REFERENCE, "commune", "2025", codes).of(codes[hot])
        share[[codes.index(code) for code in [codes[hot], *near]]] = 0.8
    frame = pl.DataFrame(
        {"area_code": codes, "numerator": rng.binomial(people.astype(int), share), "denominator": people}
    )
    return frame.with_columns(
        pl.lit("2025").alias("area_vintage"), pl.lit("percent").alias("unit")
    ).with_columns(pl.lit(value).alias(name) for name, value in columns.items())


def test_smoothing_keeps_the_kind_of_frame_and_every_area():
    frame = values()
    for given in (frame, frame.to_pandas(), frame.lazy()):
        result = ns.smooth(given, reference=REFERENCE)
        assert isinstance(result.data, pd.DataFrame) is isinstance(given, pd.DataFrame)
        assert len(result.data) == len(CODES)
    weights = result.data.sort("denominator")["weight"].to_numpy()
    assert (np.diff(weights) >= 0).all()  # fewer people, less of their own


def test_areas_without_figure_or_people_are_set_apart_with_their_reason():
    frame = (
        values()
        .with_row_index("at")
        .with_columns(
            numerator=pl.when(pl.col("at") == 3).then(None).otherwise(pl.col("numerator")),
            denominator=pl.when(pl.col("at") == 5).then(0.0).otherwise(pl.col("denominator")),
        )
    )
    result = ns.smooth(frame, reference=REFERENCE)
    status = dict(result.data.select("area_code", "status").iter_rows())
    assert status[CODES[3]] == "no_value"
    assert status[CODES[5]] == "no_people"
    assert result.data.filter(pl.col("status") != "smoothed")["smoothed"].null_count() == 2
    assert "1 areas without a figure, 1 with a denominator of 0" in result.explain("en")


@pytest.mark.parametrize("verb", [ns.smooth, ns.funnel])
def test_counts_of_a_suppressed_row_are_not_looked_at(verb: Any):
    hidden = pl.col("area_code") == CODES[3]
    frame = values().with_columns(
        flag=pl.when(hidden).then(pl.lit(Flag.SUPPRESSED.value)).otherwise(pl.lit(Flag.OK.value)),
        numerator=pl.when(hidden).then(7.0).otherwise("numerator"),
        denominator=pl.when(hidden).then(9.0).otherwise("denominator"),
    )
    absent = frame.with_columns(
        pl.when(~hidden).then(name).alias(name) for name in ("numerator", "denominator")
    )
    found, without = (verb(one, reference=REFERENCE).data for one in (frame, absent))
    assert found.equals(without)
    assert found.filter(hidden).select("numerator", "denominator", "status").row(0) == (
        None,
        None,
        "no_value",
    )


@pytest.mark.parametrize("method", ["local", "spatial"])
def test_an_island_keeps_its_own_rate_and_is_named(method: str):
    result = ns.smooth(values(), method=method, reference=REFERENCE)
    row = result.data.row(by_predicate=pl.col("area_code") == ISLAND, named=True)
    assert row["status"] == "island"
    assert row["smoothed"] == row["raw"]
    assert row["weight"] == 1
    assert "Con Dao" in result.explain("en")
    assert "Côn Đảo" in result.explain("vi")


@pytest.mark.parametrize("method", ["local_moran", "gi_star"])
def test_a_planted_cluster_is_found_and_the_island_is_never_tested(method: str):
    result = ns.clusters(values(hot=40), method=method, reference=REFERENCE)
    kinds = dict(result.data.select("area_code", "kind").iter_rows())
    assert kinds[CODES[40]] == {"local_moran": "high_high", "gi_star": "hot"}[method]
    assert kinds[ISLAND] == "island"
    assert result.islands == [ISLAND]
    row = result.data.row(by_predicate=pl.col("area_code") == ISLAND, named=True)
    assert row["statistic"] is None
    assert row["p_value"] is None
    assert result.overall.p_value < 0.001


def test_nearest_neighbours_leave_no_island():
    result = ns.clusters(values(), neighbours="knn", k=5, reference=REFERENCE, permutations=999)
    assert result.islands == []
    assert set(result.neighbours.counts) == {5}


def test_few_permutations_are_raised_for_the_areas_near_the_floor():
    result = ns.clusters(values(hot=40), permutations=999, reference=REFERENCE)
    needed = permutations_needed(len(CODES) - 1, 0.05)
    assert needed > 999
    used = result.data.filter(pl.col("permutations") == needed)
    assert used.height > 0
    assert used["p_value"].min() < p_floor(999)
    assert fewest_at_floor(len(CODES) - 1, needed, 0.05) == 1
    assert f"needs at least {needed:,}" in result.explain("en")
    plain = ns.clusters(values(hot=40), permutations=999, correction="none", reference=REFERENCE)
    assert plain.data["p_value"].min() == p_floor(999)
    assert "stand out by chance alone" in plain.explain("en")


@pytest.mark.parametrize("method", ["global", "spatial"])
def test_the_table_of_smoothed_rates_has_words_and_the_numbers_of_the_data(method: str):
    result = ns.smooth(values(), method=method, reference=REFERENCE)
    table = result.table("vi")
    assert table.columns[:3] == ["Đơn vị", "Tử số", "Mẫu số"]
    assert table["Sau làm trơn (%)"].to_list() == pytest.approx(result.data["smoothed"].to_list())
    assert "Raw rate (%)" in result.table("en").columns
    assert isinstance(ns.smooth(values().to_pandas(), reference=REFERENCE).table(), pd.DataFrame)
    assert result.headline("vi") in result._repr_html_()


def test_the_table_of_clusters_has_the_surest_first_and_the_island_last():
    result = ns.clusters(values(hot=40), permutations=999, reference=REFERENCE)
    table = result.table("en")
    assert table.height == len(CODES)
    assert table["p, corrected"].drop_nulls().is_sorted()
    assert table["Finding"][0] == "High, neighbours high"
    assert table["Finding"][-1] == "No neighbours, not tested"
    assert table["p"][-1] is None
    assert result.table("vi")["Kết luận"][0] == "Cao, lân cận cao"


def test_a_scan_without_any_circle_has_an_empty_table_with_its_words():
    frame = pl.DataFrame(
        {"area_code": CODES[:5], "numerator": [50.0] * 4 + [1.0], "denominator": [100.0] * 4 + [10.0]}
    ).with_columns(area_vintage=pl.lit("2025"), unit=pl.lit("percent"))
    options: dict[str, Any] = {"method": "scan", "side": "high", "max_share": 0.2, "permutations": 9}
    result = ns.clusters(frame, **options, reference=REFERENCE, lang="en")
    assert result.circles == []
    assert result.table().height == 0
    assert result.table("vi").columns[:2] == ["Cụm", "Phía"]
    assert "No cluster can be told from chance" in result.headline()
    assert result.headline() in result._repr_html_()


def test_the_same_seed_gives_the_same_answer():
    first, second = (
        ns.clusters(values(), permutations=499, seed=9, reference=REFERENCE).data for _ in range(2)
    )
    assert first.equals(second)


def test_neighbours_of_the_callers_own():
    ring = {code: [CODES[at - 1], CODES[(at + 1) % len(CODES)]] for at, code in enumerate(CODES)}
    result = ns.clusters(values(), weights=ring, permutations=199, reference=REFERENCE)
    assert set(result.data["neighbours"]) == {2}
    with pytest.raises(UsageError, match="areas without a row in the weights: got 25747"):
        ns.clusters(
            values(), weights={code: ring[code] for code in CODES if code != "25747"}, reference=REFERENCE
        )
    with pytest.raises(UsageError, match="weights are of an unknown kind: got str; allowed: Neighbours"):
        ns.clusters(values(), weights="queen", reference=REFERENCE)


def test_the_scan_finds_the_planted_cluster_and_tells_its_numbers():
    result = ns.clusters(values(hot=40), method="scan", permutations=99, reference=REFERENCE)
    first = result.circles[0]
    assert first.high
    assert first.p_value == 0.01
    assert first.relative > 1.5
    inside = result.data.filter(pl.col("cluster") == 1)
    assert CODES[40] in inside["area_code"].to_list()
    assert inside["numerator"].sum() == first.count
    row = result.table("en").row(0, named=True)
    assert (row["Side"], row["Numerator"], row["p"]) == ("high", first.count, 0.01)
    assert result.table("vi")["Phía"][0] == "cao"
    assert result.headline("en") in result._repr_html_() or result.lang == "vi"
    assert result.plot("en").title.startswith("Rate: Kulldorff")


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_maps_say_method_correction_and_neighbours(lang: str):
    result = ns.clusters(values(hot=40, period="2026-06"), permutations=999, reference=REFERENCE)
    drawn = result.plot(lang)
    words = " | ".join(text.get_text() for text in drawn.figure.texts)
    assert "Benjamini-Hochberg" in words
    assert {"vi": "tháng 06/2026", "en": "June 2026"}[lang] in words
    panel = " ".join(text.get_text() for axes in drawn.figure.axes for text in axes.texts)
    assert {"vi": "Cao, lân cận cao", "en": "High, neighbours high"}[lang] in panel
    assert {"vi": "không kiểm định", "en": "not tested"}[lang] in panel
    assert drawn.data["kind"].to_list().count("island") == 1


@pytest.mark.parametrize("column", ["smoothed", "raw"])
def test_smoothed_and_raw_rates_are_drawn(column: str):
    drawn = ns.smooth(values(), reference=REFERENCE).plot(column, lang="en")
    shown = ns.smooth(values(), reference=REFERENCE).data[column]
    assert drawn.data["value"].to_list() == pytest.approx(shown.to_list())


def _change(**columns: Any) -> pl.DataFrame:
    return values().with_columns(**columns)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (values(CODES[:1]), "one area has nothing to be compared with: got 1 areas"),
        (
            values(CODES[:6]),
            "too few areas with a rate: got 6 areas; allowed: at least 10; do: take a larger territory",
        ),
        (
            _change(numerator=pl.col("denominator") / 2),
            "every area has the same rate, so there is nothing to smooth",
        ),
        (
            _change(numerator=pl.lit(0.0)),
            "every area has the same rate, so there is nothing to smooth or find",
        ),
        (
            _change(denominator=pl.lit(0.0)),
            r"too few areas with a rate: got 0 areas \(168 more without a value",
        ),
        (_change(numerator=-pl.col("numerator")), "a negative count or population: got 168 of 168 areas"),
        (
            _change(numerator=pl.col("denominator") + 1 + pl.col("numerator")),
            "a count exceeds its population, so it is no",
        ),
        (
            _change(area_code=pl.lit("9") + pl.col("area_code")),
            "area codes that are not in vintage 2025: got 9257",
        ),
        (_change(area_vintage=pl.lit("1999")), "unknown vintage: got 1999"),
        (_change(area_vintage=pl.lit(None, pl.String)), "an area code without its vintage"),
        (
            _change(unit=pl.lit("count")),
            "small-area methods need a rate with a denominator: got the unit 'count'",
        ),
        (
            _change(standardisation=pl.lit("who")),
            "small-area methods need counts of people, not a standardised rate",
        ),
        (values().drop("denominator"), "columns are missing from values: .*do: add denominator"),
        (pl.concat([values(), values()]), "an area stands twice in the values: got 336 rows of 168 areas"),
        (values().head(0), "values hold no row"),
        (
            values().cast({"area_code": pl.Int64}),
            "area_code is not text, so leading zeros are lost: got Int64",
        ),
        ([1, 2, 3], "values are not a frame: got list"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(given: Any, sentence: str):
    with pytest.raises(NcdsurvError, match=sentence):
        ns.clusters(given, reference=REFERENCE)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"method": "moran"}, "unknown method of finding clusters: got moran; .*do: try local_moran"),
        ({"correction": "bonferoni"}, "unknown correction for many tests: got bonferoni"),
        ({"alpha": 5}, "level out of range: got 5; allowed: between 0 and 1"),
        (
            {"permutations": 19},
            "too few permutations for any area to pass: got 19: the smallest p value is 0.1",
        ),
        ({"permutations": 99.0}, "permutations are a whole number: got 99.0"),
        ({"neighbours": "rook"}, "unknown kind of neighbours: got rook"),
        (
            {"neighbours": "knn", "k": 0},
            "number of nearest neighbours out of range: got 0; allowed: 1 to 167",
        ),
        ({"family": "normal"}, "unknown family of rates: got normal"),
        ({"method": "scan", "max_share": 0.9}, "largest share of a circle out of range: got 0.9"),
        ({"method": "scan", "side": "up"}, "unknown side of the scan: got up"),
        ({"lang": "fr"}, "unknown language: got fr"),
        (
            {"weights": np.zeros((3, 3))},
            "the matrix of weights has another size: got 3 x 3; allowed: 168 x 168",
        ),
        ({"weights": np.zeros((168, 168))}, "too few areas have neighbours: got 0 of 168 areas"),
    ],
)
def test_settings_out_of_range_are_refused(options: dict[str, Any], sentence: str):
    with pytest.raises(NcdsurvError, match=sentence):
        ns.clusters(values(), reference=REFERENCE, **options)


@pytest.mark.parametrize(
    ("count", "population", "sentence"),
    [
        ([1], [10], "one area has nothing to be compared with"),
        ([1, 2], [10, 0], "a population of 0 has no rate: got 1 of 2 areas"),
        ([1, np.nan], [10, 10], "a count or population is missing: got 1 of 2 areas"),
        ([1, 2, 3], [10, 10], "counts and populations differ in length: got 3 and 2"),
    ],
)
def test_arrays_that_are_no_rates_are_refused(count: list, population: list, sentence: str):
    with pytest.raises(StatisticsError, match=sentence):
        smooth_rates(count, population)


@pytest.mark.parametrize(
    ("count", "population", "sentence"),
    [
        ([0, 0, 0, 0], [9, 9, 9, 9], "no case to scan for"),
        ([9, 9, 9, 9], [9, 9, 9, 9], "everybody is a case, so nothing can cluster"),
        ([1.5, 2, 1, 1], [9, 9, 9, 9], "the scan deals out whole people"),
    ],
)
def test_counts_that_cannot_be_scanned_are_refused(count: list, population: list, sentence: str):
    with pytest.raises(StatisticsError, match=sentence):
        scan_circles(count, population, [0, 1, 2, 3], [0, 0, 0, 0], model="bernoulli", permutations=9)


def test_a_scan_of_areas_that_are_all_too_large_is_refused():
    with pytest.raises(
        StatisticsError, match="no circle is small enough: got every area holds more than 0.2 of"
    ):
        scan_circles([1, 2, 3], [9, 9, 9], [0, 1, 2], [0, 0, 0], max_share=0.2)
    assert scan_circles([5, 6], [10, 10], [0, 1], [0, 0], permutations=9)[0].areas == (1,)


def test_areas_at_one_distance_enter_a_circle_together():
    found = scan_circles(
        [1, 9, 9, 1, 1, 1, 1, 1], [20] * 8, [0, 1, 1, 5, 6, 7, 8, 9], [0] * 8, permutations=9
    )
    assert found[0].areas in ((1, 2), (2, 1))
    assert found[0].radius == 0


def test_rates_that_are_all_zero_or_one_have_no_standard_score():
    with pytest.raises(StatisticsError, match="every rate is 0 or every share is 1, so nothing varies"):
        standardise_rates([0, 0, 0], [5, 6, 7])
    with pytest.raises(StatisticsError, match="every rate is 0 or every share is 1, so nothing varies"):
        standardise_rates([5, 6, 7], [5, 6, 7], "binomial")


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_method_note_runs(lang: str, capsys: pytest.CaptureFixture[str]):
    text = (Path(__file__).parents[2] / "docs" / "methods" / f"areas.{lang}.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        exec(block, {})
    assert "not_significant" in capsys.readouterr().out


@pytest.mark.parametrize("method", ["local_moran", "scan"])
def test_the_order_of_rows_changes_nothing(method: str):
    given = values(hot=40)
    mixed = given.sample(fraction=1, shuffle=True, seed=4)
    first, second = (
        ns.clusters(frame, method=method, permutations=99, reference=REFERENCE).data
        for frame in (given, mixed)
    )
    assert first.equals(second)


@pytest.mark.parametrize(
    ("level", "vintage"), [("province", "2025"), ("province", "2024"), ("district", "2024")]
)
def test_other_levels_and_the_old_geography_work_as_well(level: str, vintage: str):
    codes = REFERENCE.areas(level, vintage)["code"].to_list()
    given_values = pl.DataFrame(
        {
            "area_code": codes,
            "area_vintage": vintage,
            "numerator": [40 + (13 * at) % 37 for at in range(len(codes))],
            "denominator": [100 + (17 * at) % 400 for at in range(len(codes))],
        }
    )
    result = ns.clusters(given_values, permutations=99, reference=REFERENCE)
    assert result.data.height == len(codes)
    assert result.neighbours.matrix.sum() > 3 * len(codes)
    assert (result.neighbours.matrix != result.neighbours.matrix.T).nnz == 0
