"""Whatever the counts are, a form's totals are the sums of its rows and blocked cells stay empty."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.forms import fill_form
from ncdsurv.forms.table import CellState
from tests.small_release import ATOMS, DISEASES, SmallRelease, measures, write_release

REQUESTS = [
    ("tt23_2025", "52", "2026-06"),
    ("tt23_2025", "52", "2026"),
    ("tt23_2025", "23722", "2025-12"),
    ("tt37_2019", "64", "2025-Q2"),
    ("tt37_2019", "52", "2025-06"),
    ("tt37_2019", "622", "2025-03"),
    ("tt37_2019", "23545", "2025-06"),
]


class Altered(SmallRelease):
    """The small release with the measures of some atoms and diseases multiplied or taken away."""

    factors: dict[tuple[int, str], int]

    def measures(self) -> pl.LazyFrame:
        changed = pl.DataFrame(
            [(atom, disease, factor) for (atom, disease), factor in self.factors.items()],
            schema={"atom": pl.Int32, "disease": pl.String, "factor": pl.Int32},
            orient="row",
        )
        counts = pl.col("detected", "newly_detected", "under_care", "treated", "controlled")
        return (
            _measures()
            .join(changed, on=["atom", "disease"])
            .filter(pl.col("factor") >= 0)
            .with_columns(counts * pl.col("factor"))
            .drop("factor")
            .lazy()
        )


@cache
def _measures() -> pl.DataFrame:
    return measures()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("releases")).folder


cells = st.sampled_from([(atom, disease) for atom, *_ in ATOMS for disease in DISEASES])
# -1 takes the rows away (nobody known), 0 leaves them with nobody in them
factors = st.dictionaries(cells, st.integers(-1, 5), min_size=1)


@settings(deadline=None, max_examples=60)
@given(factors=factors, asked=st.sampled_from(REQUESTS))
def test_totals_are_sums_and_blocked_cells_stay_empty(
    folder: Path, factors: dict[tuple[int, str], int], asked: tuple[str, str, str]
) -> None:
    release = Altered(folder)
    release.factors = {(0, "hypertension"): 1, **factors}
    form = fill_form(*asked, release)
    assert form.findings == ()
    units = [row for row in form.rows if row.kind == "area"]
    for cell in form.cells():
        known = [row.figures[cell] for row in units if cell in row.figures]
        total = form.rows[0].figures.get(cell)
        assert total == (sum(known) if known else None)
    for row in form.rows:
        for cell in form.cells():
            if cell[1] in row.blocked:
                assert row.state(cell) is CellState.BLOCKED
                assert cell not in row.figures
