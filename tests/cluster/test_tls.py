"""A cluster that speaks TLS only, set up as `docs/scale` says: real processes, and certificates made on the spot."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ncdsurv.errors import UsageError
from ncdsurv.registry import open_store
from ncdsurv.registry.encryption import VARIABLES
from tests.cluster.conftest import AS_OF, MONTHS, Hosts, environment, hashes
from tests.conftest import ROOT

SCALE = ROOT / "docs" / "scale"
ANSWERS_WITHIN = 10


def make_certificates(folder: Path) -> Path:
    """Run the documented commands: a CA, and a certificate of it."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder.mkdir()
    blocks = re.findall(r"```sh\n(.*?)```", (SCALE / "README.md").read_text("utf-8"), flags=re.DOTALL)
    commands = next(block for block in blocks if "openssl" in block)
    subprocess.run(["bash", "-ec", commands], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


def configure(at: Path, certificates: Path, others: Path | None = None) -> Path:
    """The documented configuration, its files where they are here; `others` are shown in the place of our own."""
    text = (SCALE / "tls.yaml").read_text("utf-8")
    assert text.count("/etc/ncdsurv/") == 7
    text = text.replace("/etc/ncdsurv/ca.pem", str(certificates / "ca.pem"))
    at.write_text(text.replace("/etc/ncdsurv", str(others or certificates)), encoding="utf-8")
    return at


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture
def encrypted(tmp_path: Path, certificates: Path) -> Iterator[Hosts]:
    """A scheduler that speaks TLS only."""
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    (tmp_path / "hosts").mkdir()
    found = Hosts(tmp_path / "hosts", configure(tmp_path / "tls.yaml", certificates))
    try:
        found.start_scheduler()
        yield found
    finally:
        found.end()


def first_bytes(address: str, certificates: Path, own: bool) -> bytes:
    """What the scheduler says to somebody who knows its CA, with a certificate of their own or without."""
    context = ssl.create_default_context(cafile=certificates / "ca.pem")
    context.check_hostname = False
    if own:
        context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=ANSWERS_WITHIN) as plain:
        return context.wrap_socket(plain).recv(1)


def test_a_cluster_with_tls_counts_for_those_with_a_certificate_only(
    encrypted: Hosts, certificates: Path, registry: Path, single: dict[str, str], tmp_path: Path
) -> None:
    assert encrypted.address.startswith("tls://127.0.0.1:")
    assert first_bytes(encrypted.address, certificates, own=True)
    with pytest.raises(ssl.SSLError, match="certificate required"):
        first_bytes(encrypted.address, certificates, own=False)

    strange = make_certificates(tmp_path / "strange")
    asked = str(configure(tmp_path / "strange.yaml", certificates, strange))
    encrypted.start_worker("--death-timeout", "60", DASK_CONFIG=asked)
    encrypted.wait_until_told("CERTIFICATE_VERIFY_FAILED")
    encrypted.start_worker()
    encrypted.wait_until_told("Register worker addr: tls://")

    page = (SCALE / "README.md").read_text("utf-8")
    assert all(f"{variable}=/etc/ncdsurv/" in page for variable in VARIABLES)
    files = [str(certificates / name) for name in ("ca.pem", "cert.pem", "key.pem")]
    command = [
        "-m",
        "ncdsurv.cli",
        "build",
        "--store",
        str(registry),
        "--as-of",
        AS_OF,
        "--months",
        str(MONTHS),
    ]
    build = subprocess.run(
        [sys.executable, *command, "--scheduler", encrypted.address],
        env=environment(**dict(zip(VARIABLES, files, strict=True))),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert build.returncode == 0, build.stderr
    release = open_store(registry).releases.latest()
    assert hashes(release.folder) == single
    counted = (encrypted.folder / "log2.txt").read_text("utf-8")
    assert "Run out-of-band function '_introduce'" in counted  # asked over TLS, not counted on this machine
    assert (encrypted.folder / "log0.txt").read_text("utf-8").count("Register worker addr") == 1


NEEDED = (
    "do: name the files in DASK_DISTRIBUTED__COMM__TLS__CA_FILE, DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT, "
    "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY, or in Dask's configuration"
)


@pytest.mark.parametrize(
    ("settings", "address", "told"),
    [
        (
            {},
            "tls://127.0.0.1:9",
            f"a scheduler with TLS needs certificates on this side too: got no certificates; {NEEDED}",
        ),
        (
            {"distributed.comm.default-scheme": "tls"},
            "127.0.0.1:9",
            f"a scheduler with TLS needs certificates on this side too: got no certificates; {NEEDED}",
        ),
        (
            {"distributed.comm.tls.ca-file": "/no", "distributed.comm.tls.client.cert": "/no"},
            "tls://127.0.0.1:9",
            "a scheduler with TLS needs certificates on this side too: got files that cannot be read "
            f"(FileNotFoundError); {NEEDED}",
        ),
        (
            {"distributed.comm.require-encryption": True},
            "tcp://127.0.0.1:9",
            "Dask's configuration requires encryption: got tcp://127.0.0.1:9; allowed: tls://HOST:8786; do: give "
            "the scheduler's tls address, or change distributed.comm.require-encryption",
        ),
    ],
)
def test_what_is_missing_for_tls_is_told_at_once(
    registry: Path, settings: dict[str, Any], address: str, told: str
) -> None:
    dask = pytest.importorskip("dask", reason="the extra `cluster` is not installed")
    with dask.config.set(settings), pytest.raises(UsageError) as caught:
        open_store(registry).build_release(AS_OF, MONTHS, scheduler=address)
    assert str(caught.value) == told
