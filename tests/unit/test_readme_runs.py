"""What the README shows, runs: its Python, its commands and its HTTP question, on the sample registry."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from ncdsurv.cli import run
from tests.conftest import ROOT, SAMPLES

if TYPE_CHECKING:
    from ncdsurv.registry import Store

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def _lines(language: str, word: str) -> list[str]:
    lines = [
        line.split("  #")[0].strip()
        for kind, text in BLOCKS
        if kind == language
        for line in text.splitlines()
    ]
    return [line for line in lines if line.split(" ")[0] == word]


def test_every_block_of_the_readme_is_of_a_kind_that_is_run_here() -> None:
    assert {kind for kind, _ in BLOCKS if kind != "text"} == {"sh", "python"}
    words = {
        line.split(" ")[0] for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if line
    }
    assert words == {"make", "ncdsurv", "curl"}


def test_the_make_targets_of_the_readme_exist() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    wanted = [line.split()[1] for line in _lines("sh", "make")]
    assert wanted
    assert set(wanted) <= set(targets)


@pytest.mark.parametrize("code", [text for kind, text in BLOCKS if kind == "python"])
def test_the_notebook_example_runs(
    sample_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "registry").symlink_to(sample_store.folder)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert {"rates", "spells"} & names.keys()


def test_the_http_question_is_answered(sample_store: Store) -> None:
    from starlette.testclient import TestClient

    from ncdsurv.api import create_app

    client = TestClient(create_app(sample_store.releases, insecure_dev=True))
    for line in _lines("sh", "curl"):
        address = urlsplit(shlex.split(line)[-1])
        answer = client.get(f"{address.path}?{address.query}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]


def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(SAMPLES, tmp_path / "exports")
    monkeypatch.chdir(tmp_path)
    ran = []
    for line in _lines("sh", "ncdsurv"):
        words = shlex.split(line)[1:]
        if words[0] in {"serve", "key"}:
            continue  # the service itself is started in tests/packaging
        if words[0] == "report":
            words.append("--dry-run")  # the reports are run in tests/reports
        assert run(words) == 0, line
        ran.append(words[0])
    assert ran == ["ingest", "build", "report", "form"]
    assert (tmp_path / "bieu12.xlsx").is_file()
