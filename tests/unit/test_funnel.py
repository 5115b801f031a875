"""The funnel plot over areas: limits, target, over-dispersion, names, words, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.errors import NcdsurvError
from ncdsurv.indicators.rates.dispersion import overdispersion
from ncdsurv.reference import load_reference

REFERENCE = load_reference()
PROVINCE = "79"
CODES = REFERENCE.codes_within(PROVINCE, "2025", "commune")


def values(
    spread: float = 0.0, *, n: int = len(CODES), unit: str = "percent", **columns: Any
) -> pl.DataFrame:
    """Shares (or rates) of areas about 45 percent (per thousand); `spread` is between areas, on the logit."""
    rng = np.random.default_rng(7)
    people = rng.integers(60, 900, n) * (1 if unit == "percent" else 40)
    base = 0.45 if unit == "percent" else 0.002
    share = 1 / (1 + np.exp(-(np.log(base / (1 - base)) + spread * rng.standard_normal(n))))
    frame = pl.DataFrame(
        {
            "area_code": CODES[:n],
            "numerator": rng.binomial(people, share).astype(float),
            "denominator": people,
        }
    ).with_columns(pl.col("denominator").cast(pl.Float64))
    named = {"area_vintage": "2025", "area_level": "commune", "unit": unit, "period": "2026-06"} | columns
    return frame.with_columns(pl.lit(value).alias(name) for name, value in named.items())


def with_province(frame: pl.DataFrame, numerator: float, denominator: float, **columns: Any) -> pl.DataFrame:
    given = {
        "area_code": PROVINCE,
        "area_level": "province",
        "numerator": numerator,
        "denominator": denominator,
    }
    row = frame.head(1).with_columns(pl.lit(value).alias(name) for name, value in (given | columns).items())
    return pl.concat([frame, row], how="diagonal")


def test_limits_are_those_of_the_rates_module():
    frame = values()
    result = ns.funnel(frame, target=45, overdispersion="none", reference=REFERENCE)
    found = ns.rates.funnel_proportions(
        count=frame.sort("area_code")["numerator"], total=frame.sort("area_code")["denominator"], benchmark=45,
        method="exact",
    )  # fmt: skip
    for name in ("value", "lower_95", "upper_95", "lower_998", "upper_998"):
        np.testing.assert_allclose(result.data[name], getattr(found, name))
    assert result.method == "exact"
    assert set(result.data["position"]) <= {"below_outer", "below", "within", "above", "above_outer"}


def test_the_target_is_the_parents_figure_where_the_values_hold_it():
    both = with_province(values(), 30_000.0, 60_000.0)
    result = ns.funnel(both, level="commune", reference=REFERENCE)
    assert (result.target.kind, result.target.code, result.target.value) == ("area", PROVINCE, 50.0)
    assert "the figure of Ho Chi Minh City" in result.explain("en")
    alone = ns.funnel(values(), reference=REFERENCE)
    assert alone.target.kind == "pooled"
    assert alone.target.value == pytest.approx(
        100 * values()["numerator"].sum() / values()["denominator"].sum()
    )
    other = with_province(values(), 30_000.0, 60_000.0, sex="male")  # another figure is no target
    assert ns.funnel(other, level="commune", reference=REFERENCE).target.kind == "pooled"
    assert ns.funnel(both, level="commune", target=PROVINCE, reference=REFERENCE).target.value == 50.0


def test_over_dispersion_is_seen_and_widens_the_limits_by_spiegelhalters_tau():
    frame = values(0.35).sort("area_code")
    result = ns.funnel(frame, target=45.0, reference=REFERENCE)
    p, n = frame["numerator"] / frame["denominator"], frame["denominator"]
    phi, tau2 = overdispersion(p.to_numpy(), (0.45 * 0.55 / n).to_numpy(), 0.45)
    assert (result.dispersion.used, result.method) == ("additive", "normal")
    assert result.dispersion.phi == pytest.approx(phi)
    half = 100 * 3.0902323 * np.sqrt(0.45 * 0.55 / n.to_numpy() + tau2)
    np.testing.assert_allclose(result.data["upper_998"], np.minimum(45 + half, 100), rtol=1e-6)
    plain = ns.funnel(frame, target=45.0, overdispersion="none", reference=REFERENCE)
    assert len(plain.outside) > 3 * max(len(result.outside), 1)
    assert "the areas differ more than chance" in result.explain("en")
    scaled = ns.funnel(frame, target=45.0, overdispersion="multiplicative", reference=REFERENCE)
    assert f"{phi**0.5:.2f} times as wide" in scaled.explain("en")
    assert scaled.data["upper_998"][0] == pytest.approx(
        45 + 309.02323 * (phi * 0.45 * 0.55 / n[0]) ** 0.5, rel=1e-6
    )


def test_without_more_than_chance_the_limits_stay_those_of_chance():
    result = ns.funnel(values(), reference=REFERENCE)
    assert result.dispersion.used == "none"
    assert result.dispersion.p_value > 0.05
    assert "differ no more than chance" in result.explain("en")
    assert len(result.outside) <= 3
    asked = ns.funnel(values(), overdispersion="additive", reference=REFERENCE)
    assert "allowed for as asked; no more than chance is seen" in asked.explain("en")


def test_under_no_effect_about_as_many_areas_lie_outside_as_chance_gives():
    outside = {"95": 0, "998": 0}
    for seed in range(30):
        people = np.random.default_rng(seed).integers(60, 900, len(CODES))
        cases = np.random.default_rng(1000 + seed).binomial(people, 0.45)
        frame = values().with_columns(numerator=pl.Series(cases * 1.0), denominator=pl.Series(people * 1.0))
        counts = ns.funnel(frame, target=45, overdispersion="none", reference=REFERENCE).counts
        outside["998"] += counts["below_outer"] + counts["above_outer"]
        outside["95"] += counts["below"] + counts["above"]
    n = 30 * len(CODES)
    assert abs(outside["998"] - 0.002 * n) < 4 * (0.002 * n) ** 0.5
    assert abs(outside["95"] - 0.048 * n) < 4 * (0.048 * n) ** 0.5


def test_rates_take_poisson_limits():
    result = ns.funnel(values(unit="per_100000"), target=200, reference=REFERENCE)
    assert (result.family, result.method) == ("poisson", "exact")
    row = result.data.row(0, named=True)
    found = ns.rates.funnel_rates(count=[row["numerator"]], population=[row["denominator"]], benchmark=200)
    assert row["upper_998"] == pytest.approx(float(found.upper_998[0]))
    assert "Poisson" in result.explain("en")
    assert result.plot(lang="vi").get_ylabel() == "trên 100.000 người"


def test_one_area_alike_areas_and_areas_without_people_have_clear_answers():
    one = ns.funnel(values(n=1), target=20, lang="en", reference=REFERENCE)
    assert "above the 99.8% limit around 20.0%" in one.headline()
    assert "too few areas to judge" in one.explain()
    alike = ns.funnel(
        values().with_columns(numerator=pl.col("denominator") / 4), lang="en", reference=REFERENCE
    )
    assert "have the same rate, 25.0%" in alike.headline()
    assert alike.outside == []
    gaps = (
        values()
        .with_row_index("at")
        .with_columns(
            denominator=pl.when(pl.col("at") == 2).then(0.0).otherwise(pl.col("denominator")),
            numerator=pl.when(pl.col("at") == 4).then(None).otherwise(pl.col("numerator")),
        )
    )
    found = ns.funnel(gaps, reference=REFERENCE)
    assert found.data["status"].to_list().count("no_people") == 1
    assert found.data["value"].null_count() == 2
    assert "1 areas without a figure, 1 with a denominator of 0" in found.explain("en")
    assert found.table().height == len(CODES) - 2
    for result in (one, alike, found):
        assert result.plot().figure is not None


@pytest.mark.parametrize(
    ("given", "options", "sentence"),
    [
        (
            values().with_columns(numerator=pl.lit(0.0)),
            {},
            "no area has a case, so chance alone draws no limits",
        ),
        (
            values().with_columns(numerator=pl.col("denominator")),
            {},
            "everybody is a case in every area, so chance alone draws no limits: got 168 areas; do: give a target",
        ),
        (values().with_columns(denominator=pl.lit(0.0)), {}, "too few areas with a rate: got 0 areas"),
        (values(), {"target": 0}, "target out of range: got 0; allowed: above 0, below 100"),
        (values(), {"target": 100}, "target out of range: got 100; allowed: above 0, below 100"),
        (values(), {"target": "01"}, "unknown area to compare with among these values: got 01"),
        (values(), {"overdispersion": "yes"}, "unknown way with over-dispersion: got yes"),
        (values(), {"method": "byar"}, "unknown method of limits: got byar"),
        (
            values(),
            {"method": "exact", "overdispersion": "additive"},
            "exact limits with over-dispersion: got phi",
        ),
        (values(n=1), {"overdispersion": "additive", "target": 45}, "too few areas to judge dispersion"),
        (values(), {"winsorise": 0.6}, "share to winsorise out of range: got 0.6"),
        (with_province(values(), 3.0, 9.0), {}, "shows one area level, not a mixture"),
        (values(), {"lang": "fr"}, "unknown language: got fr"),
    ],
)
def test_what_has_no_funnel_is_refused_with_the_reason(given: Any, options: dict[str, Any], sentence: str):
    with pytest.raises(NcdsurvError, match=sentence):
        ns.funnel(given, reference=REFERENCE, **options)


def test_the_kind_of_frame_stays_and_the_table_speaks_both_languages():
    given = values(0.35).to_pandas()
    result = ns.funnel(given, overdispersion="none", reference=REFERENCE)
    assert isinstance(result.data, pd.DataFrame)
    table = result.table("vi")
    assert isinstance(table, pd.DataFrame)
    assert table.columns[0] == "Đơn vị"
    assert table["Vị trí"].iloc[0].startswith(("cao hơn giới hạn 99,8%", "thấp hơn giới hạn 99,8%"))
    z = result.data.set_index("area_code")["z"].abs()
    assert list(z[result.outside]) == sorted(z[result.outside], reverse=True)
    html = result._repr_html_()
    assert result.headline() in html
    assert html.count("<tr>") == 1 + result.most_rows


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_names_outside_the_limits_cover_nothing(lang: str):
    result = ns.funnel(values(0.35), overdispersion="none", reference=REFERENCE)
    ax = result.plot(lang=lang)
    names = set(result._scene.names(lang).values())
    texts = [text for text in ax.texts if text.get_text() in names]
    assert len(texts) >= 5
    renderer = ax.figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in texts]
    assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[:at])
    marks = ax.transData.transform(result.placed.select("denominator", "value").to_numpy())
    for box in boxes:
        inside = (marks > [box.x0, box.y0]).all(axis=1) & (marks < [box.x1, box.y1]).all(axis=1)
        assert not inside.any()
    unnamed = len(result.outside) - len(texts)
    assert any(str(unnamed) in text.get_text() and ".table()" in text.get_text() for text in ax.texts)


def test_small_numbers_are_hollow_and_counted():
    small = values().with_columns(
        flag=pl.when(pl.col("denominator") < 100).then(pl.lit("small_number")).otherwise(None)
    )
    result = ns.funnel(small, reference=REFERENCE)
    n = small["flag"].drop_nulls().len()
    assert f"{n} areas have small numbers" in result.explain("en")
    hollow = [line for line in result.plot().lines if line.get_markerfacecolor() == "white"]
    assert sum(len(line.get_xdata()) for line in hollow) == n
