"""A registry on S3 when things go wrong: storage that refuses or is lost, addresses of none, a folder mixed up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import polars as pl
import pytest

from ncdsurv.cli import run
from ncdsurv.errors import StoreError, UsageError
from ncdsurv.registry import linking, open_store
from ncdsurv.store.delta_objects import ObjectTable
from ncdsurv.store.objects import Objects
from ncdsurv.store.place import claim
from tests.store.conftest import FILES, SECRET, objects_under

ASKS = (
    "check the address, and the credentials and endpoint in the environment of this machine; nothing is lost"
)


def test_an_object_is_fetched_block_by_block_and_put_only_once(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ncdsurv.store.objects.BLOCK", 3)
    there = Objects(s3)
    for name, content in (("a/long", b"ten bytes."), ("a/empty", b""), ("a/even", b"sixsix")):
        there.put(name, content)
        assert there.fetch(name, tmp_path / Path(name).name)
        assert (tmp_path / Path(name).name).read_bytes() == content
        assert not there.put_new(name, b"other")
        assert there.get(name) == content
    assert not there.fetch("a/none", tmp_path / "none")
    assert there.get("a/none") is None
    assert there.put_new("b/new", b"new")
    assert there.has("b/new")
    assert not there.has("b")
    assert there.folders("") == ["a", "b"]


def test_storage_that_writes_over_what_exists_is_refused(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def over(self: Objects, name: str, content: bytes) -> bool:
        self.put(name, content)
        return True

    monkeypatch.setattr(Objects, "put_new", over)
    with pytest.raises(StoreError) as caught:
        open_store(s3).ingest(FILES, source="viettel")
    assert str(caught.value) == (
        f"this object storage writes over what exists: got {s3}; allowed: storage that honours If-None-Match; "
        "do: choose another, or a newer version of it; two writers could not be kept apart"
    )
    assert set(objects_under(s3)) == {"registry.json"}


def test_a_folder_of_another_registry_is_refused_and_left_alone(s3: str, tmp_path: Path) -> None:
    here = tmp_path / "here"
    open_store(s3).ingest(FILES[0], source="viettel")
    told = (
        f"the folder on this machine belongs to another registry: got {here}; do: name in NCDSURV_LOCAL the folder "
        "that this registry was written with, or an empty one for a new registry at an empty address"
    )
    vault = {path: path.read_bytes() for path in (here / "vault").rglob("*") if path.is_file()}
    for address in (f"{s3}-2", f"{s3}-3"):
        if address.endswith("3"):  # one that exists
            open_store(address, local=tmp_path / "other").ingest(FILES[1], source="viettel")
        with pytest.raises(StoreError) as caught:
            open_store(address).ingest(FILES[1], source="viettel")
        assert str(caught.value) == told
    disk = tmp_path / "disk"
    open_store(disk).ingest(FILES[0], source="viettel")
    with pytest.raises(
        StoreError, match=f"^the folder on this machine belongs to another registry: got {disk};"
    ):
        open_store(f"{s3}-3", local=disk).link()
    assert vault == {path: path.read_bytes() for path in (here / "vault").rglob("*") if path.is_file()}
    claim(Objects(s3), here)


def test_an_address_without_a_folder_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NCDSURV_LOCAL", raising=False)
    assert run(["release", "list", "--store", "s3://bucket/registry"]) == 2
    assert capsys.readouterr().err == (
        "ncdsurv: a registry on object storage needs a folder on this machine: got no NCDSURV_LOCAL; do: name one, "
        "closed to others, in NCDSURV_LOCAL: the vault with its key, the files as received and scratch stay there\n"
    )


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (
            f"s3://id:{SECRET}@bucket/registry",
            "an address must not hold credentials: got s3://...; do: set them in the environment "
            "(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
        ),
        ("ftp://host/registry", "unknown kind of registry: got ftp://; allowed: s3, gs, abfs, abfss"),
        (
            "s3://bucket/sổ bộ",
            "a registry cannot stand at this address: got s3://bucket/sổ bộ; "
            "allowed: s3://BUCKET/PREFIX of letters, digits, dots, dashes and underscores",
        ),
        (
            "s3://bucket/registry?version=2",
            "a registry cannot stand at this address: got s3://bucket/registry; "
            "allowed: s3://BUCKET/PREFIX of letters, digits, dots, dashes and underscores",
        ),
    ],
)
def test_addresses_that_are_none_of_a_registry(address: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(address, local=tmp_path)
    assert str(caught.value) == told


class Refusing(BaseHTTPRequestHandler):
    """Answers every request as S3 does a wrong signature, and repeats what it was given."""

    body: ClassVar[str] = (
        "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message>"
        f"<AWSAccessKeyId>an-id</AWSAccessKeyId><SecretKey>{SECRET}</SecretKey></Error>"
    )

    def do_GET(self) -> None:
        self.send_response(403)
        self.end_headers()
        self.wfile.write(self.body.encode())

    do_PUT = do_HEAD = do_GET

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[str]:
    pytest.importorskip("obstore", reason="the extra `cluster` is not installed")
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def refused(address: str) -> str:
    """The one sentence that reading and writing both end with."""
    told = set()
    store = open_store(address)
    for ask in (store.releases.ids, lambda: store.ingest(FILES, source="viettel"), lambda: store.packs):
        with pytest.raises(StoreError) as caught:
            ask()
        told.add(str(caught.value))
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None
    assert len(told) == 1
    return told.pop()


def test_an_absent_bucket_is_told(s3: str) -> None:
    address = "s3://no-such-bucket/registry"
    told = "the object storage cannot be read or written"
    assert refused(address) == f"{told}: got {address} (NoSuchBucket); do: {ASKS}"


def test_wrong_credentials_are_told_and_not_repeated(
    s3: str, refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", refusing)
    told = "the object storage cannot be read or written"
    assert refused(s3) == f"{told}: got {s3} (SignatureDoesNotMatch); do: {ASKS}"


def test_storage_that_does_not_answer_is_told(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    told = "the object storage cannot be read or written"
    assert refused(s3) == f"{told}: got {s3} (no answer); do: {ASKS}"


def test_storage_lost_while_a_registry_is_written_is_told(
    s3: str, refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the tables' library and the frames say of the storage is not repeated either."""
    store = open_store(s3)
    store.ingest(FILES, source="viettel")
    seen = store.lake.snapshot().number
    told = f"the object storage cannot be read or written: got {s3} (SignatureDoesNotMatch); do: {ASKS}"

    whole = linking.link_records

    def lost(*words: Any) -> Any:
        assert store.objects is not None
        store.objects.options["aws_endpoint"] = refusing
        return whole(*words)

    with monkeypatch.context() as patch:
        patch.setattr(linking, "link_records", lost)
        with pytest.raises(StoreError) as caught:
            store.link()
        assert str(caught.value) == told
        assert caught.value.__cause__ is None
    options = {**open_store(s3).objects.options, "aws_endpoint": refusing}

    def unread(table: ObjectTable, version: int) -> pl.LazyFrame:
        return pl.scan_parquet(f"{s3}/lake/a.parquet", storage_options=options, credential_provider=None)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectTable, "scan", unread)
        with pytest.raises(StoreError) as caught:
            open_store(s3).link()
        assert str(caught.value) == told
        assert caught.value.__cause__ is None
    assert open_store(s3).lake.snapshot().number == seen


def test_without_the_library_of_the_extra(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(UsageError) as caught:
        open_store(s3).releases.ids()
    assert str(caught.value) == (
        "a registry on object storage needs a library that is not installed: got obstore; "
        "do: pip install 'ncdsurv[cluster]'"
    )
