"""Which communes differ: names with their published figures, no clusters where there are none, no raw noise on maps."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import polars as pl
import pytest

from ncdsurv.catalog.vocabulary import Flag
from ncdsurv.registry import Store
from ncdsurv.reports.content.places import inside
from ncdsurv.reports.content.report import Report
from ncdsurv.reports.content.where import mostly_small
from ncdsurv.reports.texts import Texts
from ncdsurv.store import Release
from tests.reports.long_release import DISEASE, report_of

Change = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.fixture
def made(sample_store: Store, sample_release: Release) -> Callable[..., Report]:
    """The province's report with the values of its communes changed."""

    def make(change: Change | None = None, lang: str = "en") -> Report:
        report = report_of(sample_release, sample_store.reference, lang)
        if change is not None:
            real = report.values

            def values(*args: object, **narrow: object) -> pl.DataFrame:
                frame = real(*args, **narrow)
                return change(frame) if narrow.get("level") == "commune" else frame

            report.values = values  # type: ignore[method-assign,assignment]
        return report

    return make


def words(block: object) -> str:
    return unescape(repr(block))


def people(n: int, share: float | pl.Expr) -> list[pl.Expr]:
    """Everywhere `n` people, so many of them at target."""
    at_target = (pl.lit(n * share) if isinstance(share, float) else n * share).round().cast(pl.Float64)
    return [
        at_target.alias("numerator"),
        pl.lit(float(n)).alias("denominator"),
        (100 * at_target / n).alias("value"),
        (100 * at_target / n - 5).alias("lower"),
        (100 * at_target / n + 5).alias("upper"),
        pl.lit("ok").alias("flag"),
    ]


def counted(report: Report) -> list[str]:
    """Communes of the report's area that have a rate."""
    codes = inside(report, "commune")["code"].to_list()
    frame = report.values("control_rate", DISEASE, level="commune", area=None).drop_nulls("value")
    return sorted(set(frame["area_code"]) & set(codes))


def odd_one_out(report: Report) -> tuple[str, Change]:
    """A commune where nearly nobody is at target while all others do as the province does."""
    code, own = counted(report)[0], report.one("control_rate", DISEASE)["value"] / 100
    share = pl.when(pl.col("area_code") == code).then(0.02).otherwise(own)
    return code, lambda frame: frame.with_columns(people(200, share))


def name_of(report: Report, code: str) -> str:
    """Name of a commune in the report's language."""
    area = inside(report, "commune").row(by_predicate=pl.col("code") == code, named=True)
    return str(area["name" if report.lang == "vi" else "name_en"])


def test_who_is_outside_the_limits_is_named_with_the_published_figures(made: Callable[..., Report]) -> None:
    for lang in ("vi", "en"):
        code, change = odd_one_out(made())
        report = made(change, lang)
        said = words(report.where(DISEASE))
        assert report.results[f"funnel_{DISEASE}"]["outside"] == [code]
        assert report.results[f"funnel_{DISEASE}"]["target"] == pytest.approx(
            report.one("control_rate", DISEASE)["value"]
        )
        name = name_of(report, code)
        row = report.values("control_rate", DISEASE, level="commune", area=code).row(0, named=True)
        outside = said[said.index(Texts(lang)("where.outside", areas=report.text.say("level.commune"))) :]
        assert f"{name} {report.of(row)} {report.rate(row)}" in outside


def test_one_person_of_one_is_no_outlier(made: Callable[..., Report]) -> None:
    report = made(lambda frame: frame.with_columns(people(1, 1.0)))
    report.where(DISEASE)
    assert report.results[f"funnel_{DISEASE}"]["outside"] == []


def test_where_numbers_are_mostly_small_the_map_is_smoothed_and_says_so(made: Callable[..., Report]) -> None:
    report = made()
    frame = report.values("control_rate", DISEASE, level="commune", area=None)
    frame = frame.filter(pl.col("area_code").is_in(inside(report, "commune")["code"].to_list()))
    assert mostly_small(frame)
    known = frame.drop_nulls("value")
    small = known.filter(pl.col("flag") == Flag.SMALL_NUMBER).height
    said = words(report.where(DISEASE))
    assert f"{small} of {known.height}" in said
    assert "empirical Bayes" in said


def test_where_numbers_are_large_the_map_shows_what_was_published(made: Callable[..., Report]) -> None:
    _, change = odd_one_out(made())
    said = words(made(change).where(DISEASE))
    assert "empirical Bayes" not in said


def test_clusters_are_told_only_where_there_are_some_and_with_the_caveat(made: Callable[..., Report]) -> None:
    places = inside(made(), "commune").sort("lon").select("code")
    west = places["code"].head(places.height // 8).to_list()

    def everywhere(share: pl.Expr) -> Change:
        """300 people in every commune, also where the samples have nobody."""
        return lambda frame: (
            places.rename({"code": "area_code"})
            .join(frame.head(1).drop("area_code"), how="cross")
            .select(frame.columns)
            .with_columns(people(300, share))
        )

    patch = made(everywhere(pl.when(pl.col("area_code").is_in(west)).then(0.8).otherwise(0.2)))
    said = words(patch.where(DISEASE))
    found = patch.results[f"clusters_{DISEASE}"]
    assert found["high_high"] > 0
    assert f"high, neighbours high ({found['high_high']}): " in said
    assert "A cluster is a place to ask questions, not a cause" in said
    even = made(everywhere(0.4 + 0.02 * (pl.col("area_code").cast(pl.Int64) % 2)))
    assert "place to ask questions" not in words(even.where(DISEASE))
    assert even.results[f"clusters_{DISEASE}"]["high_high"] == 0


def test_what_is_suppressed_is_never_shown(made: Callable[..., Report]) -> None:
    code = counted(made())[0]
    hidden = ["numerator", "denominator", "value", "lower", "upper"]

    def suppress(frame: pl.DataFrame) -> pl.DataFrame:
        own = pl.col("area_code") == code
        return frame.with_columns(
            *(pl.when(own).then(None).otherwise(pl.col(name)).alias(name) for name in hidden),
            flag=pl.when(own).then(pl.lit(Flag.SUPPRESSED.value)).otherwise(pl.col("flag")),
        )

    report = made(suppress, "vi")
    name = name_of(report, code)
    said = words(report.where(DISEASE))
    assert code not in report.results[f"funnel_{DISEASE}"]["outside"]
    assert "None" not in said  # in Vietnamese no word is spelt so
    annex = words(report.annex_table(DISEASE, "diabetes"))
    assert f"{code} {name} " not in annex


def test_no_patient_anywhere_is_a_sentence(made: Callable[..., Report]) -> None:
    empty = made(lambda frame: frame.clear(), "vi")
    block = empty.where(DISEASE)
    assert Texts("vi")("note.nothing") in words(block)
    assert "<img" not in block.html


def test_the_annex_has_the_values_of_the_release_for_both_diseases(made: Callable[..., Report]) -> None:
    report = made(lang="vi")
    said = words(report.annex_table(DISEASE, "diabetes"))
    frame = report.values("control_rate", DISEASE, level="commune", area=None)
    frame = frame.filter(pl.col("area_code").is_in(inside(report, "commune")["code"].to_list()))
    for row in frame.filter(pl.col("denominator") > 0).sort("denominator").tail(5).iter_rows(named=True):
        interval = report.text.interval(row["lower"], row["upper"])
        assert f"{report.of(row)} {report.rate(row)} ({interval})" in said
