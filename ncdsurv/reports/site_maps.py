"""Interactive maps of the site, through all months: of all provinces, and of the communes of each with a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ncdsurv.catalog.vocabulary import Level, Period
from ncdsurv.store.atomic import write_whole


@dataclass(frozen=True)
class SiteMaps:
    """Addresses of the pages, relative to the site's folder: of the provinces; of communes, by province."""

    provinces: str | None = None
    communes: dict[str, str] = field(default_factory=dict)


def write_maps(
    out: Path, release: Any, reference: Any, shown: dict[str, Any], provinces: Iterable[str]
) -> SiteMaps:
    """Write the pages that the release has values for; both languages are in each.

    Args:
        out: Folder of the site.
        release: The release.
        reference: Names and boundaries.
        shown: The measure: indicator, disease, preset, vintage and the period that the site is about.
        provinces: Codes of the provinces whose communes get a page.
    """
    kind = Period.parse(shown["period"]).kind
    periods = [one for one in release.contents()["period"] if Period.parse(one).kind is kind]

    def values(level: Level) -> Any:
        return release.values(
            shown["indicator"],
            disease=shown["disease"],
            level=str(level),
            vintage=shown["vintage"],
            preset=shown["preset"],
            period=periods,
        )

    def page(frame: Any, name: str, within: str | None = None) -> str | None:
        from ncdsurv.maps import interactive_map

        if frame["value"].drop_nulls().is_empty():
            return None
        made = interactive_map(frame, release=release, reference=reference, within=within)
        address = f"maps/{shown['indicator']}.{shown['disease']}.{name}.html"
        (out / address).parent.mkdir(parents=True, exist_ok=True)
        write_whole(out / address, made.html.encode())
        return address

    found = {}
    communes = values(Level.COMMUNE)
    for code in provinces:
        inside = reference.codes_within(code, shown["vintage"])
        address = page(communes.filter(communes["area_code"].is_in(inside)), code, within=code)
        if address is not None:
            found[code] = address
    return SiteMaps(page(values(Level.PROVINCE), str(Level.PROVINCE)), found)
