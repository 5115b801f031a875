"""One operating system process for each report: started warm, watched, and believed only in what it sends."""

from __future__ import annotations

import os
import signal
import time
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from ncdsurv.reports.catalogue import NotebookSpec
from ncdsurv.reports.plan import Task

WARM, KERNEL = "ncdsurv-warm", "kernel"
_PRELOAD = "ncdsurv.reports.preload"


class Running(NamedTuple):
    """A report that is being made."""

    task: Task
    process: Any
    connection: Any
    started: float


def make_context(at_a_time: int) -> Any:
    """A fork server that has imported the libraries once; spawn where forking does not exist."""
    from ncdsurv.reports import worker  # noqa: F401 - found by the child under this name

    share = str(max(1, (os.cpu_count() or 1) // at_a_time))
    for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, share)
    if not hasattr(os, "fork"):
        return get_context("spawn")
    context = get_context("forkserver")
    if find_spec(_PRELOAD):
        context.set_forkserver_preload([_PRELOAD])
    return context


def launch(context: Any, task: Task, spec: NotebookSpec, out: Path, lang: str, engine: str) -> Running:
    """Start one report in a process of its own, with a pipe for what became of it."""
    from ncdsurv.reports.worker import run_in_process

    receiving, sending = context.Pipe(duplex=False)
    order = {
        "notebook": spec.name,
        "parameters": task.parameters,
        "out": str(out),
        "stem": task.stem,
        "title": task.title,
        "lang": task.parameters.get("lang", lang),
        "engine": engine,
    }
    # A Jupyter kernel is a child of the report's process, so that one may not be a daemon.
    # The fork server keeps the variables of when it started: where the registry is, and its credentials, may be newer.
    asked = (sending, order, dict(os.environ))
    process = context.Process(target=run_in_process, args=asked, daemon=engine == WARM)
    process.start()
    sending.close()
    return Running(task, process, receiving, time.monotonic())


def outcome_of(item: Running, timeout: float) -> dict[str, Any] | None:
    """What became of a report, or None while it runs. Only what it sent counts, never what lies on disk."""
    if item.connection.poll():
        try:
            outcome = dict(item.connection.recv())
        except EOFError:
            item.process.join()
            code = item.process.exitcode or 0
            how = signal.Signals(-code).name if code < 0 else f"exit {code}"
            return {"status": "killed", "problem": f"the process ended by {how} before it was done"}
        item.process.join()
        return outcome
    if time.monotonic() - item.started > timeout:
        item.process.terminate()
        item.process.join()
        return {"status": "timeout", "problem": f"stopped after {timeout:g} s"}
    return None
