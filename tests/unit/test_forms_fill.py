"""Filled forms: the right figure in the right cell, blank where nothing may stand, errors that help."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import Level, Period
from ncdsurv.errors import UsageError
from ncdsurv.forms import FormTable, fill_form
from ncdsurv.forms.checks import run_checks
from ncdsurv.forms.counts import add_up
from ncdsurv.forms.table import CellState
from tests.small_release import SILENT_COMMUNE, SmallRelease, detected, write_release

NEW, OLD = "tt23_2025", "tt37_2019"
JUNE = Period.parse("2026-06").first_month


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> SmallRelease:
    return write_release(tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="module")
def province(release: SmallRelease) -> FormTable:
    return fill_form(NEW, "52", "2026-06", release)


def labels(form: FormTable) -> list[str]:
    return [f"{row.row_code} {row.label}".strip() for row in form.rows]


def test_province_rows_of_two_tiers(province: FormTable) -> None:
    assert labels(province) == [
        "TỔNG SỐ",
        "A Y tế công",
        "I Cấp trung ương / y tế ngành",
        "II Cấp tỉnh",
        "III Cấp xã",
        "1 Phường Quy Nhơn Đông",
        "2 Xã Nhơn Châu",
        "3 Phường Pleiku",
        "4 Xã Ia Khươl",
        "B Y tế tư nhân",
    ]


def test_province_rows_of_three_tiers(release: SmallRelease) -> None:
    form = fill_form(OLD, "64", "2025-06", release)
    assert labels(form) == [
        "TỔNG SỐ",
        "A Y tế công",
        "I Tuyến tỉnh",
        "II Tuyến huyện",
        "1 Thành phố Pleiku",
        "2 Huyện Chư Păh",
        "III Tuyến xã",
        "B Y tế tư nhân",
        "1 Bệnh viện",
        "2 Phòng khám",
    ]


def test_district_rows(release: SmallRelease) -> None:
    form = fill_form(OLD, "622", "2025-06", release)
    assert form.level is Level.DISTRICT
    assert labels(form) == [
        "TỔNG SỐ",
        "I Tuyến huyện",
        "1 Bệnh viện huyện",
        "2 Phòng khám đa khoa khu vực",
        "3 Trung tâm y tế huyện",
        "II Tuyến xã",
        "1 Phường Yên Đỗ",
        "2 Phường Diên Hồng",
    ]


def test_commune_rows_have_detection_open(release: SmallRelease) -> None:
    form = fill_form(NEW, "23575", "2026-06", release)
    assert labels(form) == ["Tổng số", "I Trạm y tế", "II Cơ sở y tế khác"]
    assert all(not row.blocked for row in form.rows)


def test_a_province_is_named_with_its_type(province: FormTable) -> None:
    assert province.area_name == "Tỉnh Gia Lai"


def test_a_figure_is_the_sum_of_its_atoms(province: FormTable) -> None:
    cell = ("hypertension", "detected_total")
    assert province.row_of("23575").figures[cell] == sum(
        detected(atom, "hypertension", JUNE) for atom in (1, 2)
    )
    assert province.rows[0].figures[cell] == sum(detected(atom, "hypertension", JUNE) for atom in range(5))


def test_the_total_is_that_of_the_reporting_unit(province: FormTable) -> None:
    rows = province.data.filter(unit_code="52", disease="hypertension", measure="managed")
    assert rows["row_label"].to_list() == ["TỔNG SỐ"]


def test_detection_is_blocked_outside_the_commune_rows(province: FormTable) -> None:
    for row in province.rows:
        for block in province.form.blocks:
            state = row.state((block.id, "detected_total"))
            if row.label in ("Cấp trung ương / y tế ngành", "Cấp tỉnh", "Y tế tư nhân"):
                assert state is CellState.BLOCKED
            else:
                assert state is not CellState.BLOCKED


def test_a_unit_without_data_is_blank_not_zero(province: FormTable) -> None:
    silent = province.row_of(SILENT_COMMUNE)
    assert silent.figures == {}
    assert {silent.state(cell) for cell in province.cells()} == {CellState.NO_DATA}
    assert province.data.filter(pl.col("unit_code") == SILENT_COMMUNE)["value"].is_null().all()


def test_a_release_that_knows_nobody_fills_a_blank_form(tmp_path: Path) -> None:
    release = write_release(tmp_path)
    pl.read_parquet(release.folder / "measures.parquet").clear().write_parquet(
        release.folder / "measures.parquet"
    )
    form = fill_form(NEW, "52", "2026-06", release)
    assert all(row.figures == {} for row in form.rows)
    assert form.findings == ()


def test_a_total_without_any_part_is_blank(release: SmallRelease) -> None:
    form = fill_form(NEW, SILENT_COMMUNE, "2026-06", release)
    assert all(row.figures == {} for row in form.rows)


def test_only_newly_detected_is_summed_over_a_longer_period(release: SmallRelease) -> None:
    quarter, month = fill_form(OLD, "64", "2025-Q2", release), fill_form(OLD, "64", "2025-06", release)
    new, total = ("diabetes", "detected_new"), ("diabetes", "detected_total")
    assert quarter.rows[0].figures[new] == 3 * month.rows[0].figures[new]
    for cell in quarter.cells():
        if cell[1] != "detected_new":
            assert quarter.rows[0].figures[cell] == month.rows[0].figures[cell]
    assert quarter.rows[0].figures[total] > 0


def test_a_running_year_stops_where_the_release_does(release: SmallRelease) -> None:
    form = fill_form(NEW, "52", "2026", release)
    assert form.running
    assert form.figures_to == "2026-06"
    assert "Kỳ chưa kết thúc. Số liệu đến hết tháng 6 năm 2026." in form.standing()
    assert not fill_form(NEW, "52", "2026-06", release).running


def test_a_year_across_the_reform_is_filled_in_the_geography_of_its_end(release: SmallRelease) -> None:
    form = fill_form(NEW, "52", "2025", release)
    assert form.rows[0].figures["hypertension", "detected_new"] == 5 * 4 * 11  # 5 atoms, 2 sexes x 2 people


def test_the_form_says_what_it_rests_on(province: FormTable) -> None:
    told = "\n".join(province.standing())
    assert province.release_id in told
    assert "tt23_2025 (2025-07 - 2027-02)" in told
    assert "CHƯA ĐỐI CHIẾU" in told
    assert "chỉ tính một lần" in province.explain()


def test_labels_in_english(release: SmallRelease) -> None:
    form = fill_form(NEW, "52", "2026-06", release, lang="en")
    assert form.rows[0].label == "TOTAL"
    assert form.area_name == "Gia Lai"
    assert form.label_of(("copd_asthma", "at_target")) == "Effective treatment"
    assert form.period_label == "2026-06"


def test_the_long_table_has_every_printed_cell(province: FormTable) -> None:
    data = province.data
    assert data.height == len(province.rows) * 4 * 5
    assert set(data["state"]) == {"figure", "blocked", "no_data"}
    assert data.filter(pl.col("state") != "figure")["value"].is_null().all()
    assert data.filter(pl.col("state") == "figure")["value"].is_not_null().all()


@pytest.mark.parametrize(
    ("form_id", "area", "period", "told"),
    [
        (NEW, "52", "2025-06", "use form tt37_2019"),
        (OLD, "64", "2025-07", "use form tt23_2025"),
        (OLD, "64", "2025", "use form tt23_2025"),
        (NEW, "52", "2027-03", "no form of this series is valid then"),
        ("tt23", "52", "2026-06", "try tt23_2025"),
        (NEW, "52", "2026-Q2", "allowed: month, year"),
        (NEW, "52", "2026-13", "unknown period"),
        (NEW, "64", "2026-06", "its land is in 52 Gia Lai (province)"),
        (
            NEW,
            "23545",
            "2026-06",
            "its land is in 23575 Phường Pleiku (commune), 23722 Xã Ia Khươl (commune)",
        ),
        (NEW, "Gia Lai", "2026-06", "nearest: 52 Gia Lai (province)"),
        (NEW, "23576", "2026-06", "nearest: 23575 Phường Pleiku (commune)"),
        (NEW, "622", "2026-06", "unknown area for form tt23_2025"),
        (OLD, "64", "2024-12", "allowed: periods within 2025-01 to 2026-06"),
        (NEW, "52", "2026-07", "allowed: periods within 2025-01 to 2026-06"),
    ],
)
def test_what_cannot_be_filled_is_told(
    release: SmallRelease, form_id: str, area: str, period: str, told: str
) -> None:
    with pytest.raises(UsageError, match=".") as error:
        fill_form(form_id, area, period, release)
    assert told in str(error.value)


def test_an_unknown_language_is_told(release: SmallRelease) -> None:
    with pytest.raises(UsageError, match="unknown language"):
        fill_form(NEW, "52", "2026-06", release, lang="fr")


def test_good_figures_keep_every_check(province: FormTable) -> None:
    assert province.findings == ()


def test_more_managed_than_detected_is_found(province: FormTable) -> None:
    row = province.row_of("23575")
    figures = {**row.figures, ("diabetes", "managed"): row.figures["diabetes", "detected_total"] + 1}
    found = run_checks(_with_row(province, row.unit_code, figures), _total(province))
    checks = {finding.check for finding in found}
    assert "managed_within_detected" in checks
    assert "communes_add_up" in checks
    assert any("Phường Pleiku, Đái tháo đường" in finding.text for finding in found)


def test_a_figure_in_a_blocked_cell_is_found(province: FormTable) -> None:
    place = next(i for i, row in enumerate(province.rows) if row.label == "Cấp tỉnh")
    rows = list(province.rows)
    rows[place] = replace(rows[place], figures={("diabetes", "detected_new"): 0})
    found = run_checks(replace(province, rows=tuple(rows)), _total(province))
    assert [finding.check for finding in found] == ["blocked_cells_empty"]


def _total(form: FormTable) -> dict[tuple[str, str], int]:
    return add_up(row.figures for row in form.rows if row.kind == "area")


def _with_row(form: FormTable, unit_code: str | None, figures: dict[tuple[str, str], int]) -> FormTable:
    rows = tuple(
        replace(row, figures=figures) if row.unit_code == unit_code and row.kind == "area" else row
        for row in form.rows
    )
    return replace(form, rows=rows)


def test_a_release_without_counts_over_whole_periods_fills_no_zeros(release: SmallRelease) -> None:
    catalog = load_catalog()
    form = catalog.forms[OLD].model_copy(update={"preset": "qd97"})
    changed = catalog.model_copy(update={"forms": {**catalog.forms, OLD: form}})
    assert fill_form(OLD, "64", "2025-06", release, catalog=changed).rows
    with pytest.raises(UsageError) as told:
        fill_form(OLD, "64", "2025-Q2", release, catalog=changed)
    assert str(told.value) == (
        f"release {release.id} holds no counts over whole periods: got qd97@3; do: build the release anew, or ask for "
        "a month"
    )
