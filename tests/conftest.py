"""Shared pieces: the registry made of `data_samples/`, built once per test run and shared by all workers."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

# A slow machine is no failure of an invariant.
settings.register_profile("ncdsurv", deadline=None, print_blob=True)
settings.load_profile("ncdsurv")

if TYPE_CHECKING:
    from ncdsurv.registry import Store
    from ncdsurv.store import Release

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data_samples"
AS_OF = "2026-06"


def shared_folder() -> Path | None:
    """The reference pack with real boundaries and populations, where it exists; never committed."""
    folder = Path(os.environ.get("NCDSURV_SHARED", ROOT.parent / "shared" / "data" / "vn"))
    return folder if folder.is_dir() else None


LONGEST = (
    "faults/test_killed_at_every_write.py",
    "packaging/test_wheel.py",
    "faults/test_cut_off_anywhere.py",
    "property/test_spells_oracle.py",
    "faults/test_killed_at_random.py",
    "unit/test_docs_gallery.py",
    "store/test_registry_on_object_storage.py",
    "reports/test_runner.py",
)
"""Files that take long: begun first, so that no worker ends with one while the others wait.

Among them one that compiles the engine's kernel: it stands on the disk before the other files of it are begun.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; everything else as it was collected."""
    place = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get("/".join(item.path.parts[-2:]), len(place)))


@pytest.fixture(scope="session")
def shared_pack() -> Path:
    """The outside reference pack, or a skip that says why."""
    folder = shared_folder()
    if folder is None:
        pytest.skip("the outside reference pack is not here (set NCDSURV_SHARED to its folder)")
    return folder


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Store:
    """A registry of `data_samples/` with one release as of 2026-06. Read only: tests must not write to it."""
    from ncdsurv.registry import open_store

    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "sample_store"
    with (folder.parent / "sample_store.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first worker builds, the others find it built
        store = open_store(folder)
        if not store.releases.ids():
            _build(store)
    return store


def _build(store: Store) -> None:
    from ncdsurv.catalog import load_catalog
    from ncdsurv.synthetic.data import parameters

    pack = SAMPLES / "reference"
    if pack.is_dir():
        store.add_reference(pack)
    for source in load_catalog().sources:
        folder = SAMPLES / source
        if source in parameters("systems") and folder.is_dir():  # further formats hold the same people
            report = store.ingest(sorted(folder.iterdir()), source=source)
            assert report.balances
    store.build_release(as_of=AS_OF)


@pytest.fixture(scope="session")
def sample_release(sample_store: Store) -> Release:
    """The release of the sample registry."""
    return sample_store.releases.latest()


@pytest.fixture(scope="session")
def sample_reports(sample_store: Store, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Reports of the sample registry: `reports/` (Vietnamese provinces, overview in both languages) and `site/`."""
    from ncdsurv.reports.runner import run_reports
    from ncdsurv.reports.site import write_site

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
