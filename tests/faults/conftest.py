"""Stores that the tests of this folder break, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import FIRST, SECOND, Killer, copy_store, folder_in_memory, small_pack


@pytest.fixture(scope="session")
def killer() -> Iterator[Killer]:
    processes = Killer()
    yield processes
    processes.close()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Path]:
    """Where the stores of one test stand: in memory where there is room."""
    with folder_in_memory(tmp_path) as folder:
        yield folder


@pytest.fixture(scope="session")
def packs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two editions of one reference pack."""
    folder = tmp_path_factory.mktemp("packs")
    return small_pack(folder / "first", 1000), small_pack(folder / "second", 2000)


@pytest.fixture(scope="session")
def bases(
    tmp_path_factory: pytest.TempPathFactory, killer: Killer, packs: tuple[Path, Path]
) -> dict[str, Path]:
    """Name -> store: none at all, one file, two files, two files linked, one with a pack."""
    folder = tmp_path_factory.mktemp("bases")

    def grown(base: str, name: str, verb: str, **arguments: object) -> None:
        copy_store(folder / base, folder / name)
        answer = killer.ask(folder / name, verb=verb, arguments=arguments)
        assert answer["status"] == 0, answer

    grown("none", "one", "ingest", paths=str(FIRST), source="viettel")
    grown("one", "two", "ingest", paths=str(SECOND), source="moh_ncd_excel")
    grown("two", "linked", "link")
    grown("one", "with_pack", "add_reference", folder=str(packs[0]))
    return {name: folder / name for name in ("none", "one", "two", "linked", "with_pack")}
