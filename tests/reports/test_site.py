"""The site works from a folder without a network: every link is relative and leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path


def _links(page: Path) -> list[str]:
    return re.findall(r'<a\b[^>]*\bhref="([^"]+)"', page.read_text(encoding="utf-8"))


def test_every_link_is_relative_and_leads_to_a_file(reports: Path) -> None:
    site = reports / "site"
    for page in site.glob("*.html"):
        links = _links(page)
        assert links
        for link in links:
            assert not link.startswith(("/", "http", "file", "..")), link
            assert (site / link.partition("#")[0]).is_file(), link


def test_the_map_and_the_table_link_to_each_province(reports: Path) -> None:
    page = (reports / "site" / "index.html").read_text(encoding="utf-8")
    drawing = page[page.index("<svg") : page.index("</svg>")]
    for code in ("02", "37", "56", "64", "79", "84"):
        link = f"reports/province_report.{code}.2024.vi.html"
        assert link in drawing
        assert page.count(f'href="{link}"') >= 2


def test_the_front_page_links_to_the_interactive_maps_in_its_language(reports: Path) -> None:
    site = reports / "site"
    maps = [link for link in _links(site / "index.html") if link.startswith("maps/")]
    areas = [link.split(".")[2] for link in maps]
    assert areas == ["province", "02", "37", "56", "64", "79", "84"]
    assert all(link.endswith("#vi") for link in maps)
    for path in (site / "maps").glob("*.html"):
        assert path.stat().st_size < 300_000
        assert "hư cấu" in path.read_text(encoding="utf-8")  # the people of the samples are invented


def test_both_languages_are_there_and_lead_to_each_other(reports: Path) -> None:
    site = reports / "site"
    assert "index.en.html" in _links(site / "index.html")
    assert "index.html" in _links(site / "index.en.html")
    assert "Viet Nam" in (site / "index.en.html").read_text(encoding="utf-8")


def test_a_copy_of_the_folder_is_complete(reports: Path) -> None:
    pages = {path.name for path in (reports / "site" / "reports").glob("*.html")}
    made = {path.name for path in (reports / "reports").rglob("*.html")}
    assert pages == made
