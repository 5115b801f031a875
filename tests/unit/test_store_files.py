from __future__ import annotations

import hashlib

import pytest

from ncdsurv.errors import InputError, StoreError
from ncdsurv.store import KeptFiles


def test_a_file_is_kept_verbatim_read_only_by_its_hash(tmp_path):
    received = tmp_path / "thang_6.xlsx"
    received.write_bytes(b"PK\x03\x04 rows")
    kept = KeptFiles(tmp_path / "files")
    sha = kept.keep(received)
    assert sha == hashlib.sha256(b"PK\x03\x04 rows").hexdigest()
    assert kept.open_path(sha) == tmp_path / "files" / sha[:2] / sha
    assert kept.open_path(sha).read_bytes() == b"PK\x03\x04 rows"
    assert kept.path(sha).stat().st_mode & 0o777 == 0o400
    assert kept.folder.stat().st_mode & 0o777 == 0o700


def test_the_same_bytes_under_another_name_are_kept_once(tmp_path):
    kept = KeptFiles(tmp_path / "files")
    hashes = set()
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(b"same")
        hashes.add(kept.keep(tmp_path / name))
    assert len(hashes) == 1
    assert sum(path.is_file() for path in kept.folder.rglob("*")) == 1


def test_a_kept_file_that_was_changed_or_lost_is_named(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    kept = KeptFiles(tmp_path / "files")
    sha = kept.keep(tmp_path / "a")
    kept.path(sha).chmod(0o600)
    kept.path(sha).write_bytes(b"two")
    with pytest.raises(StoreError, match="was changed"):
        kept.open_path(sha)
    kept.path(sha).unlink()
    with pytest.raises(StoreError, match="is missing"):
        kept.open_path(sha)


def test_a_file_that_is_not_there_is_an_input_error(tmp_path):
    kept = KeptFiles(tmp_path / "files")
    with pytest.raises(InputError, match="file not found: got absent.xlsx"):
        kept.keep(tmp_path / "absent.xlsx")
    assert list(kept.folder.iterdir()) == []
