"""Interactive maps of the site: the measure of the front page's map, by province and commune, through all months."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ncdsurv.catalog.vocabulary import Level, Period
from ncdsurv.store.atomic import write_whole

LEVELS = (Level.PROVINCE, Level.COMMUNE)


def write_maps(out: Path, release: Any, reference: Any, shown: dict[str, Any]) -> dict[str, str]:
    """Write one page for each level that the release has values of; both languages are in it.

    Args:
        out: Folder of the site.
        release: The release.
        reference: Names and boundaries.
        shown: The measure: indicator, disease, preset, vintage and the period that the site is about.

    Returns:
        Level -> address of its page, relative to the site's folder.
    """
    from ncdsurv.maps import interactive_map

    kind = Period.parse(shown["period"]).kind
    periods = [one for one in release.contents()["period"] if Period.parse(one).kind is kind]
    found = {}
    for level in LEVELS:
        values = release.values(
            shown["indicator"],
            disease=shown["disease"],
            level=str(level),
            vintage=shown["vintage"],
            preset=shown["preset"],
            period=periods,
        )
        if values["value"].drop_nulls().is_empty():
            continue
        page = interactive_map(values, release=release, reference=reference)
        address = f"maps/{shown['indicator']}.{shown['disease']}.{level}.html"
        target = out / address
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, page.html.encode())
        found[str(level)] = address
    return found
