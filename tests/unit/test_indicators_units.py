"""Figures by facility: of the months asked for, and of a preset only where it counts somebody."""

from __future__ import annotations

import polars as pl

from ncdsurv.catalog import load_catalog
from ncdsurv.indicators.units import iter_unit_values, unit_catalog
from ncdsurv.spells import measure_plan

CATALOG = load_catalog()
PLAN = measure_plan(unit_catalog(CATALOG))
JUNE = 2026 * 12 + 6


def controlled(*rows: tuple[str, int, str, int]) -> list[tuple]:
    """Facility, month, preset and people at target -> the published rows of facilities."""
    told = [
        {"facility": facility, "source": "his", "month": month, "disease": "hypertension"}
        | dict.fromkeys(PLAN.columns, 0)
        | {PLAN.numerator("control_rate", preset): people}
        for facility, month, preset, people in rows
    ]
    found = pl.concat(iter_unit_values(pl.DataFrame(told), CATALOG, "spec", JUNE - 1, JUNE))
    shown = found.filter(indicator="control_rate", area_level="facility", area_vintage="2025")
    return shown.select("preset", "area_code", "period", "numerator").rows()


def test_a_preset_that_counts_nobody_at_a_facility_has_no_row_there():
    assert controlled(("A", JUNE, "hearts", 7), ("B", JUNE, "tt37", 9)) == [
        ("hearts", "A", "2026-06", 7.0),
        ("tt37", "B", "2026-06", 9.0),
    ]


def test_only_the_months_asked_for_are_published():
    months = range(JUNE - 2, JUNE + 2)
    assert controlled(*(("A", month, "hearts", month - JUNE + 5) for month in months)) == [
        ("hearts", "A", "2026-05", 4.0),
        ("hearts", "A", "2026-06", 5.0),
    ]
