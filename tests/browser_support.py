"""A real browser for tests of pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BROWSER = os.environ.get("NCDSURV_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def started_browser() -> Iterator[Any]:
    """Chromium, or a skip that says why there is none (a failure in CI)."""
    reason = None
    if BROWSER is None:
        reason = "no Chromium found (install it, or set NCDSURV_CHROMIUM to its path)"
    else:
        try:
            from playwright.sync_api import sync_playwright
        except ImportError:
            reason = "playwright is not installed"
    if reason is not None:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(f"the browser tests must run in CI: {reason}")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield opened
        opened.close()


def open_page(browser: Any, path: Path, **context: Any) -> tuple[Any, list[str]]:
    """A page of a file, and what it complains of or asks for outside; the list grows as the page lives."""
    page, complaints = browser.new_page(**context), []
    page.on(
        "console",
        lambda said: complaints.append(f"console {said.type}: {said.text}") if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url[:80]}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "data:"))
            else complaints.append(f"outside: {request.url[:80]}")
        ),
    )
    page.goto(path.as_uri(), wait_until="load")
    return page, complaints
