"""Is it getting better, and will the target be met: said with the release's figures, or refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from html import unescape
from pathlib import Path

import pytest

import ncdsurv
from ncdsurv.catalog import load_catalog
from ncdsurv.registry import Store
from ncdsurv.reports.content.report import Report
from ncdsurv.reports.texts import Texts
from ncdsurv.store import Release
from tests.reports.long_release import (
    DISEASE,
    LAST,
    PRESET,
    PROVINCE,
    VINTAGE,
    course,
    long_release,
    report_of,
)

Make = Callable[..., Report]
TARGET = next(
    t for t in load_catalog().targets.values() if t.disease == DISEASE and t.indicator == "detection_rate"
)


@pytest.fixture(scope="module")
def made(sample_store: Store, sample_release: Release, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A report whose control and detection rates go as asked over five years; the target is met unless asked."""

    @cache
    def release(low: float, high: float, detected: float) -> Release:
        shares = {"control_rate": course(60, low, high, 1), "detection_rate": course(60, 0.3, detected, 2)}
        return long_release(sample_release, tmp_path_factory.mktemp("long"), shares)

    def make(low: float = 0.3, high: float = 0.46, lang: str = "en", detected: float = 0.6) -> Report:
        return report_of(release(low, high, detected), sample_store.reference, lang)

    return make


def words(block: object) -> str:
    return unescape(repr(block))


@pytest.mark.parametrize(
    ("low", "high", "begin"),
    [
        (0.30, 0.46, "Yes, it is getting better"),
        (0.46, 0.30, "No, it is getting worse"),
        (0.4, 0.4, "Not clear"),
    ],
)
def test_the_verdict_follows_the_interval_of_the_trend(
    made: Make, low: float, high: float, begin: str
) -> None:
    report = made(low, high)
    said = words(report.getting_better(DISEASE))
    assert begin in said
    trend = report.results[f"trend_control_rate_{DISEASE}"]
    assert (trend["lower"] > 0) == (high > low)
    assert (trend["upper"] < 0) == (high < low)
    assert trend["family"] in ("quasi_poisson", "negative_binomial")
    assert f"Cameron and Trivedi (p = {trend['checks']['quadratic_p_value']:.2f})" in said


def test_more_of_what_is_bad_is_not_called_better(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    report = made(0.30, 0.46)
    indicators = dict(report.catalog.indicators)
    indicators["control_rate"] = indicators["control_rate"].model_copy(update={"polarity": "low_good"})
    report.catalog = report.catalog.model_copy(update={"indicators": indicators})
    assert "No, it is getting worse" in words(report.getting_better(DISEASE))


def test_the_last_values_are_published_values_that_share_no_readings(made: Make) -> None:
    report = made()
    said = words(report.getting_better(DISEASE))
    marker = report.results[f"recent_control_rate_{DISEASE}"]
    assert marker["months"] == ["2025-06", "2025-09", "2025-12", "2026-03", LAST]
    assert marker["direction"] in ("up", "down", "none")
    for month in marker["months"]:
        row = report.one("control_rate", DISEASE, period=month)
        assert f"{report.text.period(month)}: {report.rate(row)}" in said


def test_months_that_stand_out_are_told_only_where_the_trend_is_not_plain(made: Make) -> None:
    assert "Control chart" not in words(made(0.30, 0.46).getting_better(DISEASE))


def test_a_level_series_has_its_control_chart_in_a_sentence(made: Make) -> None:
    report = made(0.4, 0.4)
    said = words(report.getting_better(DISEASE))
    assert "Control chart. No month stands out" in said
    assert report.results[f"control_chart_control_rate_{DISEASE}"]["signals"] == {}


def test_a_long_series_has_the_probability_that_the_forecast_gives(made: Make) -> None:
    report = made(detected=0.46)
    said = words(report.getting_better(DISEASE))
    result = ncdsurv.forecast(
        report.values(TARGET.indicator, DISEASE, period=report.published_months(120)), "2027", PROVINCE,
        target=TARGET.percent, reference=report.reference, lang="en",
    )  # fmt: skip
    assert report.results[f"forecast_{TARGET.id}"]["probability"] == result.probability
    assert f"{result.headline('en')}." in said
    assert f"held {100 * result.backtest.covered:.0f}% of" in said
    assert "probability of reaching the level by December 2027" in said


def test_a_target_that_is_not_verified_says_so_and_has_the_values_of_the_release(
    sample_store: Store, sample_release: Release
) -> None:
    for lang in ("vi", "en"):
        report = report_of(sample_release, sample_store.reference, lang)
        said = words(report.getting_better(DISEASE))
        for target in report.catalog.targets.values():
            if target.disease != DISEASE:
                continue
            now = sample_release.values(
                target.indicator, disease=DISEASE, preset=PRESET, area=PROVINCE, vintage=VINTAGE, level="province",
                period=LAST,
            ).row(0, named=True)  # fmt: skip
            for field in ("numerator", "denominator", "value", "lower", "upper"):
                assert report.results[f"target_{target.id}"][field] == now[field]
            assert report.rate(now) in said
            assert not target.verified
        assert Texts(lang)("methods.mark") in said


@pytest.mark.parametrize(
    ("lang", "sentences"),
    [
        ("en", ["no forecast is made, because only 24 months have a value (36 are needed)."]),
        ("vi", ["chưa dự báo được, vì chỉ có 24 tháng có số liệu (cần 36)."]),
    ],
)
def test_what_a_short_register_cannot_bear_is_refused_in_a_sentence(
    sample_store: Store, sample_release: Release, lang: str, sentences: list[str]
) -> None:
    report = report_of(sample_release, sample_store.reference, lang)
    said = words(report.getting_better(DISEASE))
    now = report.one(TARGET.indicator, DISEASE)
    assert now["value"] < TARGET.percent
    for sentence in sentences:
        assert sentence in said
    assert "None" not in said
    assert "nan" not in said.split()


def test_no_month_at_all_is_a_sentence_too(sample_store: Store, sample_release: Release) -> None:
    report = report_of(sample_release, sample_store.reference, area="24")
    block = report.getting_better("other_ncd")
    assert 'class="note nothing"' in block.html
    assert "because" in words(block) or "from:" in words(block)


def test_the_sections_stand_in_the_order_of_the_questions(reports: Path) -> None:
    text, catalog = Texts("vi"), load_catalog()
    rate = catalog.indicators["control_rate"].names["vi"]
    communes = text.say("level.commune")
    for page in sorted((reports / "reports").rglob("province_report.*.html")):
        html = page.read_text(encoding="utf-8")
        start = 0
        for disease in ("hypertension", "diabetes"):
            for title in (
                catalog.diseases[disease].names["vi"], text("cascade.title"), text("control.title"),
                text("follow_up.title"), text("better.title", indicator=rate), text("target.question"),
                text("where.title", areas=communes), text("strata.title"),
            ):  # fmt: skip
                start = html.find(f">{title}</h", start)
                assert start > 0, (page.name, disease, title)
        for title in (text("quality.title"), text("methods.title"), text("places.annex")):
            start = html.find(f">{title}</h2>", start)
            assert start > 0, (page.name, title)


def test_trends_and_targets_of_the_page_are_in_its_results(reports: Path) -> None:
    for page in sorted((reports / "reports").rglob("province_report.*.json")):
        results = json.loads(page.read_text(encoding="utf-8"))
        for disease in ("hypertension", "diabetes"):
            assert results[f"trend_control_rate_{disease}"]["months"] >= 12
            assert {"below_outer", "above_outer", "target"} <= set(results[f"funnel_{disease}"])
        assert f"target_{TARGET.id}" in results
