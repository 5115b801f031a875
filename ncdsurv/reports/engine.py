"""A papermill engine that runs cells in this process, without a kernel of its own.

A kernel costs more than a second for each report before the first cell runs. Each report already has its
own process (a fork of a server that has imported the libraries and computed nothing), so the cells run
there, in an IPython shell whose displays are written into the notebook.
"""

from __future__ import annotations

import contextlib
import sys
from base64 import b64encode
from collections.abc import Callable
from typing import Any

NAME = "ncdsurv-warm"
_ANSI_FREE = "NoColor"


def register() -> str:
    """Make the engine known to papermill.

    Returns:
        Its name, for `engine_name=`.
    """
    from papermill.engines import Engine, papermill_engines

    class WarmEngine(Engine):
        """Runs the cells of one notebook in an IPython shell of this process."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> None:
            run_cells(nb_man)

    papermill_engines.register(NAME, WarmEngine)
    return NAME


def run_cells(nb_man: Any) -> None:
    """Run every code cell in order; stop at the first error, which papermill then raises.

    Args:
        nb_man: papermill's `NotebookExecutionManager`, told of each cell's start, error and end.
    """
    sink: list[Any] = []
    shell = _make_shell(sink.append)
    for index, cell in enumerate(nb_man.nb.cells):
        nb_man.cell_start(cell, index)
        if cell.cell_type == "code" and cell.source.strip():
            sink.clear()
            with _streams(sink.append):
                result = shell.run_cell(cell.source, store_history=False)
            error = result.error_before_exec or result.error_in_exec
            cell.outputs = _merge_streams(sink)
            if error is not None:
                cell.outputs.append(_error_output(error))
                nb_man.cell_exception(cell, index, exception=error)
                break
        nb_man.cell_complete(cell, index)


def _make_shell(emit: Callable[[Any], None]) -> Any:
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from nbformat.v4 import new_output
    from traitlets import Type

    class Publisher(DisplayPublisher):
        """`display(...)` into the notebook."""

        def publish(self, data: Any, metadata: Any = None, source: Any = None, **_: Any) -> None:
            emit(new_output("display_data", data=_plain(data), metadata=dict(metadata or {})))

    class Hook(DisplayHook):
        """The value of a cell's last expression into the notebook."""

        def write_output_prompt(self) -> None:
            pass

        def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
            emit(
                new_output(
                    "execute_result",
                    data=_plain(format_dict),
                    metadata=dict(md_dict or {}),
                    execution_count=None,
                )
            )

        def finish_displayhook(self) -> None:
            pass

    class Shell(InteractiveShell):
        """A shell that writes no history and no traceback to the terminal."""

        displayhook_class = Type(Hook)
        display_pub_class = Type(Publisher)

        def init_history(self) -> None:
            super().init_history()
            if self.history_manager is not None:
                self.history_manager.enabled = False

        def showtraceback(self, *_: Any, **__: Any) -> None:
            pass

        def showsyntaxerror(self, *_: Any, **__: Any) -> None:
            pass

    InteractiveShell.clear_instance()
    return Shell.instance(colors=_ANSI_FREE.lower())


def _plain(data: Any) -> dict[str, Any]:
    """A display's data as a notebook file holds it: pictures as base64 text."""
    return {
        kind: b64encode(value).decode() if isinstance(value, bytes) else value for kind, value in data.items()
    }


def _error_output(error: BaseException) -> Any:
    import traceback

    from nbformat.v4 import new_output

    # Only where it broke, not the values around it: a frame may hold a patient's data.
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{frame.name}, line {frame.lineno}" for frame in frames[-3:]]
    return new_output("error", ename=type(error).__name__, evalue=str(error), traceback=lines)


@contextlib.contextmanager
def _streams(emit: Callable[[Any], None]) -> Any:
    from nbformat.v4 import new_output

    class Stream:
        encoding = "utf-8"

        def __init__(self, name: str) -> None:
            self.name = name

        def write(self, text: str) -> int:
            if text:
                emit(new_output("stream", name=self.name, text=text))
            return len(text)

        def flush(self) -> None:
            pass

        def isatty(self) -> bool:
            return False

    saved = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    try:
        yield
    finally:
        sys.stdout, sys.stderr = saved


def _merge_streams(outputs: list[Any]) -> list[Any]:
    merged: list[Any] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.output_type == output.output_type == "stream"
            and last.name == output.name
        ):
            last.text += output.text
        else:
            merged.append(output)
    return merged
