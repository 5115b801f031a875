"""Sources of the catalog and mappings of a user's own: one door, the same checks, kept with what they read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ncdsurv.catalog.sources import SourceMapping, read_mapping
from ncdsurv.errors import DefinitionError, InputError, StoreError, UsageError

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.registry.store import Store
    from ncdsurv.registry.worker import Source

SUFFIX = ".toml"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class NamedSource:
    """What a user said after `--source`.

    Attributes:
        id: Name of the source in every record.
        how: Its id in the catalog, or the mapping itself.
        file: The file of the mapping; None for a source of the catalog.
    """

    id: str
    how: Source
    file: Path | None = None

    def mapping(self, catalog: Catalog) -> SourceMapping:
        """The mapping itself."""
        return catalog.sources[self.how] if isinstance(self.how, str) else self.how


def name_source(said: str | Path, catalog: Catalog) -> NamedSource:
    """A source by its id, or by the file of its mapping (`my_clinic.toml` is the source `my_clinic`).

    Raises:
        UsageError: Unknown id, or a file whose name is no id or that of a source of the catalog.
        InputError: The file cannot be read.
        DefinitionError: Everything that is wrong with the mapping, at once.
    """
    path = Path(said)
    if str(said) in catalog.sources or path.suffix.lower() != SUFFIX:
        catalog.need("sources", str(said))
        return NamedSource(str(said), str(said))
    if path.stem in catalog.sources or not _ID.fullmatch(path.stem):
        raise UsageError(
            "the name of a mapping's file is the name of its source",
            got=path.name,
            allowed="letters, digits, _ and -, and no source that ncdsurv already has",
            do="rename the file",
        )
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(
            "the mapping cannot be read", got=f"{path.name} ({error.strerror})", do="check the path"
        ) from None
    mapping, problems = read_mapping(text, path.stem, catalog.diseases)
    for name, how in mapping.fields.items() if mapping else ():
        if how.code_list is not None and how.code_list not in catalog.code_lists:
            problems.append(
                f"[fields.{name}] unknown code_list {how.code_list!r}; allowed: {', '.join(catalog.code_lists)}"
            )
    if mapping is None or problems:
        raise DefinitionError(f"{path.name}: {problem}" for problem in problems)
    return NamedSource(path.stem, mapping, path)


def kept_source(store: Store, source: str, mapping: str | None) -> Source:
    """The source under which a kept file was taken in, as it was then.

    Args:
        store: The store.
        source: Name of the source in the ingest log.
        mapping: SHA-256 of the kept mapping; None for a source of the catalog.

    Raises:
        StoreError: The kept mapping is missing, was changed, or does not fit the catalog any more.
    """
    if mapping is None:
        return source
    found: SourceMapping | None
    found, problems = read_mapping(
        store.files.open_path(mapping).read_bytes(), source, store.catalog.diseases
    )
    if found is None:
        raise StoreError(
            "a kept mapping does not fit the definitions any more",
            got=f"{source}: {'; '.join(problems)}",
            do="ingest the files again with a mapping that does",
        )
    return found
