"""A full, read-only or broken disk: one line, exit 3, nothing lost, and the command run again completes it."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncdsurv.registry import open_store
from tests.faults.harness import FIRST, LONG, SECOND, Case, Killer, command, copy_store
from tests.faults.killer import QUIET

CASES = [
    Case("ingest", "one", "ingest", {"paths": str(SECOND), "source": "moh_ncd_excel"}),
    Case("link", "two", "link"),
]
INGEST = ["ingest", str(SECOND), "--source", "moh_ncd_excel", "--store"]


@pytest.mark.parametrize(
    "case", CASES if LONG else CASES[:1], ids=[case.name for case in (CASES if LONG else CASES[:1])]
)
@pytest.mark.parametrize("fault", ["EIO", "ENOSPC"] if LONG else ["EIO"])
def test_a_fault_at_any_step_is_one_line_and_loses_nothing(
    case: Case, fault: str, killer: Killer, bases: dict[str, Path], stores: Path
) -> None:
    whole = killer.ask(copy_store(bases[case.base], stores / "whole"), look=True, count=True, **case.request)
    steps = [
        n for n, name in enumerate(whole["steps"], 1) if name not in QUIET or (fault == "EIO" and n % 9 == 0)
    ]

    def broken(at: int) -> str | None:
        where = f"step {at} ({whole['steps'][at - 1]})"
        store = copy_store(bases[case.base], stores / f"at{at}")
        failed = killer.ask(store, at=at, fault=fault, **case.request)
        if failed["status"] not in (0, 3) or "\n" in failed.get("error", ""):  # 0: only tidying up failed
            return f"{where}: not refused in one line: {failed}"
        if failed["status"] == 3 and os.strerror(28 if fault == "ENOSPC" else 5) not in failed["error"]:
            return f"{where}: does not say what the disk said: {failed}"
        again = killer.ask(store, look=True, **case.request)
        if again["before"] not in (whole["before"], whole["after"]):
            return f"{where}: a reader sees neither the state before nor the one after"
        return None if again["after"] == whole["after"] else f"{where}: run again, it differs"

    assert killer.map(broken, steps) == []


def refused_in_one_line(done: subprocess.CompletedProcess[str], *said: str) -> None:
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 3, done
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("ncdsurv: ")
    assert any(word in lines[0] for word in said), lines[0]


def test_files_that_may_not_grow_stop_the_command_and_running_it_again_completes_it(
    bases: dict[str, Path], tmp_path: Path
) -> None:
    store = copy_store(bases["one"], tmp_path / "store")
    before = open_store(store).lake.snapshot()

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = command([*INGEST, str(store)], preexec_fn=small_files)
    refused_in_one_line(done, "File too large")
    assert open_store(store).lake.snapshot() == before or (
        open_store(store).lake.snapshot().versions == before.versions
    )
    assert command([*INGEST, str(store)]).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB, where the system lets us have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as out:
        while out.write(b"0" * 4096):
            pass


def test_a_full_disk_stops_the_command_and_room_lets_it_complete(small_disk: Path) -> None:
    store = small_disk / "store"
    assert command(["ingest", str(FIRST), "--source", "viettel", "--store", str(store)]).returncode == 0
    before = open_store(store).lake.snapshot().versions
    filler = small_disk / "filler"
    fill(filler)
    refused_in_one_line(command([*INGEST, str(store)]), "No space left")
    assert open_store(store).lake.snapshot().versions == before
    filler.unlink()
    done = command([*INGEST, str(store)])
    assert done.returncode == 0, done
    assert len(open_store(store).lake.snapshot().read("ingest_log")) == 2


def test_a_disk_that_turned_read_only_stops_the_command_and_can_still_be_read(small_disk: Path) -> None:
    store = small_disk / "store"
    assert command(["ingest", str(FIRST), "--source", "viettel", "--store", str(store)]).returncode == 0
    before = open_store(store).lake.snapshot().versions
    assert subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=False).returncode == 0
    refused_in_one_line(command([*INGEST, str(store)]), "Read-only", "cannot be written")
    assert open_store(store).lake.snapshot().read("visits").height > 0
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert open_store(store).lake.snapshot().versions == before
    assert command([*INGEST, str(store)]).returncode == 0


def test_a_folder_of_somebody_else_is_refused_in_one_line(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere; the read-only disk is tried instead")
    tmp_path.chmod(0o500)
    refused_in_one_line(command([*INGEST, str(tmp_path / "store")]), "cannot be written")
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("name", ["Sổ đăng ký tỉnh", "a#b"])
def test_a_registry_may_stand_under_any_name(name: str, killer: Killer, tmp_path: Path) -> None:
    request = Case("", "", "ingest", {"paths": str(FIRST), "source": "viettel"}).request
    strange = killer.ask(tmp_path / name, **request)
    plain = killer.ask(tmp_path / "plain", **request)
    assert strange["status"] == 0, strange
    assert strange["after"] == plain["after"]
    linked = killer.ask(tmp_path / name, verb="link", arguments={})
    assert linked["status"] == 0, linked


def test_a_name_that_the_tables_cannot_stand_under_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    for name in ("a%20b", "a[b]"):
        refused_in_one_line(command([*INGEST, str(tmp_path / name)]), "cannot stand under this name")
        assert not (tmp_path / name).exists()
