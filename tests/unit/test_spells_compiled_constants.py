"""What is compiled in must not outlive a change of it: the cache on disk is kept by the numbers, not by the file."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ncdsurv.catalog.vocabulary import month_index
from ncdsurv.compiling import kept
from ncdsurv.spells import count_wide
from tests.engine_catalogs import CATALOG
from tests.engine_records import layout, random_records

ROOT = Path(__file__).parents[2]
NUMBERS = "LIMIT = {}\n"
COMPILED = """
from numbers_elsewhere import LIMIT
from ncdsurv.compiling import compile_once

@compile_once
def beyond(x):
    return x + LIMIT

@compile_once
def twice(x):
    return 2 * beyond(x)
"""


def _run(folder: Path, limit: int) -> tuple[int, int, set[str]]:
    """Both functions of 1 where the other module says so; and the names of what is in the cache."""
    (folder / "numbers_elsewhere.py").write_text(NUMBERS.format(limit))
    search = os.pathsep.join(filter(None, [str(folder), str(ROOT), os.environ.get("PYTHONPATH")]))
    cache = folder / "cache"
    done = subprocess.run(
        [sys.executable, "-c", "import compiled as c; print(c.beyond(1), c.twice(1))"],
        env={**os.environ, "PYTHONPATH": search, "NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    beyond, twice = map(int, done.stdout.split())
    return beyond, twice, {path.name for path in cache.rglob("*.nbc")}


def test_a_constant_changed_in_another_module_is_compiled_anew(tmp_path):
    pytest.importorskip("numba")
    (tmp_path / "compiled.py").write_text(COMPILED)
    assert _run(tmp_path, 1)[:2] == (2, 4)
    assert _run(tmp_path, 7)[:2] == (8, 16)


def test_what_did_not_change_is_taken_from_the_cache(tmp_path):
    pytest.importorskip("numba")
    (tmp_path / "compiled.py").write_text(COMPILED)
    first = _run(tmp_path, 1)
    assert first[2]
    assert _run(tmp_path, 1) == first


def test_what_lies_on_the_disk_is_known_without_loading_anything(tmp_path, monkeypatch):
    pytest.importorskip("numba")
    (tmp_path / "compiled.py").write_text(COMPILED)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    kept.cache_clear()
    try:
        assert not kept("compiled")
        _run(tmp_path, 1)
        assert not kept("compiled")  # asked once in a process: what it chose stays
        kept.cache_clear()
        assert kept("compiled")
        assert "compiled" not in sys.modules
        assert not kept("nowhere_to_be_found")
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "another"))
        kept.cache_clear()
        assert not kept("compiled")
    finally:
        kept.cache_clear()


def test_without_a_folder_of_choice_it_is_looked_for_beside_the_source(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    (tmp_path / "walked.py").write_text("")
    (tmp_path / "__pycache__").mkdir()
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    try:
        for name, found in [(f"other.f-1.{version}.nbi", False), ("walked.f-1.py30.nbi", False)]:
            (tmp_path / "__pycache__" / name).touch()
            kept.cache_clear()
            assert kept("walked") is found
        (tmp_path / "__pycache__" / f"walked.f_0a-1.{version}.nbi").touch()
        kept.cache_clear()
        assert kept("walked")
    finally:
        kept.cache_clear()


def test_a_value_whose_change_would_not_be_seen_is_refused():
    pytest.importorskip("numba")
    from ncdsurv.compiling import compile_once

    def reads_a_path(x):
        return x, ROOT

    with pytest.raises(TypeError, match="ROOT is compiled in, but is no number"):
        compile_once(reads_a_path)


def test_a_bucket_of_one_contact_or_none_needs_no_compilation_of_its_own():
    pytest.importorskip("numba")
    from ncdsurv.spells.kernel import count_changes

    def compiled() -> int:
        return len(count_changes.signatures)

    start = date(2024, 7, 1)
    months = {"first_month": month_index(start), "last_month": month_index(start) + 11, "form": "compiled"}
    bucket = layout(random_records(1, 6, CATALOG, start, 360), CATALOG)
    assert bucket.contacts.height > 1
    count_wide(bucket, CATALOG, **months)
    before = compiled()
    for contacts in (1, 0):
        count_wide(replace(bucket, contacts=bucket.contacts.head(contacts)), CATALOG, **months)
        assert compiled() == before
