"""A carry beside all contacts, those it sums up too: they are passed over, to the last day of its month."""

from __future__ import annotations

import pytest

from ncdsurv.catalog.vocabulary import Period
from ncdsurv.spells import count_and_carry
from tests.engine_records import layout
from tests.engine_story import CATALOG, Story

JUNE = Period.parse("2025-06").first_month
PERSON = Story(
    """
    visited_on | sbp | dbp | supply_days
    2025-01-10 | 130 | 80  | 30
    2025-06-30 | 160 | 95  | 30
    2025-07-20 | -   | -   | 30
    """
)


@pytest.mark.parametrize("form", ["polars", "compiled"])
def test_what_happened_in_the_month_of_the_carry_is_not_told_twice(form):
    """One reading off target in June is one, however often the contact is at hand."""
    pytest.importorskip("numba") if form == "compiled" else None
    bucket = layout(PERSON.records, CATALOG)
    _, carry = count_and_carry(bucket, CATALOG, first_month=JUNE - 5, last_month=JUNE, form=form)
    july = {"first_month": JUNE + 1, "last_month": JUNE + 1, "form": form}
    anew, end = count_and_carry(bucket, CATALOG, **july)
    counts, carried = count_and_carry(bucket, CATALOG, **july, carry=carry)
    assert counts.equals(anew)
    assert carried.equals(end)
