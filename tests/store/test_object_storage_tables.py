"""A table on S3: its newest version is told by the names in its log, a lost one is not taken for an empty one."""

from __future__ import annotations

from typing import Any

import deltalake
import pytest

from ncdsurv.errors import StoreError
from ncdsurv.registry import open_store
from tests.store.conftest import FILES, storage


def test_a_version_is_opened_once_and_a_lost_table_is_told(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(s3)
    kept = store.ingest(FILES[0], source="viettel").kept
    opened: list[str] = []
    whole = deltalake.DeltaTable.__init__

    def noted(self: Any, uri: str, *words: Any, **more: Any) -> None:
        opened.append(uri)
        whole(self, uri, *words, **more)

    monkeypatch.setattr(deltalake.DeltaTable, "__init__", noted)
    lake = open_store(s3).lake
    assert lake.at("visits").version() == lake.snapshot().versions["visits"]
    assert [lake.snapshot().read("visits").height for _ in range(3)] == [kept] * 3
    assert opened == [f"{s3}/lake/commits", f"{s3}/lake/visits"]

    storage().delete_dir(f"{s3.removeprefix('s3://')}/lake/visits/_delta_log")
    for reader in (lake, open_store(s3).lake):
        assert reader.at("visits").version() is None
        with pytest.raises(StoreError, match="^a table of the registry is damaged: got visits, version"):
            reader.snapshot().read("visits")
