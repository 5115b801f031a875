"""Processes that read files are started while the files are still being kept."""

from __future__ import annotations

from pathlib import Path

from ncdsurv.registry import workers

FIRST = sorted((Path(__file__).parents[2] / "data_samples" / "viettel").glob("*.csv"))[0]


def test_processes_started_ahead_serve_the_session_that_follows() -> None:
    workers._close_spares()
    workers.make_ready(workers.FEW_FILES, [])
    for thread in list(workers._STARTING):
        thread.join()
    ready = {child.process.pid for child in workers._SPARES}
    assert len(ready) == workers._processes(workers.FEW_FILES)
    ((_, cleaned),) = workers.clean_files([FIRST], "viettel", b"k" * 32, [])
    assert cleaned.batch is not None
    assert {child.process.pid for child in workers._SPARES} == ready


def test_few_files_start_nothing_ahead() -> None:
    workers._close_spares()
    workers.make_ready(workers.FEW_FILES - 1, [])
    assert not any(thread.is_alive() for thread in workers._STARTING)
    assert workers._SPARES == []
