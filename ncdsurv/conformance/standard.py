"""Writes the data standard: two documents, a table and a JSON Schema, from the definitions and mappings alone.

`python -m ncdsurv.conformance.standard FOLDER` writes them; the same definitions give the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.elements import DataStandard, load_standard
from ncdsurv.catalog.vocabulary import Language
from ncdsurv.conformance.document import document
from ncdsurv.conformance.need import Alternatives, besides
from ncdsurv.conformance.places import places
from ncdsurv.conformance.schema import record_schema
from ncdsurv.errors import UsageError

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

_LANG = str(Language.EN)


def standard_files(catalog: Catalog, standard: DataStandard | None = None) -> dict[str, str]:
    """The files of the standard: name -> text."""
    standard = standard or load_standard()
    schema = json.dumps(record_schema(catalog, standard), ensure_ascii=False, indent=2)
    return {
        **{f"README.{lang}.md": document(catalog, standard, str(lang)) for lang in Language},
        "data-elements.csv": _csv(element_rows(catalog, standard)),
        "record.schema.json": schema + "\n",
    }


def write_standard(out: str | Path, catalog: Catalog | None = None) -> list[Path]:
    """Write the files of the standard.

    Args:
        out: Folder, made if it is not there.
        catalog: The definitions; the package's own when None.

    Returns:
        What was written.
    """
    from ncdsurv.catalog import load_catalog

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in standard_files(catalog or load_catalog()).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
        written.append(folder / name)
    return written


def element_rows(catalog: Catalog, standard: DataStandard) -> list[dict[str, Any]]:
    """One row per element: everything that is known of it, and its column in every source."""
    rows, wanted = [], besides(catalog, standard)
    for element in standard.elements.values():
        limits = element.limits(catalog)
        bounds = dict(limits.limits.tests[0].bounds) if limits else {}
        rows.append(
            {
                "element": element.id,
                "group": element.group,
                "name_vi": element.names.vi,
                "name_en": element.names.en,
                "definition_vi": element.definition.vi,
                "definition_en": element.definition.en,
                "type": element.kind,
                "list": _yes(element.list),
                "unit": limits.unit if limits else "",
                "limits": " ".join(f"{name} {bound:g}" for name, bound in bounds.items()),
                "codes": " ".join(element.code_list or element.units(catalog)),
                "code_list": element.codes.en if element.codes else "",
                "pattern": element.pattern or "",
                "required": _yes(element.required),
                "needed_for_vi": element.needed_for.vi if element.needed_for else "",
                "needed_for_en": element.needed_for.en if element.needed_for else "",
                "indicators": " ".join(_indicators(element.id, wanted)),
                **{
                    f"column_{name}": "; ".join(places(element, mapping, _LANG))
                    for name, mapping in catalog.sources.items()
                },
                "source": element.source,
                "verified": _yes(element.verified),
            }
        )
    return rows


def _indicators(element: str, wanted: dict[str, dict[str, Alternatives]]) -> list[str]:
    """Indicators that need an element besides the required ones (`wanted`, of `besides`)."""
    return [
        name
        for name, of_diseases in wanted.items()
        if any(element in every for alternatives in of_diseases.values() for every in alternatives)
    ]


def _yes(answer: bool) -> str:
    return "true" if answer else "false"


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def main(arguments: Sequence[str]) -> None:
    """Write the standard into the folder named."""
    if len(arguments) != 1:
        raise UsageError("one folder is needed", got=len(arguments), do="name the folder to write into")
    for path in write_standard(arguments[0]):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
