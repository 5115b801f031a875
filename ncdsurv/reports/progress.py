"""Progress for people (a bar on a terminal) and for logs (one JSON line for each event)."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

Advance = Callable[..., None]


class Progress:
    """Named stages with a count each; silent unless a stream is given.

    Args:
        stream: Where to write; None says nothing.
        bar: Draw bars (a terminal) instead of JSON lines.
    """

    def __init__(self, stream: TextIO | None = None, *, bar: bool = False) -> None:
        self._stream, self._bar = stream, bar and stream is not None
        self._rich: Any = None
        self._tasks: dict[str, Any] = {}
        self._started: dict[str, float] = {}
        self._done: dict[str, int] = {}
        self._total: dict[str, int] = {}
        self.seconds: dict[str, float] = {}

    @classmethod
    def for_terminal(cls, *, enabled: bool = True) -> Progress:
        """Bars on a terminal, JSON lines elsewhere, both on standard error."""
        return cls(sys.stderr if enabled else None, bar=sys.stderr.isatty())

    def __enter__(self) -> Progress:
        if self._bar:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bars
            from rich.table import Column

            self._rich = Bars(
                TextColumn("{task.description:<8}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[detail]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
                console=Console(file=self._stream),
            )
            self._rich.start()
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        for stage in [] if failure else [name for name in self._started if name not in self.seconds]:
            self.finish(stage)
        if self._rich is not None:
            self._rich.stop()

    def start(self, stage: str, total: int | None = None) -> None:
        """Begin a stage."""
        self._started[stage] = time.monotonic()
        self._done[stage], self._total[stage] = 0, 0
        if self._rich is not None:
            self._tasks[stage] = self._rich.add_task(stage, total=total, detail="")
        else:
            self._event("start", stage, total=total)

    def extend(self, stage: str, more: int) -> None:
        """Say that a stage has so many more units to do than it had."""
        if stage not in self._started:
            self.start(stage)
        self._total[stage] += more
        if self._rich is not None:
            self._rich.update(self._tasks[stage], total=self._total[stage])

    def step(self, stage: str, done: int = 1, detail: str = "") -> None:
        """Count `done` more units of a stage as finished."""
        self._done[stage] += done
        if self._rich is not None:
            self._rich.update(self._tasks[stage], advance=done, detail=detail)
        elif detail:
            self._event("step", stage, detail=detail)

    def finish(self, stage: str, detail: str = "") -> None:
        """End a stage; its seconds are kept."""
        taken = time.monotonic() - self._started.get(stage, time.monotonic())
        self.seconds[stage] = round(taken, 2)
        if self._rich is not None:
            total = max(self._total[stage], self._done[stage], 1)
            self._rich.update(self._tasks[stage], total=total, completed=total, detail=detail)
        else:
            self._event("finish", stage, seconds=self.seconds[stage], detail=detail or None)

    def callback(self, stage: str) -> Advance:
        """A function `(done, total)` for verbs that report how far they are; one for each call of a verb."""
        reached = expected = 0

        def advance(done: int, total: int | None = None, *_: object, **__: object) -> None:
            nonlocal reached, expected
            self.extend(stage, (total or 0) - expected if total else 0)
            self.step(stage, done - reached)
            reached, expected = done, total or expected

        return advance

    def _event(self, event: str, stage: str, **fields: Any) -> None:
        if self._stream is None:
            return
        body = {
            "event": event,
            "stage": stage,
            **{name: value for name, value in fields.items() if value is not None},
        }
        self._stream.write(json.dumps(body, ensure_ascii=False) + "\n")
        self._stream.flush()
