"""Reports run unattended: all of them, once, whole, and the same number as the release."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ncdsurv.errors import StoreError, UsageError
from ncdsurv.reference import is_invented
from ncdsurv.reports.catalogue import NOTEBOOK_FOLDER
from ncdsurv.reports.manifest import Manifest
from ncdsurv.reports.plan import Task
from ncdsurv.reports.processes import Running, outcome_of
from ncdsurv.reports.runner import run_reports
from ncdsurv.reports.verify import check_html
from ncdsurv.store.atomic import exclusive
from tests.conftest import AS_OF

if TYPE_CHECKING:
    from ncdsurv.registry import Store
    from ncdsurv.store import Release

PILOT = ["02", "37", "56", "64", "79", "84"]


def _pages(folder: Path, pattern: str) -> list[Path]:
    return sorted((folder / "reports").rglob(pattern))


def test_every_pilot_province_has_a_page_and_all_are_in_the_manifest(reports: Path) -> None:
    pages = _pages(reports, "province_report.*.html")
    assert [page.name.split(".")[1] for page in pages] == PILOT
    entries = Manifest(reports / "reports").entries
    assert len(entries) == len(PILOT) + 2
    assert {entry.status for entry in entries.values()} == {"ok"}
    for entry in entries.values():
        assert "store" not in entry.parameters
        assert set(entry.versions) >= {"polars", "papermill"}


def test_pages_fetch_nothing_and_hold_no_code(reports: Path) -> None:
    for page in [*_pages(reports, "*.html"), *(reports / "site").rglob("*.html")]:
        if (
            page.parent.name == "maps"
        ):  # an interactive map has a script of its own; the browser sees that it asks nobody
            continue
        html = page.read_text(encoding="utf-8")
        assert check_html(html) == [], page.name
        assert "open_report" not in html
        assert unicodedata.is_normalized("NFC", html)


def test_invented_people_are_announced_before_any_number() -> None:
    real, invented = [{"id": "builtin", "invented": False}], [{"id": "synthetic", "invented": True}]
    release, reference = SimpleNamespace(manifest={}), SimpleNamespace(manifest=real)
    assert not is_invented(release, reference)
    assert is_invented(release, SimpleNamespace(manifest=[*real, *invented]))
    assert is_invented(SimpleNamespace(manifest={"reference_packs": invented}), reference)
    assert is_invented(SimpleNamespace(manifest={"invented": True}), reference)


def test_each_language_has_its_own_page(reports: Path) -> None:
    vi, en = (
        _pages(reports, f"national_overview.*.{lang}.html")[0].read_text("utf-8") for lang in ("vi", "en")
    )
    assert '<html lang="vi">' in vi
    assert "Tăng huyết áp" in vi
    assert "Hypertension" not in vi
    assert '<html lang="en">' in en
    assert "Hypertension" in en
    assert "Tăng huyết áp" not in en


def test_the_report_says_the_number_of_the_release(reports: Path, sample_release: Release) -> None:
    for page in _pages(reports, "province_report.*.json"):
        province, results = page.name.split(".")[1], json.loads(page.read_text(encoding="utf-8"))
        for disease in ("hypertension", "diabetes"):
            for preset in ("hearts", "tt37", "qd97"):
                published = sample_release.values(
                    "control_rate", disease=disease, level="province", vintage="2024", area=province,
                    preset=preset, period="2026-06",
                )  # fmt: skip
                said = results[f"control_{disease}_{preset}"]
                row = published.row(0, named=True)
                for field in ("numerator", "denominator", "value", "lower", "upper", "flag"):
                    assert said[field] == row[field], (province, disease, preset, field)


def test_what_did_not_change_is_not_made_again_and_what_was_changed_is(
    reports: Path, sample_store: Store, tmp_path: Path
) -> None:
    def again(**more: Any) -> list[str]:
        made = run_reports(
            "province_report", ["84"], release="latest", store=sample_store.folder, out=tmp_path, jobs=1,
            parameters={"period": AS_OF}, **more,
        )  # fmt: skip
        return [entry.status for entry in made.entries]

    assert again() == ["ok"]
    (entry,) = Manifest(tmp_path).entries.values()
    assert entry.parameters["period"] == AS_OF
    page = next(tmp_path.rglob("*.html"))
    content = page.read_bytes()
    assert again() == ["up_to_date"]
    page.write_bytes(content + b" ")
    assert again() == ["ok"]
    assert page.read_bytes() == content, "the same data give the same page, byte for byte"
    assert again(force=True) == ["ok"]
    assert not list(tmp_path.glob(".tmp-*"))


def test_a_dry_run_checks_and_writes_nothing(sample_store: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = run_reports("province_report", ["pilot"], store=sample_store.folder, out=out, dry_run=True)
    assert [entry.parameters["province"] for entry in made.entries] == PILOT
    assert {entry.status for entry in made.entries} == {"planned"}
    assert not out.exists()


def test_all_is_the_list_of_the_vintage(sample_store: Store, tmp_path: Path) -> None:
    for vintage, count in (("2024", 63), ("2025", 34)):
        made = run_reports(
            "province_report", ["all"], store=sample_store.folder, out=tmp_path, dry_run=True,
            parameters={"vintage": vintage},
        )  # fmt: skip
        assert len(made.entries) == count


@pytest.mark.parametrize(
    ("provinces", "parameters", "words"),
    [
        (["7"], {}, "unknown province of the 2024 list"),
        (["79"], {"vintage": "2026"}, "try 2025"),
        (["79"], {"perid": "2026-06"}, "try period"),
        (["79"], {"preset": "herts"}, "try hearts"),
        (["79"], {"lang": "vn"}, "try vi"),
    ],
)
def test_a_typo_stops_everything_before_anything_runs(
    provinces: list[str], parameters: dict[str, str], words: str, sample_store: Store, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(UsageError, match=words):
        run_reports("province_report", provinces, store=sample_store.folder, out=out, parameters=parameters)
    assert not out.exists()


def test_two_runs_do_not_write_into_one_folder_at_once(sample_store: Store, tmp_path: Path) -> None:
    with exclusive(tmp_path / ".lock"), pytest.raises(StoreError):
        run_reports("province_report", ["84"], store=sample_store.folder, out=tmp_path)


BROKEN = """
import json, sys
from pathlib import Path
from ncdsurv.reports import worker
from ncdsurv.reports.catalogue import find_notebook
worker.find_notebook = lambda name: find_notebook(name, Path(sys.argv[1]))
print(json.dumps(worker.make_report(json.loads(sys.argv[2]))))
"""


def _make_broken(folder: Path, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    notebook = json.loads((NOTEBOOK_FOLDER / "trend_explorer.ipynb").read_text(encoding="utf-8"))
    notebook["cells"] = notebook["cells"][:3]
    change(notebook["cells"][2])
    (folder / "broken.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (folder / "out").mkdir(exist_ok=True)
    (folder / "out" / "page.html").write_text("the good one")
    task = {
        "notebook": "broken", "parameters": {}, "out": str(folder / "out"), "stem": "page", "title": "T", "lang": "vi",
        "engine": "ncdsurv-warm",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, str(folder), json.dumps(task)],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert (folder / "out" / "page.html").read_text() == "the good one"
    assert (folder / "out" / "page.failed.ipynb").exists()
    assert not list((folder / "out").glob(".tmp-*"))
    return json.loads(done.stdout)


def test_a_cell_that_fails_leaves_the_good_report_and_says_where(tmp_path: Path) -> None:
    outcome = _make_broken(tmp_path, lambda cell: cell.update(source="1 / 0"))
    assert outcome["status"] == "failed"
    assert "ZeroDivisionError" in outcome["problem"]


def test_a_notebook_without_its_declared_output_is_no_report(tmp_path: Path) -> None:
    def silence(cell: dict[str, Any]) -> None:
        cell.update(source="x = 1", metadata={"tags": ["table:months"]})

    outcome = _make_broken(tmp_path, silence)
    assert outcome["status"] == "failed"
    assert outcome["problem"] == "the output table:months is missing"


def _die(connection: Any) -> None:
    os.kill(os.getpid(), 9)


def _sleep(connection: Any) -> None:
    time.sleep(60)


def _start(target: Callable[[Any], None]) -> Running:
    context = get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(sending,))
    process.start()
    sending.close()
    return Running(Task("k", "k", "t", {}, "r"), process, receiving, time.monotonic())


def test_a_killed_report_is_not_taken_for_a_good_one() -> None:
    item = _start(_die)
    assert item.connection.poll(30)
    outcome = outcome_of(item, timeout=60)
    assert outcome is not None
    assert outcome["status"] == "killed"
    assert "SIGKILL" in outcome["problem"]


def test_a_report_that_takes_too_long_is_stopped() -> None:
    item = _start(_sleep)
    outcome = outcome_of(item, timeout=0)
    assert outcome is not None
    assert outcome["status"] == "timeout"
    assert not item.process.is_alive()
