"""SIGKILL wherever the clock strikes: the store opens, readers see a whole state, the command again completes it."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from tests.faults.broken import CASES, completes, states_seen, undisturbed
from tests.faults.harness import LONG, Case, Killer, copy_store

RANDOM_KILLS = 100
CHAIN = 5
"""Kills of one store, one after the other, before the command is let through."""

MOMENTS = (0.05, 1.2)
"""When random kills strike, as parts of the time that the command takes undisturbed and with its libraries warm."""


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
        for kills, moment in enumerate(moments, start=1):
            answer = killer.ask(store, after_seconds=moment * whole["seconds"], **case.request)
            killed.append(answer["status"])
            seen = killer.ask(store)  # a fork of its own: what a reader sees, whatever the dead one held
            if seen["status"] or seen["after"] not in states_seen(whole, kills):
                return f"chain {number} of {case.name}: after a kill a reader sees {seen}"
        said = completes(killer, case, store, whole, f"chain {number} of {case.name}", len(moments))
        shutil.rmtree(store, ignore_errors=True)
        return said

    assert killer.map(broken, enumerate(chains)) == []
    assert len(killed) >= RANDOM_KILLS
    assert set(killed) <= {0, -14}
    assert killed.count(-14) > RANDOM_KILLS // 2, "most commands ended before they were killed"
