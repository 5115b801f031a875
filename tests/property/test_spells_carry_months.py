"""Several months counted at once from what was carried: windows that began before run out where they should."""

from __future__ import annotations

import polars as pl
import pytest

from ncdsurv.catalog.vocabulary import Period
from ncdsurv.spells import Bucket, count_and_carry, count_wide
from tests.engine_records import layout
from tests.engine_story import CATALOG, Story

# Readings in January only; refills go on, so that only the readings' own window runs out in April.
READ_ONCE = """
visited_on | kind   | sbp | dbp | glucose_mmol_l | supply_days | next_visit_on
2024-06-10 | exam   | 130 | 80  | 6.0            | 90          | 2026-12-31
2025-01-10 | exam   | 130 | 80  | 6.0            | 90          | 2026-12-31
2025-02-10 | refill | -   | -   | -              | 90          | 2026-12-31
"""


@pytest.mark.parametrize("form", ["polars", "compiled"])
@pytest.mark.parametrize("disease", ["hypertension", "diabetes"])
@pytest.mark.parametrize("upto", ["2025-01", "2025-02", "2025-03"])
def test_readings_carried_run_out_in_the_month_they_would_have(form, disease, upto):
    pytest.importorskip("numba") if form == "compiled" else None
    bucket = layout(Story(READ_ONCE, disease=disease).records, CATALOG)
    first, known, last = (Period.parse(month).first_month for month in ("2024-12", upto, "2025-07"))
    whole = count_wide(bucket, CATALOG, first_month=first, last_month=last, form=form)
    _, carry = count_and_carry(bucket, CATALOG, first_month=first, last_month=known, form=form)
    later = Bucket(**{**bucket.tables(), "contacts": bucket.contacts.filter(pl.col("month") > known)})
    counts = count_wide(later, CATALOG, first_month=known + 1, last_month=last, form=form, carry=carry)
    assert counts.equals(whole.filter(pl.col("month") > known))
    story = Story(READ_ONCE, disease=disease)
    assert story.standing("hearts", "2025-03") == "controlled"
    assert story.standing("hearts", "2025-04") == "visited_unmeasured"
