"""Pages opened in a real browser: nothing fails to load, nothing is asked for outside, nothing complains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.browser_support import open_page as _open


def test_all_pages_load_whole_and_ask_for_nothing_outside(browser: Any, reports: Path) -> None:
    pages = sorted((reports / "site").rglob("*.html"))
    assert len(pages) >= 10
    for path in pages:
        page, complaints = _open(browser, path)
        assert complaints == [], path.name
        broken = page.evaluate("[...document.images].filter(i => !i.complete || i.naturalWidth === 0).length")
        assert broken == 0, path.name
        assert page.evaluate("[...document.images].every(i => i.alt.trim().length > 0)"), path.name
        page.close()


def test_text_fits_the_page_on_a_screen_and_on_paper(browser: Any, reports: Path) -> None:
    path = next((reports / "site" / "reports").glob("province_report.02.*.html"))
    page, _ = _open(browser, path)
    for width in (1000, 794):  # a laptop; A4 at 96 dots per inch
        page.set_viewport_size({"width": width, "height": 1100})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    page.close()


def test_a_click_on_the_map_opens_the_province(browser: Any, reports: Path) -> None:
    page, complaints = _open(browser, reports / "site" / "index.html")
    page.focus('svg a[href*="province_report.64."]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/province_report.64.*")
    assert page.title().endswith("Gia Lai")
    assert complaints == []
    page.close()
