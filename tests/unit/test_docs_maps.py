"""The page on maps: its example runs, and what it says of settings is so."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

import ncdsurv as ns
from ncdsurv.maps.classify import SCHEMES
from ncdsurv.maps.picture import GREYS

DOCS = Path(__file__).parents[2] / "docs" / "methods"


def test_the_example_of_the_page_runs_and_both_months_have_the_same_limits():
    text = (DOCS / "maps.en.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(blocks[0], {})
    assert printed.getvalue().splitlines()[0].endswith("True")
    assert "worked out over all periods of the values" in printed.getvalue()


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_the_page_names_every_scheme_status_and_verb(lang: str):
    text = (DOCS / f"maps.{lang}.md").read_text("utf-8")
    for scheme in SCHEMES:
        assert f'"{scheme}"' in text
    for status in GREYS:
        assert f"`{status}`" in text
    verbs = set(re.findall(r"`ns\.(\w+)\(", text))
    assert verbs == {"choropleth", "small_multiples", "bivariate", "tile_map", "write_areas"}
    assert all(hasattr(ns, verb) for verb in verbs)
