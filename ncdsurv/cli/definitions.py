"""Commands that look and change nothing: catalog, doctor."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ncdsurv.catalog.vocabulary import Language
from ncdsurv.cli.options import DEFAULT_STORE, JsonOption, StoreOption
from ncdsurv.cli.show import show_json, show_rows
from ncdsurv.errors import EXIT_PREFLIGHT, UsageError, unknown

SHOW = "show"
KINDS = ("diseases", "indicators", "sources", "forms", "presets", "notebooks", "elements", "metrics")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (catalog, doctor):
        app.command()(command)


def catalog(
    kind: Annotated[
        str, typer.Argument(help=f"One of: {', '.join(KINDS)}; or {SHOW} for an indicator's card.")
    ],
    name: Annotated[str | None, typer.Argument(help="Id of one entry, to see all of it.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of the names: vi or en.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """The definitions: diseases, indicators, presets, sources, forms, notebooks, data elements, quality metrics."""
    if kind == SHOW:
        show_card(name, lang, as_json)
        return
    if kind not in KINDS:
        raise unknown("kind of definition", kind, (*KINDS, SHOW))
    entries = _entries(kind)
    if name is not None:
        if name not in entries:
            raise unknown(kind.removesuffix("s"), name, entries)
        show_json(_plain(entries[name]))
    elif as_json:
        show_json({key: _plain(entry) for key, entry in entries.items()})
    else:
        show_rows([_row(key, entry, lang) for key, entry in entries.items()], ["id", "name", "verified"])


def show_card(name: str | None, lang: str, as_json: bool) -> None:
    """Print what an indicator means, from its definition."""
    from ncdsurv.catalog import load_catalog
    from ncdsurv.catalog.cards import card, card_text

    if lang not in list(Language):
        raise unknown("language", lang, [language.value for language in Language])
    definitions = load_catalog()
    if name is None:
        raise UsageError(
            "no indicator named",
            do=f"ncdsurv catalog {SHOW} INDICATOR; list them with: ncdsurv catalog indicators",
        )
    indicator = definitions.need("indicators", name)
    if as_json:
        show_json({"id": name, **card(indicator, definitions, lang)})
    else:
        typer.echo(card_text(indicator, definitions, lang))


def _entries(kind: str) -> dict[str, Any]:
    if kind == "notebooks":
        from ncdsurv.reports.catalogue import find_notebooks

        return dict(find_notebooks())
    if kind == "elements":
        from ncdsurv.catalog.elements import load_standard

        return dict(load_standard().elements)
    if kind == "metrics":
        from ncdsurv.quality import load_metrics

        return dict(load_metrics())
    from ncdsurv.catalog import load_catalog

    return dict(getattr(load_catalog(), kind))


def _plain(entry: Any) -> Any:
    return entry.model_dump(mode="json") if hasattr(entry, "model_dump") else entry


def _row(key: str, entry: Any, lang: str) -> dict[str, Any]:
    names = _plain(getattr(entry, "names", None) or getattr(entry, "title", None) or {})
    verified = getattr(entry, "verified", None)
    return {
        "id": key,
        "name": names.get(lang, key),
        "verified": "" if verified is None else str(verified).lower(),
    }


def doctor(store: StoreOption = DEFAULT_STORE) -> None:
    """Check what a run needs: libraries, definitions, reference data, fonts, space, registry."""
    from ncdsurv.reports.doctor import examine

    findings = examine(store)
    show_rows([finding._asdict() for finding in findings], ["check", "state", "detail"])
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(EXIT_PREFLIGHT)
