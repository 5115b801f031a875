"""A stage of the demo runs again only when it, or one before it, has something new."""

from __future__ import annotations

from pathlib import Path

from ncdsurv.reports.demo import DemoOutcome
from ncdsurv.reports.progress import Progress
from ncdsurv.reports.stages import Stages


def _walk(out: Path, first: str, ran: list[str], *, made: bool = True, force: bool = False) -> None:
    stages = Stages(out, Progress(), force)
    stages.run("one", [first], lambda: ran.append("one") or "said one", lambda: True)
    assert stages.run("two", [], lambda: ran.append("two") or "said two", lambda: made) == "said two"


def test_a_second_run_does_nothing_and_still_says_what_was_made(tmp_path: Path) -> None:
    ran: list[str] = []
    _walk(tmp_path, "a", ran)
    _walk(tmp_path, "a", ran)
    assert ran == ["one", "two"]


def test_a_change_runs_every_stage_after_it(tmp_path: Path) -> None:
    ran: list[str] = []
    _walk(tmp_path, "a", ran)
    _walk(tmp_path, "b", ran)
    assert ran == ["one", "two", "one", "two"]


def test_what_was_removed_is_made_again_and_force_makes_all(tmp_path: Path) -> None:
    ran: list[str] = []
    _walk(tmp_path, "a", ran)
    _walk(tmp_path, "a", ran, made=False)
    assert ran == ["one", "two", "two"]
    _walk(tmp_path, "a", ran, force=True)
    assert ran[3:] == ["one", "two"]


def test_a_failed_report_is_exit_1(tmp_path: Path) -> None:
    assert DemoOutcome(tmp_path, "r", {}, []).exit_code == 0
    assert DemoOutcome(tmp_path, "r", {}, ["one failed"]).exit_code == 1
