"""A table on S3: its newest version is told by the names in its log, a lost one is not taken for an empty one."""

from __future__ import annotations

from functools import partial
from typing import Any

import deltalake
import pytest

from ncdsurv.errors import StoreError
from ncdsurv.registry import open_store
from ncdsurv.store import Lake
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


def test_an_entry_without_content_is_told_and_costs_no_question_more(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sizes come with what is asked for anyway: a reader lists the commits and asks for two entries."""
    from obstore.store import S3Store

    store = open_store(s3)
    store.ingest(FILES[0], source="viettel")
    place = store.lake.at("visits")
    newest = place.version()
    assert newest is not None
    asked: list[str] = []
    for name in ("get", "head", "list"):
        monkeypatch.setattr(S3Store, name, noted(name, getattr(S3Store, name), asked))
    lake = open_store(s3).lake
    lake.objects.reach()
    asked.clear()
    assert height(lake)
    assert asked == ["list", "head", "head"]

    with storage().open_output_stream(
        f"{s3.removeprefix('s3://')}/lake/visits/_delta_log/{newest:020d}.json"
    ):
        pass
    do = "do: restore the lake from a backup, or ingest the kept files anew"
    fresh = open_store(s3).lake
    for ask in (
        lake.at("visits").version,
        fresh.at("visits").version,
        *(partial(height, it) for it in (lake, fresh)),
    ):
        with pytest.raises(StoreError) as caught:
            ask()
        assert str(caught.value) == f"a table of the registry is damaged: got visits, version {newest}; {do}"


def height(lake: Lake) -> int:
    return lake.snapshot().read("visits").height


def noted(name: str, really: Any, asked: list[str]) -> Any:
    def asks(self: Any, *words: Any, **more: Any) -> Any:
        asked.append(name)
        return really(self, *words, **more)

    return asks
