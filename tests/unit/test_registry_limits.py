"""What a reading process may hold: the limits follow from what it holds at rest, on any machine."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncdsurv.registry import limits
from ncdsurv.registry.limits import PEAK_BYTES, AtRest, frugal, seconds_for, too_large

MB = 1 << 20
sizes = st.integers(0, 2000 * MB)


def test_the_sizes_of_a_process_at_rest_are_read_from_its_status() -> None:
    status = (
        "Name:\tpython\nVmSize:\t  411000 kB\nVmRSS:\t   80000 kB\nVmExe:\t       4 kB\nVmLib:\t  157000 kB\n"
    )
    assert AtRest.read(status) == AtRest(411_000 << 10, 80_000 << 10, 157_004 << 10)
    with pytest.raises(ValueError, match="no sizes"):
        AtRest.read("Name:\tpython\n")


@pytest.mark.parametrize("resident", [80, 145, 300])
def test_a_process_that_is_larger_at_rest_may_grow_by_less(resident: int) -> None:
    space, data = AtRest(virtual=700 * MB, resident=resident * MB, code=160 * MB).bounds(PEAK_BYTES)
    assert space - 700 * MB + resident * MB == PEAK_BYTES
    assert data == PEAK_BYTES - 160 * MB


@given(sizes, sizes, sizes, sizes, sizes)
def test_whatever_a_process_maps_and_touches_the_peak_holds(
    resident: int, aside: int, code: int, mapped: int, data_at_rest: int
) -> None:
    """Data and code touched in full stay below the peak; so does what is mapped later on top of what is resident."""
    rest = AtRest(virtual=resident + aside, resident=resident, code=code)
    space, data = rest.bounds(PEAK_BYTES)
    grown = min(mapped, space - rest.virtual)
    assert resident + grown <= max(PEAK_BYTES, resident)
    assert min(data_at_rest + mapped, data) + code <= max(PEAK_BYTES, code)


def test_the_peak_leaves_room_below_a_gigabyte_for_a_stack_and_a_late_library() -> None:
    assert PEAK_BYTES + 64 * MB <= 1024 * MB


def test_both_limits_are_set_and_never_raised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("VmSize:\t400 kB\nVmRSS:\t100 kB\nVmLib:\t150 kB\n")
    asked: dict[int, tuple[int, int]] = {}
    hard = {resource.RLIMIT_DATA: 300 << 10}
    monkeypatch.setattr(limits, "_STATUS", status)
    monkeypatch.setattr(limits.resource, "getrlimit", lambda kind: (-1, hard.get(kind, -1)))
    monkeypatch.setattr(limits.resource, "setrlimit", asked.__setitem__)
    limits.limit_memory(900 << 10)
    assert asked[resource.RLIMIT_AS] == (1200 << 10, -1)
    assert asked[resource.RLIMIT_DATA] == (300 << 10, 300 << 10)
    assert asked[resource.RLIMIT_CORE] == (0, 0)


def test_where_no_size_is_told_nothing_is_limited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(limits, "_STATUS", tmp_path / "none")
    monkeypatch.setattr(limits.resource, "setrlimit", asked.__setitem__)
    limits.limit_memory()
    assert set(asked) == {resource.RLIMIT_CORE}


def test_reading_processes_set_little_aside_and_find_this_package() -> None:
    found = frugal(
        {"HOME": "/home/x", "PYTHONPATH": "/elsewhere", "POLARS_MAX_THREADS": "8", "RUST_BACKTRACE": "1"}
    )
    assert found["HOME"] == "/home/x"
    assert found["POLARS_MAX_THREADS"] == found["OPENBLAS_NUM_THREADS"] == "1"
    assert found["RUST_BACKTRACE"] == "0"
    ours, theirs = found["PYTHONPATH"].split(":")
    assert (Path(ours) / "ncdsurv" / "registry").is_dir()
    assert theirs == "/elsewhere"


def test_time_grows_with_the_size_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * 5 * MB)
    assert seconds_for([path, path]) - seconds_for([]) == 30
    assert seconds_for([tmp_path / "gone"]) == seconds_for([])


def test_the_refusal_says_how_much_and_what_to_do(tmp_path: Path) -> None:
    assert str(too_large(Path("/in/a.csv"))) == (
        "a.csv needs more memory than reading may take: got a file of unknown size; allowed: 940 MB of memory; "
        "do: split it by month"
    )
    path = tmp_path / "b.csv"
    path.write_bytes(b"x" * (MB + 1))
    assert "got a file of 2 MB; allowed" in str(too_large(path))
