from __future__ import annotations

import pytest

from ncdsurv.errors import StoreError
from ncdsurv.store.vault import KEY_FILE_VARIABLE, Vault, key_id


def test_a_new_store_gets_a_key_that_only_its_owner_can_read(tmp_path):
    vault = Vault(tmp_path / "vault")
    key = vault.key(None)
    assert len(key) == 32
    assert vault.key(key_id(key)) == key
    assert vault.key_file.stat().st_mode & 0o777 == 0o600
    assert vault.folder.stat().st_mode & 0o777 == 0o700


def test_the_key_may_lie_outside_the_data(tmp_path, monkeypatch):
    outside = tmp_path / "elsewhere" / "ncdsurv.key"
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(outside))
    Vault(tmp_path / "vault").key(None)
    assert outside.is_file()
    assert not (tmp_path / "vault" / "key").exists()


def test_a_lost_key_is_an_error_and_no_new_one_is_made_in_its_place(tmp_path):
    vault = Vault(tmp_path / "vault")
    name = key_id(vault.key(None))
    vault.key_file.unlink()
    with pytest.raises(StoreError, match="key of this registry is missing"):
        vault.key(name)
    assert not vault.key_file.exists()


def test_another_key_is_refused_by_its_public_name(tmp_path):
    vault = Vault(tmp_path / "vault")
    vault.key(None)
    with pytest.raises(StoreError, match="not the key of this registry") as caught:
        vault.key("another")
    assert vault.key_file.read_text().strip() not in str(caught.value)


def test_a_key_that_others_can_read_is_refused(tmp_path):
    vault = Vault(tmp_path / "vault")
    vault.key(None)
    vault.key_file.chmod(0o644)
    with pytest.raises(StoreError, match="others can read the key file"):
        vault.key(None)


def test_a_rotation_that_was_interrupted_after_its_commit_is_finished_on_the_next_open(tmp_path):
    vault = Vault(tmp_path / "vault")
    old = vault.key(None)
    new = vault.prepare_next_key()
    assert vault.key(key_id(old)) == old  # before the commit the old key still counts
    assert vault.key(key_id(new)) == new  # after it the waiting one is put in its place
    assert not vault.next_key_file.exists()
    assert vault.key(key_id(new)) == new
