from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ncdsurv.errors import StoreError
from ncdsurv.store.atomic import (
    FETCHING,
    TEMPORARY,
    exclusive,
    new_folder,
    sweep_fetched,
    sweep_temporary,
    write_whole,
)


def test_a_file_written_whole_has_its_content_and_mode_and_leaves_nothing_beside_it(tmp_path):
    target = tmp_path / "manifest.json"
    write_whole(target, b"one")
    write_whole(target, b"two", mode=0o600)
    assert target.read_bytes() == b"two"
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_write_that_fails_at_any_step_leaves_the_old_content(tmp_path, monkeypatch, step):
    target = tmp_path / "key"
    write_whole(target, b"old")

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="no space"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_folder_appears_only_when_its_block_ends_well(tmp_path):
    def break_off() -> None:
        with new_folder(tmp_path / "releases" / "a") as folder:
            (folder / "half").write_text("x")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        break_off()
    assert list((tmp_path / "releases").iterdir()) == []
    with new_folder(tmp_path / "releases" / "a") as folder:
        (folder / "whole").write_text("x")
        assert not (tmp_path / "releases" / "a").exists()
    assert [path.name for path in (tmp_path / "releases" / "a").iterdir()] == ["whole"]


def test_what_an_interrupted_write_left_is_swept_and_nothing_else(tmp_path):
    (tmp_path / f"{TEMPORARY}half").write_text("x")
    (tmp_path / f"{TEMPORARY}folder").mkdir()
    (tmp_path / "kept").write_text("x")
    assert sweep_temporary(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert sweep_temporary(tmp_path / "absent") == 0


def test_a_second_writer_is_told_to_wait_and_a_dead_one_frees_the_lock(tmp_path):
    lock = tmp_path / ".lock"
    code = (
        "import sys; from pathlib import Path; from ncdsurv.store.atomic import exclusive\n"
        "with exclusive(Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "held"
        with pytest.raises(StoreError, match="written by another process"), exclusive(lock):
            pass
        other.kill()
    with exclusive(lock):
        assert lock.exists()


def test_what_a_reader_is_copying_is_left_alone_until_it_is_a_day_old(tmp_path):
    fresh, old = (tmp_path / f"{FETCHING}{name}" for name in ("fresh", "old"))
    for folder in (fresh, old):
        folder.mkdir()
        (folder / "values.parquet").write_bytes(b"half")
    two_days_ago = fresh.stat().st_mtime - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    assert sweep_temporary(tmp_path) == 0
    sweep_fetched(tmp_path)
    sweep_fetched(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == [fresh]
