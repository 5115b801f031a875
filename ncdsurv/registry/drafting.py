"""Drafts a mapping in a process of its own, held to the limits of memory and time that reading has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ncdsurv.errors import InputError, NcdsurvError
from ncdsurv.registry.limits import frugal, limit_memory, limit_time, seconds_for, too_large
from ncdsurv.registry.worker import receive, send

if TYPE_CHECKING:
    from ncdsurv.draft import Draft

_RUN = "from ncdsurv.registry.drafting import main; main()"
_PATIENCE = 3


def draft_apart(path: Path, source: str, facility: str | None = None) -> Draft:
    """Draft a mapping for a table; see `ncdsurv.draft.draft_source`.

    Raises:
        InputError: The file is hostile, damaged, no table, or needs more than reading may take.
    """
    child = subprocess.Popen(
        [sys.executable, "-c", _RUN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what a library prints while it breaks may hold a patient's value
        env=frugal(os.environ),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        send(child.stdin, (path, source, facility))
        answer: Draft | NcdsurvError = receive(child.stdout)
    except (EOFError, OSError):
        late = child.wait(_PATIENCE * seconds_for([path])) == -signal.SIGXCPU
        raise InputError(
            f"{path.name} {'takes too long to read' if late else 'broke the reader'}",
            do="open it and save it anew",
        ) from None
    finally:
        child.kill()
        child.stdin.close()
        child.stdout.close()
        child.wait()
    if isinstance(answer, NcdsurvError):
        raise answer
    return answer


def main() -> None:
    """Answer the one request of the parent: a draft, or the error that refuses the file."""
    inbox, outbox = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    path, source, facility = receive(inbox)
    from ncdsurv.catalog import load_catalog
    from ncdsurv.draft import draft_source
    from ncdsurv.reference import load_reference

    catalog, reference = load_catalog(), load_reference()
    limit_memory()
    limit_time(seconds_for([path]))
    try:
        send(outbox, draft_source(path, source, catalog, reference, facility))
    except MemoryError:
        send(outbox, too_large(path))
    except NcdsurvError as error:
        send(outbox, InputError(str(error)))
