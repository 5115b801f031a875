"""The trend explorer: every method in both languages with picture, table and words; refusals are sentences."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest

from ncdsurv.errors import UsageError
from ncdsurv.registry import Store
from ncdsurv.reports.analyses import ANALYSES
from ncdsurv.reports.content.report import Report
from ncdsurv.reports.runner import run_reports
from ncdsurv.reports.texts import Texts
from ncdsurv.reports.verify import check_html
from ncdsurv.store import Release
from tests.reports.long_release import DISEASE, course, long_release, report_of

GIVEN = {"until": "2027", "at": "boundary_reform"}
RATE = "control_rate"


@pytest.fixture(scope="module")
def long(sample_release: Release, tmp_path_factory: pytest.TempPathFactory) -> Release:
    return long_release(sample_release, tmp_path_factory.mktemp("long"), {RATE: course(60, 0.3, 0.46, 1)})


def words(block: object) -> str:
    return unescape(repr(block))


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("method", [name for name in ANALYSES if name != "joinpoint"])
def test_every_method_has_its_picture_table_and_words(
    long: Release, sample_store: Store, method: str, lang: str
) -> None:
    report = report_of(long, sample_store.reference, lang)
    drawn = report.analysis(method, RATE, DISEASE, **GIVEN)
    assert "<img" in drawn.html
    assert Texts(lang)(f"explorer.question.{method}") in words(drawn)
    assert report.results[f"{method}_{RATE}_{DISEASE}"]["indicator"] == RATE
    numbers = report.analysis_table(method, RATE, DISEASE, **GIVEN)
    assert "<td" in numbers.html
    assert " 0.000" not in words(numbers)
    assert " 0,000" not in words(numbers)
    other = {"vi": "months", "en": "tháng"}[lang]
    for block in (drawn, numbers, report.explain_analysis(method, RATE, DISEASE, **GIVEN)):
        assert other not in words(block)
        assert "None" not in words(block)


def test_words_in_a_table_wrap_and_numbers_of_a_column_have_the_same_decimals(
    long: Release, sample_store: Store
) -> None:
    report = report_of(long, sample_store.reference)
    chart = report.analysis_table("control_chart", RATE, DISEASE, **GIVEN).html
    assert "<td>one month beyond 3 sigmas" in chart
    changed = report.analysis_table("interrupted", RATE, DISEASE, **GIVEN)
    numbers = [row.split("</td>")[0] for row in changed.html.split('<td class="n">')[1:]]
    first = [cell for cell in numbers[::4] if cell != "–"]
    assert {len(cell.partition(".")[2]) for cell in first} == {1}


def test_the_explorer_finds_the_joint_of_a_bent_series(
    sample_release: Release, sample_store: Store, tmp_path: Path
) -> None:
    bent = course(60, 0.3, 0.3, 4)
    bent[30:] += [0.008 * at for at in range(30)]
    report = report_of(long_release(sample_release, tmp_path / "bent", {RATE: bent}), sample_store.reference)
    said = words(report.analysis("joinpoint", RATE, DISEASE, **GIVEN))
    assert "The trend changed once" in said
    assert report.results[f"joinpoint_{RATE}_{DISEASE}"]["joinpoints"]


@pytest.mark.parametrize(
    ("method", "lang", "sentence"),
    [
        (
            "forecast",
            "en",
            "This method gives no answer here, because only 21 months have a value (36 are needed).",
        ),
        ("forecast", "vi", "Phương pháp này chưa áp dụng được, vì chỉ có 21 tháng có số liệu (cần 36)."),
        ("interrupted", "en", "because only 9 months lie before that date (12 are needed)"),
        ("interrupted", "vi", "vì trước thời điểm đó chỉ có 9 tháng (cần 12)"),
    ],
)
def test_a_method_that_refuses_leaves_the_months_and_the_reason(
    sample_release: Release, sample_store: Store, method: str, lang: str, sentence: str
) -> None:
    report = report_of(sample_release, sample_store.reference, lang)
    block = report.analysis(method, RATE, DISEASE, **GIVEN)
    assert sentence in words(block)
    assert "<img" in block.html
    assert "<td" in report.analysis_table(method, RATE, DISEASE, **GIVEN).html


def test_a_place_without_months_says_so_everywhere(sample_release: Release, sample_store: Store) -> None:
    report: Report = report_of(sample_release, sample_store.reference, area="24")
    for block in (
        report.analysis("trend", RATE, "other_ncd", **GIVEN),
        report.analysis_table("trend", RATE, "other_ncd", **GIVEN),
        report.explain_analysis("trend", RATE, "other_ncd", **GIVEN),
    ):
        assert 'class="note nothing"' in block.html


def test_a_method_that_does_not_exist_is_refused_with_the_nearest(
    sample_release: Release, sample_store: Store
) -> None:
    report = report_of(sample_release, sample_store.reference)
    with pytest.raises(UsageError, match="unknown method: got jointpoint.*try joinpoint"):
        report.analysis("jointpoint", RATE, DISEASE, **GIVEN)


def test_the_notebook_runs_with_a_method_and_its_page_holds_no_code(
    sample_store: Store, tmp_path: Path
) -> None:
    made = run_reports(
        "trend_explorer", store=sample_store.folder, out=tmp_path, lang="en",
        parameters={"area": "79", "method": "control_chart"},
    )  # fmt: skip
    assert [entry.status for entry in made.entries] == ["ok"], [entry.line() for entry in made.entries]
    html = next(tmp_path.rglob("*.html")).read_text(encoding="utf-8")
    assert check_html(html) == []
    assert "report.analysis" not in html
    assert "This method gives no answer here" in html
    with pytest.raises(UsageError, match="try control_chart"):
        run_reports(
            "trend_explorer", store=sample_store.folder, out=tmp_path, parameters={"method": "control_charts"}
        )
