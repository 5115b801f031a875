"""The warm engine gives the outputs that a kernel gives, and stops at the first error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

SCRIPT = """
import sys, papermill
from ncdsurv.reports import engine
try:
    papermill.execute_notebook(sys.argv[1], sys.argv[2], parameters={"n": 3}, engine_name=engine.register(),
                               progress_bar=False)
except papermill.PapermillExecutionError as error:
    print("raised", error.cell_index, error.ename)
"""


def _run(folder: Path, *sources: str) -> tuple[nbformat.NotebookNode, str]:
    cells = [new_code_cell("n = 1", metadata={"tags": ["parameters"]}), *map(new_code_cell, sources)]
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "in.ipynb")
    # In a process of its own, as every report is: the engine's shell replaces global state of IPython.
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / "in.ipynb"), str(folder / "out.ipynb")],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return nbformat.read(folder / "out.ipynb", as_version=4), done.stdout


def test_values_displays_and_streams_are_kept_in_order(tmp_path: Path) -> None:
    book, said = _run(
        tmp_path,
        "print('a'); print('b')\nfrom IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))\nn * 2",
        "quiet = n",
    )
    assert "raised" not in said
    stream, shown, value = book.cells[2].outputs
    assert stream.text == "a\nb\n"
    assert shown.data["text/html"] == "<b>x</b>"
    assert value.output_type == "execute_result"
    assert value.data["text/plain"] == "6"
    assert book.cells[3].outputs == []


@pytest.mark.parametrize(("source", "name"), [("1 / 0", "ZeroDivisionError"), ("x =", "SyntaxError")])
def test_the_first_error_stops_the_run_and_is_raised(tmp_path: Path, source: str, name: str) -> None:
    book, said = _run(tmp_path, source, "later = 1")
    assert said.startswith("raised")
    assert said.split()[-1] == name
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    failed = next(cell for cell in code if any(o.output_type == "error" for o in cell.outputs))
    assert failed.source == source
    assert code[-1].outputs == []
