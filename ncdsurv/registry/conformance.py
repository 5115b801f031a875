"""Checks an export in a process of its own, held to the limits of memory and time that reading has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.elements import load_standard
from ncdsurv.conformance.check import groups, make_report
from ncdsurv.conformance.report import ConformanceReport, Refused
from ncdsurv.conformance.tally import Counts
from ncdsurv.ingest.bundles import bundled
from ncdsurv.registry.limits import frugal, limit_memory, limit_time, seconds_for, too_large
from ncdsurv.registry.worker import receive, send

if TYPE_CHECKING:
    from ncdsurv.catalog.sources import SourceMapping

_RUN = "from ncdsurv.registry.conformance import main; main()"
_PATIENCE = 3

Counted = tuple[Counts, list[Refused]]


def check_apart(
    paths: Iterable[Path],
    mapping: SourceMapping,
    packs: Sequence[Path],
    progress: Callable[[int, int], None] | None = None,
) -> ConformanceReport:
    """Check the files of one export; see `ncdsurv.conformance.check_conformance`.

    A file that breaks the reader, never ends or needs too much memory is refused; the others are checked.

    Args:
        paths: Files.
        mapping: The source they come from.
        packs: Folders of added reference packs.
        progress: Told (files done, files in all).
    """
    total, refused, done = Counts(), [], 0
    with bundled(paths, mapping) as files:
        for group in groups(files):
            for counted, wrong in _count(group, mapping, packs):
                total.add(counted)
                refused += wrong
            done += len(group)
            if progress:
                progress(done, len(files))
    return make_report(total, done, refused, mapping, load_catalog(), load_standard())


def _count(group: Sequence[Path], mapping: SourceMapping, packs: Sequence[Path]) -> list[Counted]:
    """Count some files in a child; where they break it, each alone, so that one costs not the others."""
    answer = _ask(group, mapping, packs)
    if not isinstance(answer, str):
        return [answer]
    if len(group) == 1:
        return [(Counts(), [Refused(group[0].name, answer)])]
    return [found for path in group for found in _count([path], mapping, packs)]


def _ask(group: Sequence[Path], mapping: SourceMapping, packs: Sequence[Path]) -> Counted | str:
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
        send(child.stdin, (list(group), mapping, list(packs)))
        answer: Counted | str = receive(child.stdout)
        return answer
    except (EOFError, OSError):
        late = child.wait(_PATIENCE * seconds_for(group)) == -signal.SIGXCPU
        return f"{group[0].name} {'takes too long to read' if late else 'broke the reader'}"
    finally:
        child.kill()
        child.stdin.close()
        child.stdout.close()
        child.wait()


def main() -> None:
    """Answer the one request of the parent: counts, or why the file is refused."""
    inbox, outbox = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    group, mapping, packs = receive(inbox)
    from ncdsurv.conformance.check import count_files
    from ncdsurv.reference import load_reference

    catalog, reference, standard = load_catalog(), load_reference(*packs), load_standard()
    limit_memory()
    limit_time(seconds_for(group))
    try:
        send(outbox, count_files(group, mapping, catalog, reference, standard))
    except MemoryError:
        send(outbox, str(too_large(group[0])))
