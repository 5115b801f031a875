"""Reads and cleans files in a process of its own (see `apart`), for `workers`, which drives several.

The key and the reference folders come in a message, never on the command line, where others could read the key.
What a library prints while it breaks may hold a patient's value: from the first file on, nothing this process
prints is shown.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

from ncdsurv.errors import InputError, NcdsurvError
from ncdsurv.registry.apart import fall_silent, pipes
from ncdsurv.registry.limits import limit_memory, limit_time, seconds_for, too_large
from ncdsurv.registry.messages import receive, send

if TYPE_CHECKING:
    from ncdsurv.catalog.sources import SourceMapping
    from ncdsurv.clean import CleanBatch
    from ncdsurv.ingest import RawBatch

Source: TypeAlias = "str | SourceMapping"
"""A source of the catalog by its id, or a mapping that is in no catalog."""


@dataclass(frozen=True, repr=False)
class Begin:
    """Opens a session: the store's key and the folders of its reference packs."""

    key: bytes
    packs: list[Path]


@dataclass(frozen=True)
class Cleaned:
    """Some files, cleaned together.

    Attributes:
        refused: For each file, None or the error that refuses it.
        batch: The clean rows of the files that were not refused; None when all were.
        skipped: SHA-256 of a file -> its sheets that hold no table of the source, each with the reason.
        more: Another part of the same file follows; what a refusal follows is void.
    """

    refused: list[NcdsurvError | None]
    batch: CleanBatch | None
    skipped: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    more: bool = False


class Cleaner:
    """Reads and cleans one file after the other.

    Args:
        key: The store's key.
        packs: Folders of added reference packs.
    """

    def __init__(self, key: bytes, packs: list[Path]) -> None:
        from ncdsurv.catalog import load_catalog
        from ncdsurv.clean import clean_batch
        from ncdsurv.ingest import concat_batches, read_file, read_parts
        from ncdsurv.reference import load_reference

        self.key, self.catalog, self.reference = key, load_catalog(), load_reference(*packs)
        self._read, self._join, self._clean = read_file, concat_batches, clean_batch
        self._read_parts = read_parts

    def clean(self, paths: Sequence[Path], source: Source) -> Iterator[Cleaned | None]:
        """Read some files and clean them together; a file that cannot be read does not stop the others.

        Yields:
            What they became; one file alone comes in as many parts as it needs. None where one of several breaks
            the cleaning, so that each is tried alone.
        """
        mapping = self.catalog.need("sources", source) if isinstance(source, str) else source
        if len(paths) == 1:
            yield from self._one(paths[0], mapping)
        else:
            yield self._several(paths, mapping)

    def _one(self, path: Path, mapping: SourceMapping) -> Iterator[Cleaned]:
        before: Cleaned | None = None
        try:
            for raw in self._read_parts(path, mapping):
                if before is not None:
                    yield replace(before, more=True)
                before = self._cleaned([None], raw, mapping)
        except MemoryError:
            before = Cleaned([too_large(path)], None)
        except NcdsurvError as error:
            before = Cleaned([error], None)
        except Exception as error:
            before = Cleaned([_failed(path, error)], None)
        if before is not None:
            yield before

    def _several(self, paths: Sequence[Path], mapping: SourceMapping) -> Cleaned | None:
        raws: list[RawBatch] = []
        outcomes: list[NcdsurvError | None] = []
        for path in paths:
            try:
                raws.append(self._read(path, mapping))
                outcomes.append(None)
            except NcdsurvError as error:
                outcomes.append(error)
            except MemoryError:
                return None
            except Exception as error:
                outcomes.append(_failed(path, error))
        try:
            return self._cleaned(outcomes, self._join(raws), mapping) if raws else Cleaned(outcomes, None)
        except Exception:  # memory too: each will be tried alone
            return None

    def _cleaned(self, outcomes: list[NcdsurvError | None], raw: RawBatch, mapping: SourceMapping) -> Cleaned:
        batch = self._clean(raw, mapping, self.catalog, self.reference, self.key)
        return Cleaned(outcomes, batch, {file.sha256: file.skipped for file in raw.files if file.skipped})


def _failed(path: Path, error: Exception) -> InputError:
    """A fault of ours on this file: says where, and no message of a library, which may hold a value."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "ncdsurv" in frame.filename] or frames
    where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
    return InputError(
        "the reader failed on a file",
        got=f"{path.name} ({type(error).__name__} at {where})",
        do="report this",
    )


def _answer(outbox: IO[bytes], cleaner: Cleaner, paths: Sequence[Path], source: Source) -> None:
    try:
        for answer in cleaner.clean(paths, source):
            send(outbox, answer)
    except MemoryError:  # a message is whole before any of it is sent: another may take its place
        send(outbox, Cleaned([too_large(paths[0])], None) if len(paths) == 1 else None)


def main() -> None:
    """Serve until the parent closes the pipe: `Begin` opens a session, (paths, source) is a request in it."""
    cleaner: Cleaner | None = None
    with pipes() as (inbox, outbox):
        while True:
            message = receive(inbox)
            if isinstance(message, Begin):
                fresh = cleaner is None
                cleaner = Cleaner(message.key, message.packs)
                send(outbox, True)  # ready
                if fresh:
                    fall_silent()
                    limit_memory()
            elif cleaner is not None:
                limit_time(seconds_for(message[0]))
                _answer(outbox, cleaner, *message)
