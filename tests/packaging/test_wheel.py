"""The wheel alone, in an empty environment away from the checkout, gives a working demo and service."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = shutil.which("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    code = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", code, str(out)], cwd=ROOT, check=True, capture_output=True, timeout=120
    )
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of a fresh environment with the wheel and what it declares, at the locked versions."""
    if UV is None:
        pytest.skip("uv is not on PATH (make installs it)")
    folder = tmp_path_factory.mktemp("empty")
    python = folder / "venv" / "bin" / "python"
    run = {"check": True, "timeout": 300, "cwd": folder}
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, str(python.parents[1])], **run)
    lock = ROOT / "requirements.lock"
    pins = folder / "pins.txt"
    lines = lock.read_text(encoding="utf-8").splitlines()
    pins.write_text("\n".join(line.rstrip("\\ ") for line in lines if "==" in line), encoding="utf-8")
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--python", str(python), "--constraints", str(pins), str(wheel)],
        **run,
    )
    _link_bytecode(next(python.parents[1].glob("lib/*/site-packages")))
    return python


def _link_bytecode(there: Path) -> None:
    """Give the same files the bytecode they have here, so that not everything is compiled anew.

    The interpreter takes it only where a source has the date and size it was compiled from. What the wheel itself
    brings is compiled from the wheel.
    """
    here = Path(sysconfig.get_path("purelib"))
    for cache in here.rglob("__pycache__"):
        within = cache.relative_to(here)
        target = there / within
        if within.parts[0] != "ncdsurv" and target.parent.is_dir() and not target.exists():
            shutil.copytree(cache, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def test_the_wheel_carries_what_it_needs_and_nothing_at_top_level_but_ncdsurv(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ncdsurv"}
    for needed in (
        "ncdsurv/catalog/definitions/diseases.toml",
        "ncdsurv/notebooks/province_report.ipynb",
        "ncdsurv/reference/builtin/pack.toml",
        "ncdsurv/api/__init__.py",
    ):
        assert needed in names


@pytest.fixture(scope="module")
def demo(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("away")
    command = [str(installed.parent / "ncdsurv"), "demo", "--out", "out", "--patients", "400"]
    command += ["--lang", "en"]  # the reports of the samples are made in Vietnamese (`sample_reports`)
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=480, env=_environment()
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder / "out"


def test_the_demo_of_the_installed_wheel_writes_reports_overview_site_form_and_release(demo: Path) -> None:
    assert len(list(demo.rglob("province_report*.html"))) >= 6
    assert len(list(demo.rglob("national_overview*.html"))) >= 1
    assert (demo / "site" / "index.html").is_file()
    assert list(demo.rglob("*.xlsx"))
    assert len(list(demo.rglob("releases/*/manifest.json"))) == 1


@pytest.fixture(scope="module")
def address(installed: Path, demo: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = next(demo.rglob("releases")).parent
    command = [str(installed.parent / "ncdsurv"), "serve", "--store", str(store), "--port", str(port)]
    process = subprocess.Popen([*command, "--insecure-dev"], cwd=demo, env=_environment())
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=2)
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, "the service ended"
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_the_service_of_the_installed_wheel_answers(address: str) -> None:
    with urllib.request.urlopen(f"{address}/v1/releases", timeout=20) as answer:
        assert answer.status == 200
        assert json.load(answer)


def _environment() -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    return {**kept, "PYTHONNOUSERSITE": "1"}
