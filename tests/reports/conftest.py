"""What the tests of pages look at: the reports and the site of the sample registry, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser_support import started_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium."""
    with started_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def reports(sample_reports: Path) -> Path:
    """Folder with `reports/` (Vietnamese provinces, overview in both languages) and `site/`."""
    return sample_reports
