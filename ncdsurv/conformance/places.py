"""Where a source system keeps a data element, in words a vendor can find it by."""

from __future__ import annotations

from ncdsurv.catalog.elements import DataElement
from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.conformance.tally import sheets_telling
from ncdsurv.conformance.words import words


def places(element: DataElement, mapping: SourceMapping, lang: str) -> list[str]:
    """Columns of a source that fill an element, in order of preference; none where it has no place for it."""
    say = words(lang)
    found: list[str] = []
    for name in element.filled_by:
        how = mapping.fields.get(name)
        if how is not None:
            found += how.columns
            if not how.columns:
                found.append(say["doc_fixed"].format(value=how.default))
        if name in mapping.file_fields:
            found.append(say["doc_file_name"])
        if lab := mapping.labs.get(name):
            found.append(say["doc_lab"].format(codes=", ".join((*lab.service_codes, *lab.names[:1]))))
    if sheets := sheets_telling(element, mapping):
        named = [(mapping.sheets[sheet].names or (sheet,))[0] for sheet in sheets]
        found.append(say["doc_sheet"].format(sheets=", ".join(named)))
    return list(dict.fromkeys(found))
