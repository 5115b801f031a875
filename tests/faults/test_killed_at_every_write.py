"""SIGKILL at every step that writes: the store opens, readers see a whole state, the command run again completes it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.faults.broken import CASES, completes, judged, undisturbed
from tests.faults.harness import LONG, Case, Killer, copy_store
from tests.faults.killer import QUIET

NAMES = [case.name for case in CASES]
REALLY_KILLED = 3
"""Of the walked steps, so many are also tried by killing the process there; `make faults` kills at every step."""


@pytest.fixture(params=CASES, ids=NAMES)
def case(request: pytest.FixtureRequest, packs: tuple[Path, Path]) -> Case:
    found: Case = request.param
    if found.verb == "add_reference":
        folder = packs[found.arguments["folder"] == "second"]
        return Case(found.name, found.base, found.verb, {"folder": str(folder)})
    return found


@pytest.fixture(scope="module")
def wholes() -> dict[str, dict[str, Any]]:
    """Name of a case -> its command run through, as the walk saw it."""
    return {}


def test_killed_at_every_step_that_writes(
    case: Case, killer: Killer, bases: dict[str, Path], stores: Path, wholes: dict[str, dict[str, Any]]
) -> None:
    """Every state that the disk passes through, from before the first step to after the last."""
    keep = stores / "states"
    keep.mkdir()
    whole = wholes[case.name] = undisturbed(killer, case, bases[case.base], stores, keep=str(keep))
    states = list(whole["states"].items())
    changing = sum(name not in QUIET for name in whole["steps"])
    assert changing // 2 < len(states) <= 2 * len(whole["steps"])

    answers = killer.ask_each([keep / name for name, _ in states], look=True, **case.request)
    said = [judged(answer, whole, where) for answer, (_, where) in zip(answers, states, strict=True)]
    assert [wrong for wrong in said if wrong] == []


def test_a_process_killed_at_a_step_leaves_what_the_walk_copies(
    case: Case, killer: Killer, bases: dict[str, Path], stores: Path, wholes: dict[str, dict[str, Any]]
) -> None:
    whole = wholes.get(case.name) or undisturbed(killer, case, bases[case.base], stores)
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
