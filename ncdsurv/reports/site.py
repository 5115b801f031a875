"""A small offline site: a map that links to each province's report, interactive maps, a table, the overview, forms.

The folder holds everything it links to and every link is relative, so it can be copied to a stick as it is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from ncdsurv.catalog.vocabulary import Language
from ncdsurv.maps.style import nfc
from ncdsurv.reports.index_page import IndexPage
from ncdsurv.reports.manifest import Manifest, ReportEntry
from ncdsurv.reports.site_maps import SiteMaps, write_maps
from ncdsurv.reports.texts import Texts
from ncdsurv.store.atomic import write_whole


def write_site(
    out: Path | str,
    *,
    store: Path | str,
    release: str,
    reports: Path | str,
    forms: Path | str | None = None,
    languages: Iterable[str] = tuple(Language),
) -> list[Path]:
    """Write the site of one release.

    Args:
        out: Folder of the site.
        store: Folder or address of the registry.
        release: Release id.
        reports: Folder of the reports, with their manifest.
        forms: Folder of filled forms; None when there are none.
        languages: Languages, the first one at `index.html`.

    Returns:
        The index pages written.
    """
    from ncdsurv.registry import open_store

    opened = open_store(store)
    chosen = opened.releases.open(release)
    out, reports = Path(out), Path(reports)
    out.mkdir(parents=True, exist_ok=True)
    entries = [e for e in Manifest(reports).entries.values() if e.release == chosen.id and not e.failed]
    pages = {entry.key: _copy(entry, reports, out) for entry in entries}
    copied_forms = _copy_forms(Path(forms), out) if forms else []
    words = [str(lang) for lang in languages]
    names = {lang: "index.html" if not number else f"index.{lang}.html" for number, lang in enumerate(words)}
    written = []
    maps: SiteMaps | None = None  # the same pages for all languages
    for lang in words:
        own = [entry for entry in entries if entry.parameters.get("lang") == lang]
        others = {other: names[other] for other in words if other != lang}
        page = IndexPage(chosen, opened.reference, Texts(lang), own, pages, copied_forms, others)
        # Pages first, index last: at no instant does the index link to what is not there.
        if maps is None and (shown := page.measure()) is not None:
            codes = sorted(
                {entry.parameters["province"] for entry in entries if "province" in entry.parameters}
            )
            maps = write_maps(out, chosen, opened.reference, shown, codes)
        page.maps = maps or SiteMaps()
        write_whole(out / names[lang], nfc(page.html()).encode())
        written.append(out / names[lang])
    return written


def _copy(entry: ReportEntry, reports: Path, out: Path) -> str:
    source = next(name for name in entry.outputs if name.endswith(".html"))
    target = out / "reports" / Path(source).name
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, (reports / source).read_bytes())
    return f"reports/{target.name}"


def _copy_forms(forms: Path, out: Path) -> list[str]:
    (out / "forms").mkdir(parents=True, exist_ok=True)
    found = sorted(forms.glob("*.xlsx"))
    for path in found:
        shutil.copyfile(path, out / "forms" / path.name)
    return [f"forms/{path.name}" for path in found]
