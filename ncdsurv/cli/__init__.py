"""The command line: parse, call one verb, print. Nothing heavy is imported until a command runs.

Exit codes: 0 all well, 1 some parts failed, 2 usage, 3 preflight, 4 all failed, 130 stopped.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer

from ncdsurv import __version__
from ncdsurv.cli import checking, definitions, publishing, records, service, sources
from ncdsurv.errors import EXIT_ALL_FAILED, EXIT_STOPPED, EXIT_USAGE, NcdsurvError, nearest

TRACEBACK_VARIABLE = "NCDSURV_TRACEBACK"

app = typer.Typer(
    name="ncdsurv",
    help="Surveillance of non-communicable diseases for Viet Nam's commune health stations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for part in (publishing, records, checking, definitions, sources, service):
    part.register(app)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"ncdsurv {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", help="Print the version and stop.", callback=_show_version, is_eager=True
    ),
) -> None:
    """Surveillance of non-communicable diseases for Viet Nam's commune health stations."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; every error of ours is one line, never a traceback.

    Args:
        arguments: Words after `ncdsurv`; the process's own when None.

    Returns:
        The exit code.
    """
    command = typer.main.get_command(app)
    try:
        code = command.main(
            args=list(arguments) if arguments is not None else None,
            prog_name="ncdsurv",
            standalone_mode=False,
        )
    except NcdsurvError as error:
        typer.echo(f"ncdsurv: {error}", err=True)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = EXIT_STOPPED
    except BrokenPipeError:
        # The reader (head, less) went away: not our failure, and nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if not hasattr(error, "format_message"):
            if os.environ.get(TRACEBACK_VARIABLE):
                raise
            typer.echo(f"ncdsurv: {_our_fault(error)}", err=True)
            return EXIT_ALL_FAILED
        typer.echo(f"ncdsurv: {_usage_message(error)}", err=True)
        return getattr(error, "exit_code", EXIT_USAGE)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how native code breaks; not an ordinary exception
            raise
        typer.echo(f"ncdsurv: {_our_fault(error)}", err=True)
        return EXIT_ALL_FAILED
    if code == EXIT_STOPPED:  # the parser turns Ctrl-C into this code without a word
        typer.echo("ncdsurv: stopped", err=True)
    return int(code) if isinstance(code, int) else 0


def _our_fault(error: BaseException) -> str:
    """A fault of ours: where it happened, without the message of a library, which may hold a patient's value."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "ncdsurv" in frame.filename] or frames
    where = f"{os.path.basename(ours[-1].filename)}:{ours[-1].lineno}" if ours else "an unknown place"
    return (
        f"a fault of ncdsurv itself: got {type(error).__name__} at {where}; do: report this line, or set "
        f"{TRACEBACK_VARIABLE}=1 to see all (it may show patients' values)"
    )


def _usage_message(error: Any) -> str:
    """The parser's message, with the nearest option where one was mistyped."""
    message = " ".join(str(error.format_message()).split())
    context = getattr(error, "ctx", None)
    option = getattr(error, "option_name", None)
    if option and context is not None and "mean" not in message:
        known = [
            name
            for parameter in context.command.params
            for name in (*parameter.opts, *parameter.secondary_opts)
        ]
        near = nearest(option, [name for name in known if name.startswith("-")])
        message += f"; try {near}" if near else ""
    if context is not None:
        message += f" (see {context.command_path} --help)"
    return message


def main() -> None:
    """Entry point of the `ncdsurv` command."""
    sys.exit(run())
