"""The example of `docs/methods/changes.en.md` runs and prints what the page is about."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs" / "methods"


def test_the_example_of_the_page_runs():
    blocks = re.findall(
        r"^```python\n(.*?)^```", (DOCS / "changes.en.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 1
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(blocks[0], {})
    assert "Change of level at 07/2025: −" in printed.getvalue()
    assert "reform of administrative boundaries (1 July 2025)" in printed.getvalue()
    assert "Recent trend" not in printed.getvalue().splitlines()[-1]
    assert "chi-square" in printed.getvalue()
