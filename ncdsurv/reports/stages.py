"""Stages that remember what they were made from, so that a second run does only what is new."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from ncdsurv import __version__
from ncdsurv.reports.progress import Progress
from ncdsurv.store.atomic import write_whole

_DONE = "done.json"


class Stages:
    """Runs stages in order; one whose inputs are as they were is not run again."""

    def __init__(self, out: Path, progress: Progress, force: bool) -> None:
        self.path, self.progress, self.force = out / _DONE, progress, force
        self.done: dict[str, Any] = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.seconds: dict[str, float] = {}
        self.key = ""

    def run(
        self, name: str, inputs: Iterable[object], work: Callable[[], str], made: Callable[[], bool]
    ) -> str:
        """Run a stage, or give back what it said the last time.

        Args:
            name: The stage's name.
            inputs: What it depends on beside the stages before it.
            work: Does it; returns a short line about what it made.
            made: Whether what it makes is still there.
        """
        # Each key holds the one before it, so a stage runs again after any stage before it has changed.
        self.key = sha256(json.dumps([name, self.key, __version__, *map(str, inputs)]).encode()).hexdigest()
        started = time.monotonic()
        self.progress.start(name)
        past = self.done.get(name, {})
        if not self.force and past.get("key") == self.key and made():
            said = past["said"]
        else:
            said = work()
            self.done[name] = {"key": self.key, "said": said}
            write_whole(self.path, json.dumps(self.done, ensure_ascii=False, indent=1).encode())
        self.seconds[name] = round(time.monotonic() - started, 2)
        self.progress.finish(name, said)
        return str(said)
