"""The front page of the site in one language."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from ncdsurv.catalog.vocabulary import Level
from ncdsurv.reference import is_invented
from ncdsurv.reports.catalogue import find_notebooks
from ncdsurv.reports.content.blocks import Block, heading, paragraph
from ncdsurv.reports.content.report import layout
from ncdsurv.reports.html import TEMPLATES
from ncdsurv.reports.manifest import ReportEntry
from ncdsurv.reports.site_maps import SiteMaps
from ncdsurv.reports.texts import Texts


class IndexPage:
    """The index in one language."""

    def __init__(
        self,
        release: Any,
        reference: Any,
        text: Texts,
        entries: list[ReportEntry],
        pages: dict[str, str],
        forms: list[str],
        others: dict[str, str],
    ) -> None:
        self.release, self.reference, self.text = release, reference, text
        self.entries, self.pages, self.forms, self.others = entries, pages, forms, others
        self.maps = SiteMaps()

    def html(self) -> str:
        """The whole page."""
        text = self.text
        style = (TEMPLATES / "report" / "style.css").read_text(encoding="utf-8")
        parts = [
            self._languages(),
            Block("<header>"),
            heading(text("site.title"), 1),
            paragraph(text("site.lead")),
            Block("</header>"),
            paragraph(text("header.invented"), "banner")
            if is_invented(self.release, self.reference)
            else Block(""),
            self._overview(),
            self._map(),
            self._reports(),
            self._forms(),
            self._facts(),
        ]
        body = "\n".join(part.html for part in parts)
        return (
            f'<!DOCTYPE html>\n<html lang="{text.lang}">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<link rel="icon" href="data:,">\n<title>{escape(text("site.title"))}</title>\n'
            f"<style>\n{style}\n</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
        )

    def _languages(self) -> Block:
        links = (
            f'<a href="{href}" lang="{lang}" hreflang="{lang}">{escape(Texts(lang)("site.language"))}</a>'
            for lang, href in self.others.items()
        )
        return Block("<nav>" + " · ".join(links) + "</nav>")

    def _of(self, per: str) -> list[ReportEntry]:
        known = find_notebooks()
        return [entry for entry in self.entries if known[entry.notebook].per == per]

    def _overview(self) -> Block:
        links = [
            f'<li><a href="{escape(self.pages[entry.key])}">'
            f"{escape(find_notebooks()[entry.notebook].title[self.text.lang])}</a></li>"
            for entry in self._of("nation")
        ]
        return Block("<ul>" + "".join(links) + "</ul>" if links else "")

    def _map(self) -> Block:
        from ncdsurv.maps import map_svg_links

        provinces = self._of("province")
        if not provinces:
            return Block("")
        vintage = provinces[0].parameters["vintage"]
        links = {entry.parameters["province"]: self.pages[entry.key] for entry in provinces}
        values = self._rates(vintage)
        svg = map_svg_links(
            values,
            links,
            level=str(Level.PROVINCE),
            vintage=vintage,
            reference=self.reference,
            lang=self.text.lang,
        )
        caption = paragraph(self._caption(values.row(0, named=True))) if values.height else Block("")
        figure = Block(f'<figure class="links">{svg}</figure>')
        return heading(self.text("site.map"), 2) + caption + figure + self._moving_maps()

    def _moving_maps(self) -> Block:
        """Link to the interactive map of provinces, in the page's language."""
        from ncdsurv.maps.interactive.words import phrase

        if self.maps.provinces is None:
            return Block("")
        lang = self.text.lang
        words = phrase("link", lang, areas=self.text.say(f"level.{Level.PROVINCE}"))
        return Block(f'<p><a href="{escape(self.maps.provinces)}#{lang}">{escape(words)}</a></p>')

    def _commune_map(self, province: str, name: str) -> str:
        """Link to a province's interactive map of communes, for its cell in the table; nothing where there is none."""
        from ncdsurv.maps.interactive.words import phrase

        href = self.maps.communes.get(province)
        if href is None:
            return ""
        lang = self.text.lang
        words = phrase("link_within", lang)
        # The same words in every row: what a screen reader lists apart from the table names the province too.
        label = escape(f"{words}: {name}", quote=True)
        return f' · <a href="{escape(href)}#{lang}" aria-label="{label}">{escape(words)}</a>'

    def measure(self) -> dict[str, Any] | None:
        """What the map and the table show; None without a report of a province."""
        if not self._of("province"):
            return None
        values = self._rates(self._of("province")[0].parameters["vintage"])
        names = {"indicator": "indicator", "disease": "disease", "preset": "preset"}
        names |= {"vintage": "area_vintage", "period": "period"}
        return None if values.is_empty() else {key: values[name][0] for key, name in names.items()}

    def _rates(self, vintage: str) -> Any:
        """Control of the catalog's first disease that the release has: what the map and the table show."""
        from ncdsurv.catalog import load_catalog

        chosen = self._of("province")[0].parameters
        published = self.release.contents()["disease"]
        disease = next(name for name in load_catalog().diseases if name in published)
        return self.release.values(
            layout()["control"]["indicator"],
            disease=disease,
            level=str(Level.PROVINCE),
            vintage=vintage,
            preset=chosen["preset"],
            period=chosen["period"],
        )

    def _reports(self) -> Block:
        from ncdsurv.maps.wording import area_name

        text, provinces = self.text, self._of("province")
        if not provinces:
            return Block("")
        rates = {
            row["area_code"]: row
            for row in self._rates(provinces[0].parameters["vintage"]).iter_rows(named=True)
        }
        rows = []
        for entry in sorted(provinces, key=lambda item: item.parameters["province"]):
            code, vintage = entry.parameters["province"], entry.parameters["vintage"]
            name = area_name(self.reference, code, vintage, Level.PROVINCE, text.lang)
            rate = rates.get(code, {})
            shown = text.percent(rate.get("value"))
            interval = text.interval(rate.get("lower"), rate.get("upper"))
            link = (
                f'<a href="{escape(self.pages[entry.key])}">{escape(name)}</a>{self._commune_map(code, name)}'
            )
            rows.append(
                f"<tr><th scope=row>{escape(code)}</th><td>{link}</td>"
                f"<td class=n>{escape(shown)}</td><td class=n>{escape(interval)}</td></tr>"
            )
        sample = next(iter(rates.values()), None)
        caption = self._caption(sample) if sample else ""
        head = "".join(
            f"<th scope=col{kind}>{escape(text(key))}</th>"
            for key, kind in (
                ("column.code", ""),
                ("column.area", ""),
                ("column.rate", " class=n"),
                ("column.interval", " class=n"),
            )
        )
        return heading(text("site.reports"), 2) + Block(
            f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{''.join(rows)}</tbody></table>"
        )

    def _caption(self, row: dict[str, Any]) -> str:
        from ncdsurv.catalog import load_catalog
        from ncdsurv.maps.wording import rules_of, title_of

        catalog, lang = load_catalog(), self.text.lang
        return f"{title_of(row, catalog, lang)}, {self.text.period(row['period'])}; {rules_of(row, catalog, lang)}"

    def _forms(self) -> Block:
        from ncdsurv.catalog import load_catalog
        from ncdsurv.maps.wording import area_name

        if not self.forms:
            return Block("")
        catalog, lines = load_catalog(), []
        for href in self.forms:
            form_id, area, period, _ = Path(href).name.split(".")
            form = catalog.forms[form_id]
            level = self.reference.area(area, form.vintage)["level"]
            name = area_name(self.reference, area, form.vintage, level, self.text.lang)
            words = f"{form.levels[level].number[self.text.lang]} – {name}, {self.text.period(period)} (XLSX)"
            lines.append(f'<li><a href="{escape(href)}" download>{escape(words)}</a></li>')
        return heading(self.text("site.forms"), 2) + Block("<ul>" + "".join(lines) + "</ul>")

    def _facts(self) -> Block:
        text, manifest = self.text, self.release.manifest
        facts = [("fact_id", self.release.id), ("fact_as_of", text.period(manifest["as_of"]))]
        counts = {"fact_persons": "persons", "fact_visits": "visits", "fact_values": "values"}
        found = {**manifest, **manifest.get("counts", {}), **manifest.get("rows", {})}
        facts += [
            (key, text.number(found[name]))
            for key, name in counts.items()
            if isinstance(found.get(name), int)
        ]
        lines = "".join(
            f"<li>{escape(text(f'site.{key}'))}: {escape(str(value))}</li>" for key, value in facts
        )
        return heading(text("site.release"), 2) + Block(f"<ul>{lines}</ul>")
