"""SIGKILL at every step that writes: the store opens, readers see a whole state, the command run again completes it."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.faults.harness import FIRST, LONG, SECOND, Case, Killer, copy_store
from tests.faults.killer import QUIET

CASES = [
    Case("ingest into nothing", "none", "ingest", {"paths": str(FIRST), "source": "viettel"}),
    Case("ingest", "one", "ingest", {"paths": str(SECOND), "source": "moh_ncd_excel"}),
    Case("link", "two", "link"),
    Case("build", "linked", "build_release", {"as_of": "2026-06", "months": 1}),
    Case("rotate the key", "one", "rotate_key"),
    Case("add a pack", "one", "add_reference", {"folder": "first"}),
    Case("replace a pack", "with_pack", "add_reference", {"folder": "second"}),
]
NAMES = [case.name for case in CASES]
RANDOM_KILLS = 100
REALLY_KILLED = 3
"""Of the walked steps, so many are also tried by killing the process there; `make faults` kills at every step."""
CHAIN = 5
"""Kills of one store, one after the other, before the command is let through."""

MOMENTS = (0.05, 1.2)
"""When random kills strike, as parts of the time that the command takes undisturbed and with its libraries warm."""


@pytest.fixture(params=CASES, ids=NAMES)
def case(request: pytest.FixtureRequest, packs: tuple[Path, Path]) -> Case:
    found: Case = request.param
    if found.verb == "add_reference":
        folder = packs[found.arguments["folder"] == "second"]
        return Case(found.name, found.base, found.verb, {"folder": str(folder)})
    return found


def undisturbed(killer: Killer, case: Case, base: Path, folder: Path, **more: Any) -> dict[str, Any]:
    """The command run through once: states before and after, and the steps it took."""
    answer = killer.ask(copy_store(base, folder / "whole"), look=True, count=True, **more, **case.request)
    assert answer["status"] == 0, answer
    assert answer["left"] == []
    assert len(answer["steps"]) > 3
    return answer


def completes(killer: Killer, case: Case, store: Path, whole: dict[str, Any], where: str) -> str | None:
    """Look at a broken store, run the command again; what is wrong, or None."""
    return judged(killer.ask(store, look=True, **case.request), whole, where)


def judged(answer: dict[str, Any], whole: dict[str, Any], where: str) -> str | None:
    """What is wrong with a broken store that was looked at and completed, or None."""
    if answer["status"] != 0:
        return f"{where}: the command run again fails: {answer}"
    if answer["before"] not in (whole["before"], whole["after"], half_rotated(whole)):
        return f"{where}: a reader sees neither the state before nor the one after"
    if answer["after"] != whole["after"]:
        differ = [name for name in whole["after"] if whole["after"][name] != answer["after"].get(name)]
        return f"{where}: run again, it differs in {differ}"
    if answer["left"]:
        return f"{where}: {answer['left']} was left behind"
    return None


def half_rotated(whole: dict[str, Any]) -> dict[str, Any] | None:
    """A rotation is visible before the files of older states are gone; the next writer removes them."""
    if "files of older states" not in whole["after"]:
        return None
    return {**whole["after"], "files of older states": "1"}


def test_killed_at_every_step_that_writes(
    case: Case, killer: Killer, bases: dict[str, Path], stores: Path
) -> None:
    """Every state that the disk passes through, from before the first step to after the last."""
    keep = stores / "states"
    keep.mkdir()
    whole = undisturbed(killer, case, bases[case.base], stores, keep=str(keep))
    states = list(whole["states"].items())
    changing = sum(name not in QUIET for name in whole["steps"])
    assert changing // 2 < len(states) <= 2 * len(whole["steps"])

    answers = killer.ask_each([keep / name for name, _ in states], look=True, **case.request)
    said = [judged(answer, whole, where) for answer, (_, where) in zip(answers, states, strict=True)]
    assert [wrong for wrong in said if wrong] == []


def test_a_process_killed_at_a_step_leaves_what_the_walk_copies(
    case: Case, killer: Killer, bases: dict[str, Path], stores: Path
) -> None:
    whole = undisturbed(killer, case, bases[case.base], stores)
    steps = range(1, len(whole["steps"]) + 1)
    if not LONG:
        writing = [n for n in steps if whole["steps"][n - 1] not in QUIET]
        steps = writing[len(writing) // REALLY_KILLED // 2 :: max(1, len(writing) // REALLY_KILLED)]

    def broken(at: int) -> str | None:
        where = f"step {at} ({whole['steps'][at - 1]})"
        store = copy_store(bases[case.base], stores / f"at{at}")
        killed = killer.ask(store, at=at, **case.request)
        if killed["status"] != -9:
            return f"{where}: was not killed: {killed}"
        said = completes(killer, case, store, whole, where)
        shutil.rmtree(store, ignore_errors=True)
        return said

    assert killer.map(broken, steps) == []


def test_killed_a_hundred_times_at_random(killer: Killer, bases: dict[str, Path], tmp_path: Path) -> None:
    """Wherever the clock strikes, native writers included; each store is killed several times in a row."""
    dice = random.Random(20260630)
    cases = [case for case in CASES if case.verb in ("ingest", "link", "rotate_key")]
    wholes = {case.name: undisturbed(killer, case, bases[case.base], tmp_path / case.name) for case in cases}
    chains = [
        (cases[n % len(cases)], [dice.uniform(*MOMENTS) for _ in range(CHAIN)])
        for n in range(RANDOM_KILLS * (3 if LONG else 1) // CHAIN)
    ]
    killed: list[int] = []

    def broken(item: tuple[int, tuple[Case, list[float]]]) -> str | None:
        number, (case, moments) = item
        whole = wholes[case.name]
        store = copy_store(bases[case.base], tmp_path / f"chain{number}")
        for moment in moments:
            answer = killer.ask(store, after_seconds=moment * whole["seconds"], **case.request)
            killed.append(answer["status"])
            seen = killer.ask(store)  # a fork of its own: what a reader sees, whatever the dead one held
            if seen["status"] or seen["after"] not in (whole["before"], whole["after"], half_rotated(whole)):
                return f"chain {number} of {case.name}: after a kill a reader sees {seen}"
        said = completes(killer, case, store, whole, f"chain {number} of {case.name}")
        shutil.rmtree(store, ignore_errors=True)
        return said

    assert killer.map(broken, enumerate(chains)) == []
    assert len(killed) >= RANDOM_KILLS
    assert set(killed) <= {0, -14}
    assert killed.count(-14) > RANDOM_KILLS // 2, "most commands ended before they were killed"
