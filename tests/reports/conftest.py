"""Reports of the sample registry, made once per test run: six province reports, the overview, the site."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ncdsurv.reports.runner import run_reports
from ncdsurv.reports.site import write_site
from tests.browser_support import started_browser

if TYPE_CHECKING:
    from ncdsurv.registry import Store


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium."""
    with started_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def reports(sample_store: Store, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Folder with `reports/` (Vietnamese provinces, overview in both languages) and `site/`."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "sample_reports"
    with (folder.parent / "sample_reports.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "site" / "index.html").exists():
            out, store = folder / "reports", sample_store.folder
            for notebook, lang in (
                ("province_report", "vi"),
                ("national_overview", "vi"),
                ("national_overview", "en"),
            ):
                made = run_reports(notebook, store=store, out=out, lang=lang)
                assert [entry.line() for entry in made.entries if entry.failed] == []
            release = sample_store.releases.latest().id
            write_site(folder / "site", store=store, release=release, reports=out)
    return folder
