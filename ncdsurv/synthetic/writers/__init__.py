"""Writers of each source's own file format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ncdsurv.synthetic.registry import SyntheticRegistry

_WORTH_FORKING = 24  # fewer files are written faster than workers start
_state: dict[str, Any] = {}


def write_exports(
    registry: SyntheticRegistry,
    out: str | Path,
    progress: Callable[[int, int], None] | None = None,
    jobs: int = 2,
    reference_pack: bool = True,
    below: str = "exports",
) -> list[Path]:
    """Write the files that the stations would send, and the invented population as a reference pack.

    Args:
        registry: What to write.
        out: Folder; files go to `out/<below>/<source>/`, the pack to `out/reference/`.
        progress: Called with (files written, files in all) after each file.
        jobs: Worker processes where the system can fork.
        reference_pack: Also write the pack.
        below: Name of the folder between.

    Returns:
        Paths of the exports, sorted.
    """
    from ncdsurv.synthetic.writers.book import make_book
    from ncdsurv.synthetic.writers.reference_pack import write_reference_pack

    folder = Path(out)
    exports = folder / below
    book = make_book(registry)
    for job in book.jobs:
        (exports / job.path).parent.mkdir(parents=True, exist_ok=True)
    _state.update(book=book, folder=exports)
    try:
        paths = _write_all(len(book.jobs), jobs, progress)
    finally:
        _state.clear()
    if reference_pack:
        write_reference_pack(registry, folder / "reference")
    return sorted(paths)


def _write_all(count: int, jobs: int, progress: Callable[[int, int], None] | None) -> list[Path]:
    import multiprocessing

    paths: list[Path] = []
    # Children only run plain Python on objects inherited by the fork; polars is never called there.
    if jobs > 1 and count >= _WORTH_FORKING and "fork" in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            for path in pool.imap_unordered(_write_one, range(count), chunksize=2):
                paths.append(path)
                if progress:
                    progress(len(paths), count)
        return paths
    for at in range(count):
        paths.append(_write_one(at))
        if progress:
            progress(len(paths), count)
    return paths


def _write_one(at: int) -> Path:
    from ncdsurv.synthetic.writers.his_xml import write_insurance
    from ncdsurv.synthetic.writers.moh_ncd_excel import write_sheets
    from ncdsurv.synthetic.writers.table_export import write_table

    book, folder = _state["book"], _state["folder"]
    job = book.jobs[at]
    path = folder / job.path
    writers = {"sheets": write_sheets, "table": write_table, "insurance": write_insurance}
    writers[job.writer](book, job, path)
    return path
