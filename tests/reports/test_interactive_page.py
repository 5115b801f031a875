"""An interactive map in a real browser: the figure under the pointer, the slider, the keyboard, a finger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ncdsurv as ns
from ncdsurv.maps.layers import load_layer
from ncdsurv.maps.wording import number, period_words
from ncdsurv.reference import load_reference
from tests.browser_support import open_page
from tests.moving_map_support import ABSENT, HIDDEN, RELEASE, UNDEFINED, document, months

REFERENCE = load_reference()
LAYER = load_layer(REFERENCE, "province", "2025")
PERIODS = ["2026-03", "2026-04", "2026-05", "2026-06"]
VALUES = months("province", "2025", LAYER.codes, PERIODS)
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "device_scale_factor": 2}
PLAIN = 0  # place of an area with large numbers and a value in every month


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ns.interactive_map(VALUES, reference=REFERENCE).save(tmp_path_factory.mktemp("map") / "map.html")


def on_screen(page: Any, path: Path, place: int) -> tuple[float, float]:
    """Where a point inside an area lies in the window, with the whole map in view."""
    import shapely

    held = document(path.read_text(encoding="utf-8"))
    x0, y0, x1, y1 = held["frame"]
    parts = shapely.get_parts(LAYER.shapes[place])
    inside = parts[np.argmax(shapely.area(parts))].representative_point()
    x = (inside.x - LAYER.extent[0]) / held["step"]
    y = (LAYER.extent[3] - inside.y) / held["step"]
    box = page.locator("#frame").bounding_box()
    wide, tall = page.evaluate("[frame.clientWidth, frame.clientHeight]")
    k = min((wide - 24) / (x1 - x0), (tall - 24) / (y1 - y0))
    across, down = x * k + (wide - (x0 + x1) * k) / 2, y * k + (tall - (y0 + y1) * k) / 2
    border = (box["width"] - wide) / 2
    return box["x"] + border + across, box["y"] + border + down


def figure(place: int, period: str, lang: str = "vi") -> str:
    row = VALUES.filter(area_code=LAYER.codes[place], period=period).row(0, named=True)
    return number(row["value"], lang, 1) + "%"


def test_the_figure_under_the_pointer_is_the_published_one_and_the_slider_changes_it(
    browser: Any, path: Path
) -> None:
    page, complaints = open_page(browser, path)
    for place in (PLAIN, 8, 20):
        page.mouse.move(*on_screen(page, path, place))
        assert page.inner_text("#card h3") == LAYER.name(place, "vi")
        assert page.inner_text("#card .figure") == figure(place, "2026-06")
        row = VALUES.filter(area_code=LAYER.codes[place], period="2026-06").row(0, named=True)
        ends = [number(row[end], "vi", 1) for end in ("lower", "upper")]
        card = page.inner_text("#card")
        assert all(end in card for end in ends)
        assert f"{row['numerator']:.0f}\u00a0/\u00a0{row['denominator']:.0f}" in card
    page.mouse.click(*on_screen(page, path, PLAIN))
    for at, period in enumerate(PERIODS):
        page.fill("#slider", str(at))
        assert page.inner_text("#card .figure") == figure(PLAIN, period)
        assert page.inner_text("#period") == period_words(period, "vi")
        assert page.get_attribute("#slider", "aria-valuetext") == period_words(period, "vi")
    page.click("#language")
    assert page.inner_text("#card .figure") == figure(PLAIN, PERIODS[-1], "en")
    assert page.inner_text("#card h3") == LAYER.name(PLAIN, "en")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert complaints == []
    page.close()


def test_areas_without_a_value_say_why_and_small_numbers_ask_for_care(browser: Any, path: Path) -> None:
    page, complaints = open_page(browser, path)
    words = document(path.read_text(encoding="utf-8"))["words"]["vi"]
    for place, status in ((HIDDEN, "suppressed"), (UNDEFINED, "not_defined"), (ABSENT, "not_reported")):
        page.mouse.move(*on_screen(page, path, place))
        assert page.inner_text("#card h3") == LAYER.name(place, "vi")
        assert page.inner_text("#card .figure").lower() == words[f"status.{status}"].lower()
        assert page.locator("#card p").count() == 3  # where, when and why: no number
    page.mouse.move(*on_screen(page, path, 6))
    assert page.inner_text("#card .care") == words["care"]
    assert complaints == []
    page.close()


def test_the_legend_counts_the_areas_of_the_period(browser: Any, path: Path) -> None:
    page, _ = open_page(browser, path)
    for at, period in enumerate(PERIODS):
        page.fill("#slider", str(at))
        counts = [
            int(line.rsplit("(", 1)[1].rstrip(")")) for line in page.locator("#legend li").all_inner_texts()
        ]
        shown = VALUES.filter(period=period).drop_nulls("value")
        classes, small, greys = counts[:5], counts[5], counts[6:]
        assert sum(classes) == shown.height
        assert small == shown.filter(flag="small_number").height
        assert sum(greys) == len(LAYER.codes) - shown.height
    page.close()


def test_the_keyboard_reaches_areas_keeps_one_and_lets_it_go(browser: Any, path: Path) -> None:
    page, complaints = open_page(browser, path)
    page.focus("#map")
    page.keyboard.press("ArrowUp")
    first = page.inner_text("#card h3")
    page.keyboard.press("ArrowUp")
    second = page.inner_text("#card h3")
    assert first != second
    assert second in page.inner_text("#live")
    page.keyboard.press("Enter")
    assert page.locator("#card.kept").count() == 1
    page.keyboard.press("+")
    assert page.locator("#map.near").count() == 1
    page.keyboard.press("0")
    assert page.locator("#map.near").count() == 0
    page.keyboard.press("Escape")
    assert page.locator("#card").is_hidden()
    assert complaints == []
    page.close()


def test_tab_goes_through_the_controls_in_the_order_they_are_read(browser: Any, path: Path) -> None:
    page, complaints = open_page(browser, path)
    order = []
    for _ in range(9):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert order == ["language", "search", "play", "slider", "map", "in", "out", "home", "SUMMARY"]
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    assert complaints == []
    page.close()


def test_a_name_is_found_without_diacritics(browser: Any, path: Path) -> None:
    page, complaints = open_page(browser, path)
    wanted = next(at for at, name in enumerate(LAYER.names) if name.endswith("Đắk Lắk"))
    page.fill("#search", "dak l")
    assert page.locator("#matches li").count() == 1
    assert page.get_attribute("#search", "aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#search", "aria-activedescendant") == "match0"
    page.keyboard.press("Enter")
    assert page.inner_text("#card h3") == LAYER.name(wanted, "vi")
    page.fill("#search", "khong co noi nay")
    assert page.locator("#matches").is_hidden()
    assert page.inner_text("#live") == "Không tìm thấy đơn vị nào"
    assert complaints == []
    page.close()


def test_playing_moves_through_the_months_and_stops_at_the_last(browser: Any, path: Path) -> None:
    from playwright.sync_api import expect

    page, _ = open_page(browser, path)
    assert page.get_attribute("#play", "aria-label") == "Chạy qua các kỳ"
    page.click("#play")
    assert page.inner_text("#period") == period_words(PERIODS[0], "vi")
    assert page.get_attribute("#play", "aria-label") == "Dừng"
    period, button = page.locator("#period"), page.locator("#play")
    expect(period).to_have_text(period_words(PERIODS[1], "vi"), timeout=9000)
    button.click()
    held = period.inner_text()
    page.wait_for_timeout(1300)
    assert period.inner_text() == held
    button.click()
    expect(period).to_have_text(period_words(PERIODS[-1], "vi"), timeout=20000)
    expect(button).to_have_attribute("aria-label", "Chạy qua các kỳ", timeout=9000)
    page.close()


def test_a_finger_chooses_an_area_and_two_zoom(browser: Any, path: Path) -> None:
    page, complaints = open_page(browser, path, **PHONE)
    x, y = on_screen(page, path, PLAIN)
    page.touchscreen.tap(x, y)
    assert page.inner_text("#card h3") == LAYER.name(PLAIN, "vi")
    assert page.inner_text("#card .figure") == figure(PLAIN, "2026-06")
    touch = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 80), ("touchEnd", None)):
        points = (
            [] if apart is None else [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        )
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert page.locator("#map.near").count() == 1
    assert complaints == []
    page.close()


@pytest.mark.parametrize("width", [320, 390, 1000])
def test_no_width_needs_scrolling_sideways(browser: Any, path: Path, width: int) -> None:
    page, _ = open_page(browser, path, viewport={"width": width, "height": 800})
    for _ in LANGUAGES:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.click("#language")
    page.close()


LANGUAGES = ("vi", "en")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_everything_that_takes_focus_has_a_name_in_the_page_s_language(
    browser: Any, path: Path, lang: str
) -> None:
    page, _ = open_page(browser, path)
    if lang == "en":
        page.click("#language")
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    named = []
    for node in nodes:
        focusable = any(
            one["name"] == "focusable" and one["value"]["value"] for one in node.get("properties", [])
        )
        role = node.get("role", {}).get("value")
        if node.get("ignored") or role == "RootWebArea" or not (focusable or role in ("img", "image")):
            continue
        named.append(node.get("name", {}).get("value", ""))
    assert len(named) >= 11  # language, search, play, slider, map, three zooms, summary, two insets
    assert all(named)
    word = {"vi": "Phóng to", "en": "Zoom in"}[lang]
    assert word in named
    page.close()


def test_the_page_can_ask_nothing_of_anybody(browser: Any, path: Path) -> None:
    page, complaints = open_page(browser, path)
    assert complaints == []
    tries = ("fetch('http://127.0.0.1:9/')", "import('data:text/javascript,1')")
    for what in tries:
        assert page.evaluate(f"{what}.then(() => 'went', () => 'refused')") == "refused"
    page.evaluate(
        "(() => { const s = document.createElement('script'); s.text = 'window.ran = 1'; document.body.append(s) })()"
    )
    assert page.evaluate("window.ran") is None
    page.close()


def test_in_a_notebook_s_frame_the_page_works(browser: Any, tmp_path: Path) -> None:
    made = ns.interactive_map(VALUES, reference=REFERENCE, lang="en")
    host = tmp_path / "host.html"
    host.write_text(f"<!DOCTYPE html><title>notebook</title>{made._repr_html_()}", encoding="utf-8")
    page, complaints = open_page(browser, host, viewport={"width": 1100, "height": 950})
    inner = page.frame_locator("iframe")
    inner.locator("#search").fill("gia lai")
    inner.locator("#search").press("Enter")
    assert inner.locator("#card h3").inner_text() == "Gia Lai"
    assert RELEASE in inner.locator("#source").inner_text()
    assert complaints == []
    page.close()
