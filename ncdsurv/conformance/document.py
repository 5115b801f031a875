"""The data standard as a page to read, in Vietnamese or English."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ncdsurv.catalog.elements import DataElement, DataStandard
from ncdsurv.conformance.need import Alternatives, besides
from ncdsurv.conformance.places import places
from ncdsurv.conformance.words import words

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

_SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
_COMMAND = "ncdsurv conformance FILE --source NAME --lang {lang}"


def document(catalog: Catalog, standard: DataStandard, lang: str) -> str:
    """The standard as Markdown."""
    say = words(lang)
    tolerance = standard.tolerance
    lines = [
        f"# {say['doc_title']}",
        "",
        say["doc_intro"],
        "",
        say["doc_check"],
        "",
        "```",
        _COMMAND.format(lang=lang),
        "```",
        "",
        say["doc_tolerance"].format(missing=tolerance.missing_percent, malformed=tolerance.malformed_percent),
        "",
        say["doc_files"],
        "",
        f"## {say['doc_elements']}",
        "",
        *_elements(catalog, standard, lang),
        f"## {say['doc_indicators']}",
        "",
        say["doc_indicators_intro"],
        "",
        *_indicators(catalog, standard, lang),
        f"## {say['doc_sources']}",
        "",
        *_sources(catalog, standard, lang),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _elements(catalog: Catalog, standard: DataStandard, lang: str) -> list[str]:
    say, lines = words(lang), []
    for group in dict.fromkeys(element.group for element in standard.elements.values()):
        rows = [
            [
                f"`{element.id}`" + ("" if element.verified else " †"),
                element.names[lang] + (f" (**{say['doc_required']}**)" if element.required else ""),
                element.definition[lang],
                _type(element, catalog, lang),
                element.needed_for[lang] if element.needed_for else "",
            ]
            for element in standard.elements.values()
            if element.group == group
        ]
        head = [say[f"doc_{name}"] for name in ("id", "name", "definition", "type", "needed")]
        lines += [f"### {say[f'group_{group}']}", "", *_table(head, rows), ""]
    return [*lines, say["doc_unverified"], ""]


def _type(element: DataElement, catalog: Catalog, lang: str) -> str:
    say = words(lang)
    parts = [say[f"type_{element.kind}"]]
    if element.list:
        parts = [f"{say['type_list']}: {parts[0]}"]
    if codes := element.code_list or element.units(catalog):
        parts.append(", ".join(f"`{code}`" for code in codes))
    if limits := element.limits(catalog):
        bounds = [f"{_SIGNS[name]} {bound:g}" for test in limits.limits.tests for name, bound in test.bounds]
        parts.append(f"{', '.join(bounds)} {limits.unit}")
    if element.pattern:
        parts.append(f"`{element.pattern}`")
    if element.codes:
        parts.append(element.codes[lang])
    return "; ".join(parts)


def _indicators(catalog: Catalog, standard: DataStandard, lang: str) -> list[str]:
    say, rows = words(lang), []
    for name, wanted in besides(catalog, standard).items():
        by_need: dict[Alternatives, list[str]] = {}
        for disease, more in wanted.items():
            by_need.setdefault(more, []).append(disease)
        for more, diseases in by_need.items():
            everyone = len(diseases) == len(catalog.diseases)
            rows.append(
                [
                    catalog.indicators[name].names[lang],
                    say["doc_all_diseases"]
                    if everyone
                    else ", ".join(catalog.diseases[disease].names[lang] for disease in diseases),
                    f" {say['doc_or']} ".join(
                        " + ".join(standard.elements[element].names[lang] for element in every)
                        for every in more
                    ),
                ]
            )
    return [*_table([say[f"doc_{name}"] for name in ("indicator", "disease", "besides")], rows), ""]


def _sources(catalog: Catalog, standard: DataStandard, lang: str) -> list[str]:
    say, lines = words(lang), []
    for name, mapping in catalog.sources.items():
        rows, absent = [], []
        for element in standard.elements.values():
            found = places(element, mapping, lang)
            if found:
                rows.append([f"`{element.id}`", element.names[lang], "; ".join(found)])
            else:
                absent.append(element.names[lang])
        mark = "" if mapping.verified else " †"
        head = [say[f"doc_{part}"] for part in ("id", "name", "column")]
        lines += [
            f"### {mapping.names[lang]} (`{name}`){mark}",
            "",
            mapping.source[lang],
            "",
            *_table(head, rows),
            "",
        ]
        if absent:
            lines += [f"{say['doc_absent']}: {', '.join(absent)}.", ""]
    return lines


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(head)
    lines = [names, ["---"] * len(names), *(list(row) for row in rows)]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]
