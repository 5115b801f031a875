"""How a sheet is named in messages and reports: by its number; by its name only where the mapping knows the name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.ingest.headers import fold

if TYPE_CHECKING:
    from ncdsurv.catalog.sources import SourceMapping


def sheet_shown(number: int, name: str, mapping: SourceMapping) -> str:
    """A sheet for a message; a name that no mapping gives may be a person's.

    Args:
        number: From 1, in the order of the workbook, hidden sheets included.
        name: As in the workbook.
        mapping: Whose sheet names may be shown.

    >>> from ncdsurv.catalog import load_catalog
    >>> ministry = load_catalog().sources["moh_ncd_excel"]
    >>> sheet_shown(1, "THA", ministry), sheet_shown(2, "Lò Thị Mẫu", ministry)
    ('sheet 1 (THA)', 'sheet 2')
    """
    known = {fold(own) for sheet in mapping.sheets.values() for own in sheet.names}
    return f"sheet {number} ({name})" if fold(name) in known else f"sheet {number}"
