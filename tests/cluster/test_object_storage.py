"""The exchange on S3, spoken by a local server: a build over it, and what must never stand in a message."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.errors import StoreError, UsageError
from ncdsurv.registry import open_store
from ncdsurv.registry.exchange import Exchange
from tests.cluster.conftest import AS_OF, MONTHS, Hosts, hashes

SECRET = "a-secret-that-no-message-may-show"
BUCKET = "registry"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 server with one empty bucket, and its credentials in the environment; gives the address of a prefix."""
    pytest.importorskip("moto.server", reason="moto[server] is not installed")
    from moto.server import ThreadedMotoServer
    from pyarrow.fs import S3FileSystem

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "an-id",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    files = S3FileSystem(
        endpoint_override=settings["AWS_ENDPOINT_URL"], region="us-east-1", allow_bucket_creation=True
    )
    files.create_dir(BUCKET)
    yield f"s3://{BUCKET}/counts"
    server.stop()


def left_in_the_exchange() -> list[str]:
    from pyarrow.fs import FileSelector, FileType, S3FileSystem

    files = S3FileSystem(endpoint_override=os.environ["AWS_ENDPOINT_URL"], region="us-east-1")
    found = files.get_file_info(FileSelector(BUCKET, recursive=True))
    return [info.path for info in found if info.type == FileType.File]


def test_objects_are_written_once_read_back_and_checked(s3: str) -> None:
    exchange = Exchange(s3)
    frame = pl.DataFrame({"month": [1, 2], "seen": [3, 4]})
    name = exchange.put_frame("counts", frame)
    assert exchange.put_frame("counts", frame) == name
    assert Exchange(s3 + "/").get_frame(name).equals(frame)
    exchange._write(name, b"something else")
    with pytest.raises(StoreError, match=f"^an object of the exchange was changed: got {name}"):
        exchange.get(name)
    exchange.remove(name)
    with pytest.raises(StoreError, match="^the exchange cannot be read or written: got s3://registry/counts"):
        exchange.get(name)


def test_a_build_over_object_storage_is_the_build_of_one_machine(
    s3: str, hosts: Hosts, registry: Path, single: dict[str, str]
) -> None:
    hosts.start_worker(**os.environ)
    hosts.start_worker(**os.environ)
    hosts.wait_for(2)
    store = open_store(registry)
    release = store.build_release(AS_OF, MONTHS, scheduler=hosts.address, exchange=s3)
    assert hashes(release.folder) == single
    logs = "".join(path.read_text("utf-8") for path in hosts.folder.glob("log*.txt"))
    assert "Starting established connection" in logs
    assert SECRET not in logs
    assert not (registry / "exchange").exists()
    assert left_in_the_exchange() == []


def test_a_worker_that_cannot_reach_the_exchange_is_told_before_anything_is_counted(
    s3: str, hosts: Hosts, registry: Path
) -> None:
    hosts.start_worker(AWS_SECRET_ACCESS_KEY=SECRET, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    hosts.wait_for(1)
    with pytest.raises(StoreError) as caught:
        open_store(registry).build_release(AS_OF, MONTHS, scheduler=hosts.address, exchange=s3)
    assert str(caught.value) == (
        f"a worker cannot reach the exchange: got {s3}; do: give a place that all machines reach "
        "(--exchange s3://BUCKET/PREFIX), and the workers the credentials and endpoint in their environment"
    )


def test_storage_that_refuses_is_told_without_a_credential(s3: str) -> None:
    with pytest.raises(StoreError) as caught:
        Exchange("s3://no-such-bucket/prefix").put("counts", b"1")
    assert str(caught.value).startswith(
        "the exchange cannot be read or written: got s3://no-such-bucket/prefix ("
    )
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "uri",
    [
        f"s3://id:{SECRET}@bucket/prefix",
        f"s3://bucket/prefix?access_key=id&secret_key={SECRET}",
        f"abfs://:{SECRET}@account/container",
        f"abfss://container@account/prefix?sv=2024&sig={SECRET}",
        f"gs://bucket/prefix?Token={SECRET}",
    ],
)
def test_an_address_with_credentials_is_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        Exchange(uri)
    assert str(caught.value) == (
        f"an address must not hold credentials: got {uri.partition(':')[0]}://...; do: set them in the environment "
        "(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
    )


def test_an_address_of_another_kind() -> None:
    with pytest.raises(UsageError) as caught:
        Exchange("ftp://host/folder")
    assert str(caught.value) == "unknown kind of exchange: got ftp://; allowed: s3, gs, abfs, abfss, file"
