"""Run a notebook for many provinces, unattended: one process each, checked, recorded, resumable.

A report that failed never replaces a good one; a report made from the same notebook, parameters and release
is not made again; everything is in `manifest.json` after each report, so a crash loses nothing.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Mapping
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NamedTuple

from ncdsurv.errors import EXIT_ALL_FAILED, EXIT_OK, EXIT_SOME_FAILED, StoreError, unknown
from ncdsurv.reports.catalogue import NotebookSpec, find_notebook
from ncdsurv.reports.manifest import Manifest, ReportEntry
from ncdsurv.reports.plan import Task, plan_tasks
from ncdsurv.reports.processes import KERNEL, WARM, Running, launch, make_context, outcome_of
from ncdsurv.reports.progress import Progress
from ncdsurv.store.address import whole_place
from ncdsurv.store.atomic import exclusive, sweep_temporary

STAGE = "reports"
_SPACE_NEEDED_BYTES = 200 * 2**20


class Run(NamedTuple):
    """What a run made, report by report."""

    entries: list[ReportEntry]
    out: Path

    @property
    def exit_code(self) -> int:
        """0 all well, 1 some failed, 4 all failed."""
        failed = sum(entry.failed for entry in self.entries)
        if not failed:
            return EXIT_OK
        return EXIT_ALL_FAILED if failed == len(self.entries) else EXIT_SOME_FAILED


def run_reports(
    notebook: str,
    provinces: Iterable[str] | None = None,
    release: str = "latest",
    store: Path | str = "registry",
    out: Path | str = "reports",
    jobs: int | None = None,
    lang: str = "vi",
    progress: Progress | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    force: bool = False,
    dry_run: bool = False,
    engine: str = WARM,
    timeout_seconds: float = 900,
) -> Run:
    """Make the reports of a notebook, one for each province where it is made per province.

    Args:
        notebook: Name in the catalogue.
        provinces: Province codes, `pilot`, `all`; None means the pilot provinces.
        release: Release id or `latest`.
        store: Folder or address of the registry.
        out: Folder of the reports; made when missing.
        jobs: Reports at a time; None means the number of processors.
        lang: `vi` or `en`.
        progress: Where to tell how far the run is.
        parameters: Further parameters of the notebook, by name.
        force: Make reports again that are up to date.
        dry_run: Check and plan only.
        engine: `ncdsurv-warm` (cells in a forked process) or `kernel` (a Jupyter kernel for each report).
        timeout_seconds: A report that takes longer is stopped.

    Returns:
        The outcome of every report.

    Raises:
        UsageError: Unknown or missing parameter or province; nothing has run.
        StoreError: No release, no space, or another run is writing into `out`.
    """
    spec = find_notebook(notebook)
    if engine not in (WARM, KERNEL):
        raise unknown("engine", engine, [WARM, KERNEL])

    from ncdsurv.catalog import load_catalog
    from ncdsurv.registry import open_store

    store, out = whole_place(store), Path(out)
    opened = open_store(store)
    chosen = opened.releases.open(release)
    tasks = plan_tasks(
        spec,
        store=store,
        release=chosen,
        reference=opened.reference,
        catalog=load_catalog(),
        provinces=provinces,
        lang=lang,
        parameters=parameters or {},
    )
    if dry_run:
        return Run([_entry(task, spec, chosen.id, status="planned") for task in tasks], out)
    _preflight(out)
    with exclusive(out / ".lock"):
        sweep_temporary(out)
        manifest = Manifest(out)
        todo = [task for task in tasks if force or not manifest.is_current(task.key, task.run_key)]
        current = {task.key for task in tasks} - {task.key for task in todo}
        # What failed last time comes first: whoever waits for it should not wait for the rest.
        todo.sort(key=lambda task: not (task.key in manifest.entries and manifest.entries[task.key].failed))
        progress = progress or Progress()
        progress.extend(STAGE, len(todo))
        _run_all(
            todo, spec, chosen.id, out.resolve(), manifest, jobs, lang, engine, timeout_seconds, progress
        )
        entries = [
            manifest.entries[task.key].model_copy(update={"status": "up_to_date"})
            if task.key in current
            else manifest.entries[task.key]
            for task in tasks
        ]
    return Run(entries, out)


def _preflight(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        writable = os.access(out, os.W_OK)
    except OSError as error:
        raise StoreError("the output folder cannot be made", got=f"{out} ({error.strerror})") from None
    if not writable:
        raise StoreError("the output folder cannot be written", got=out, do="choose another with --out")
    if shutil.disk_usage(out).free < _SPACE_NEEDED_BYTES:
        raise StoreError(
            "too little disk space for reports", got=out, do="free 200 MB or choose another --out"
        )


def _run_all(
    todo: list[Task],
    spec: NotebookSpec,
    release_id: str,
    out: Path,
    manifest: Manifest,
    jobs: int | None,
    lang: str,
    engine: str,
    timeout: float,
    progress: Progress,
) -> None:
    if not todo:
        return
    at_a_time = min(jobs or os.cpu_count() or 1, len(todo))
    context = make_context(at_a_time)
    waiting, running = list(todo), list[Running]()
    try:
        while waiting or running:
            while waiting and len(running) < at_a_time:
                running.append(launch(context, waiting.pop(0), spec, out, lang, engine))
            wait([item.connection for item in running], timeout=1.0)
            for item in list(running):
                outcome = outcome_of(item, timeout)
                if outcome is None:
                    continue
                running.remove(item)
                outcome["seconds"] = round(time.monotonic() - item.started, 2)
                entry = _entry(item.task, spec, release_id, **outcome)
                manifest.record(entry)
                progress.step(STAGE, detail=entry.line())
    finally:
        for item in running:  # Ctrl-C or an error of ours: no child outlives the run
            item.process.terminate()
            item.process.join()


def _entry(task: Task, spec: NotebookSpec, release_id: str, **outcome: Any) -> ReportEntry:
    # The store's place is the machine's business, not the report's.
    facts = {name: value for name, value in task.parameters.items() if name != "store"}
    return ReportEntry(
        key=task.key,
        notebook=spec.name,
        parameters=facts,
        release=release_id,
        run_key=task.run_key,
        **outcome,
    )
