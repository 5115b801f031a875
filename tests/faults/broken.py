"""Commands that are broken off, and what is asked of a store that one of them left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.faults.harness import FIRST, SECOND, Case, Killer, copy_store

CASES = [
    Case("ingest into nothing", "none", "ingest", {"paths": str(FIRST), "source": "viettel"}),
    Case("ingest", "one", "ingest", {"paths": str(SECOND), "source": "moh_ncd_excel"}),
    Case("link", "two", "link"),
    Case("build", "linked", "build_release", {"as_of": "2026-06", "months": 1}),
    Case("rotate the key", "one", "rotate_key"),
    Case("add a pack", "one", "add_reference", {"folder": "first"}),
    Case("replace a pack", "with_pack", "add_reference", {"folder": "second"}),
]


def undisturbed(killer: Killer, case: Case, base: Path, folder: Path, **more: Any) -> dict[str, Any]:
    """The command run through once: states before and after, and the steps it took."""
    answer = killer.ask(copy_store(base, folder / "whole"), look=True, count=True, **more, **case.request)
    assert answer["status"] == 0, answer
    assert answer["left"] == []
    assert len(answer["steps"]) > 3
    return answer


def completes(
    killer: Killer, case: Case, store: Path, whole: dict[str, Any], where: str, kills: int = 1
) -> str | None:
    """Look at a store broken by so many kills, run the command again; what is wrong, or None."""
    return judged(killer.ask(store, look=True, **case.request), whole, where, kills)


def judged(answer: dict[str, Any], whole: dict[str, Any], where: str, kills: int = 1) -> str | None:
    """What is wrong with a broken store that was looked at and completed, or None."""
    if answer["status"] != 0:
        return f"{where}: the command run again fails: {answer}"
    if answer["before"] not in states_seen(whole, kills):
        return f"{where}: a reader sees neither the state before nor the one after"
    if answer["after"] != whole["after"]:
        differ = [name for name in whole["after"] if whole["after"][name] != answer["after"].get(name)]
        return f"{where}: run again, it differs in {differ}"
    if answer["left"]:
        return f"{where}: {answer['left']} was left behind"
    return None


def states_seen(whole: dict[str, Any], kills: int) -> list[dict[str, Any]]:
    """What a reader may see after so many kills: the state before the command, or the one after it.

    A rotation is visible before the files of older states are gone, and each one killed before its commit may leave
    a file that no state names; the rotation that ends removes them all.
    """
    seen = [whole["before"], whole["after"]]
    if "files of older states" in whole["after"]:
        seen += [{**whole["after"], "files of older states": str(left)} for left in range(1, kills + 1)]
    return seen
