"""One report, in its own process: run, check, render, check again, and only then take its name."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ncdsurv.reports.catalogue import find_notebook
from ncdsurv.reports.manifest import hash_file
from ncdsurv.reports.verify import check_html, check_notebook, check_results
from ncdsurv.store.atomic import TEMPORARY, fsync_path

_VERSIONS = ("polars", "pandas", "matplotlib", "papermill", "nbconvert", "statsmodels", "geopandas")


def make_report(task: dict[str, Any]) -> dict[str, Any]:
    """Make one report.

    Args:
        task: `notebook`, `parameters` (with the store's path), `out` (output folder), `stem` (relative
            path without ending), `title`, `lang`, `engine`.

    Returns:
        `status`, `outputs` (relative name -> SHA-256), `stages` (seconds), `versions`, `problem`.
    """
    out = Path(task["out"])
    scratch = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=out))
    os.environ["MPLCONFIGDIR"] = os.environ.get("MPLCONFIGDIR") or str(scratch)
    try:
        return _make(task, out, scratch)
    except Exception as error:  # the parent wants one line about any failure, and the next report to run
        return {"status": "failed", "problem": _one_line(error)}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _make(task: dict[str, Any], out: Path, scratch: Path) -> dict[str, Any]:
    import nbformat

    spec = find_notebook(task["notebook"])
    stages: dict[str, float] = {}
    executed, results = scratch / "report.ipynb", scratch / "results.json"
    started = time.monotonic()
    try:
        _execute(spec.path, executed, task, results)
    finally:
        stages["run"] = round(time.monotonic() - started, 2)
    notebook = nbformat.read(executed, as_version=4)
    problems = check_notebook(notebook, spec.required_outputs)
    started = time.monotonic()
    if not problems:
        from ncdsurv.reports.html import to_html

        page = to_html(notebook, title=task["title"], lang=task["lang"])
        problems += check_html(page)
        (scratch / "report.html").write_text(page, encoding="utf-8")
        if results.exists():
            problems += check_results(results.read_text(encoding="utf-8"))
    stages["page"] = round(time.monotonic() - started, 2)
    stem = out / task["stem"]
    stem.parent.mkdir(parents=True, exist_ok=True)
    if problems:
        os.replace(executed, _with(stem, ".failed.ipynb"))
        return {"status": "failed", "problem": "; ".join(problems), "stages": stages}
    outputs = {}
    for made, ending in ((executed, ".ipynb"), (results, ".json"), (scratch / "report.html", ".html")):
        if made.exists():
            fsync_path(made)
            final = _with(stem, ending)
            os.replace(made, final)
            outputs[str(final.relative_to(out))] = hash_file(final) or ""
    _with(stem, ".failed.ipynb").unlink(missing_ok=True)
    return {
        "status": "ok",
        "outputs": outputs,
        "stages": stages,
        "versions": {n: version(n) for n in _VERSIONS},
    }


def _execute(source: Path, executed: Path, task: dict[str, Any], results: Path) -> None:
    import logging

    import papermill

    from ncdsurv.reports import engine

    logging.getLogger("papermill").setLevel(logging.ERROR)
    os.environ["NCDSURV_RESULTS"] = str(results)
    try:
        papermill.execute_notebook(
            str(source),
            str(executed),
            parameters=task["parameters"],
            engine_name=engine.register() if task["engine"] == engine.NAME else None,
            progress_bar=False,
            log_output=False,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
        )
    except papermill.PapermillExecutionError as error:
        if executed.exists():
            failed = _with(Path(task["out"]) / task["stem"], ".failed.ipynb")
            failed.parent.mkdir(parents=True, exist_ok=True)
            os.replace(executed, failed)
        raise RuntimeError(f"cell {error.cell_index}: {error.ename}: {error.evalue}") from None


def _with(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]


def run_in_process(connection: Any, task: dict[str, Any], environment: dict[str, str]) -> None:
    """Entry point of the child: make the report with the variables of who asks, send the outcome, end."""
    os.environ.update(environment)
    try:
        connection.send(json.loads(json.dumps(make_report(task))))
    finally:
        connection.close()
