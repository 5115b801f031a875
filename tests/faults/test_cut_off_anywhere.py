"""A file cut off at any byte is read as what is left of it, to the row, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncdsurv.errors import InputError
from tests.faults.harness import LONG
from tests.faults.samples import clean, samples, shortened

SAMPLES = samples()
PLACES = 20
"""Cuts tried of each format in the ordinary run, evenly spread; the long run tries every byte."""


@pytest.mark.parametrize(("source", "path"), SAMPLES, ids=[f"{s} {p.suffix}" for s, p in SAMPLES])
def test_cut_off_anywhere(source: str, path: Path, tmp_path: Path) -> None:
    data = shortened(path)
    step = 1 if LONG else max(1, len(data) // PLACES)
    for size in range(0, len(data), step):
        answer = clean(tmp_path, source, path.name, data[:size])
        error = answer.refused[0]
        if error is not None:
            assert isinstance(error, InputError), f"cut at {size}"
            assert "\n" not in str(error)
            assert "report this" not in str(error), f"cut at {size}: {error}"
            continue
        assert answer.batch is not None
        counts = answer.batch.counts
        left = counts["rows_in"] - counts["kept"] - counts["rejected"] - counts["duplicates"]
        assert set(left) <= {0}, f"cut at {size}"
