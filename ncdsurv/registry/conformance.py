"""Checks an export in a process of its own, held to the limits of memory and time that reading has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.elements import load_standard
from ncdsurv.conformance.check import groups, make_report
from ncdsurv.conformance.report import ConformanceReport, Refused
from ncdsurv.conformance.tally import Counts
from ncdsurv.errors import InputError
from ncdsurv.ingest.bundles import bundled
from ncdsurv.registry.apart import Request, answer_once, ask_once

if TYPE_CHECKING:
    from ncdsurv.catalog.sources import SourceMapping

_MAIN = "ncdsurv.registry.conformance:main"

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
    try:
        return [ask_once(_MAIN, (list(group), mapping, list(packs)), group)]
    except InputError as error:
        if len(group) == 1:
            return [(Counts(), [Refused(group[0].name, str(error))])]
    return [found for path in group for found in _count([path], mapping, packs)]


def main() -> None:
    """Answer the one request of the parent: counts, or why the files are refused."""
    answer_once(_prepared)


def _prepared(group: Sequence[Path], mapping: SourceMapping, packs: Sequence[Path]) -> Request:
    from ncdsurv.conformance.check import count_files
    from ncdsurv.reference import load_reference

    catalog, reference, standard = load_catalog(), load_reference(*packs), load_standard()
    return group, lambda: count_files(group, mapping, catalog, reference, standard)
