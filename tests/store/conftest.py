"""An empty bucket for each test, on an S3 server of this machine."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import environment, hosts  # noqa: F401
from tests.conftest import ROOT, SAMPLES
from tests.few_definitions import few_indicators

FILES = sorted((SAMPLES / "viettel").iterdir())[:2]
SECRET = "a-secret-that-no-message-may-show"
REGION = "us-east-1"
PATIENCE = 60  # seconds: a busy machine is no failure
_number = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of the server; each test has a bucket of its own there."""
    pytest.importorskip("moto.server", reason="moto[server] is not installed")
    pytest.importorskip("obstore", reason="the extra `cluster` is not installed")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.server"],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(30)


@pytest.fixture
def s3(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of a registry that does not exist yet, in a bucket of its own; all it needs is in the environment."""
    return fresh_address(server, tmp_path / "here", monkeypatch)


@pytest.fixture
def few() -> Iterator[None]:
    """A few of the indicators: for a test of what stands where, not of all numbers."""
    with few_indicators():
        yield


def fresh_address(server: str, here: Path, patch: pytest.MonkeyPatch) -> str:
    """Address of a registry in a new bucket, and in the environment what it needs."""
    settings = {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "an-id",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": REGION,
        "NCDSURV_LOCAL": str(here),
    }
    for name, value in settings.items():
        patch.setenv(name, value)
    bucket = f"bucket-{next(_number)}"
    storage(allow_bucket_creation=True).create_dir(bucket)
    return f"s3://{bucket}/ncd/registry"


def storage(**more: bool):  # type: ignore[no-untyped-def]
    """The server's buckets, seen by another library than the one that is tested."""
    from pyarrow.fs import S3FileSystem

    return S3FileSystem(
        endpoint_override=os.environ["AWS_ENDPOINT_URL"],
        region=REGION,
        connect_timeout=PATIENCE,
        request_timeout=PATIENCE,
        **more,
    )


def objects_under(address: str) -> dict[str, bytes]:
    """Every object under an address: path below it -> content."""
    from pyarrow.fs import FileSelector, FileType

    root = address.removeprefix("s3://")
    files = storage()
    found = files.get_file_info(FileSelector(root, recursive=True, allow_not_found=True))
    paths = sorted(info.path for info in found if info.type == FileType.File)
    return {path.removeprefix(f"{root}/"): files.open_input_stream(path).read() for path in paths}
