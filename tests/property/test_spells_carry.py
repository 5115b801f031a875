"""A month counted from what was carried and that month's contacts alone: the rows of a full count, in both forms."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.catalog.vocabulary import month_index
from ncdsurv.spells import Bucket, add_buckets, count_and_carry, count_wide, not_carried
from tests.engine_catalogs import CATALOG, catalogs, examples
from tests.engine_records import layout, random_records

START = date(2024, 7, 1)
FIRST, LAST = month_index(START), month_index(START) + 11
seeds = st.integers(0, 10**6)
forms = pytest.mark.parametrize("form", ["polars", "compiled"])


def only(bucket: Bucket, contacts: pl.Expr) -> Bucket:
    """The bucket with some of its contacts."""
    return Bucket(**{**bucket.tables(), "contacts": bucket.contacts.filter(contacts)})


@forms
@settings(max_examples=examples(6), deadline=None)
@given(catalog=st.one_of(st.just(CATALOG), catalogs()), seed=seeds, known=st.integers(0, 10))
def test_months_counted_one_by_one_are_those_of_a_full_count(form, catalog, seed, known):
    pytest.importorskip("numba") if form == "compiled" else None
    bucket = layout(random_records(seed, 12, catalog, START, 360), catalog)
    whole, end = count_and_carry(bucket, catalog, first_month=FIRST, last_month=LAST, form=form)
    counts, carry = count_and_carry(bucket, catalog, first_month=FIRST, last_month=FIRST + known, form=form)
    parts = [counts]
    for month in range(FIRST + known + 1, LAST + 1):
        later, asked = only(bucket, pl.col("month") == month), {"first_month": month, "last_month": month}
        counts, carry = count_and_carry(later, catalog, **asked, form=form, carry=carry)
        parts.append(counts)
    assert add_buckets(parts).equals(whole)
    assert carry.equals(end)


@forms
@settings(max_examples=examples(6), deadline=None)
@given(seed=seeds, new=st.integers(1, 9))
def test_a_case_that_was_not_carried_is_counted_from_all_its_contacts(form, seed, new):
    """Somebody known for one disease is diagnosed with another: the old contacts speak of it too."""
    pytest.importorskip("numba") if form == "compiled" else None
    bucket = layout(random_records(seed, 12, CATALOG, START, 360), CATALOG)
    months = {"first_month": LAST, "last_month": LAST, "form": form}
    whole = count_wide(bucket, CATALOG, **months)
    _, carry = count_and_carry(bucket, CATALOG, first_month=FIRST, last_month=LAST - 1, form=form)
    carry = carry.gather_every(new)
    fresh = not_carried(bucket, carry, CATALOG)
    numbers = bucket.people.filter(pl.col("person_id").is_in(fresh.to_list()))["person"]
    needed = (pl.col("month") == LAST) | pl.col("person").is_in(numbers.to_list())
    counts = count_wide(only(bucket, needed), CATALOG, **months, carry=carry)
    assert counts.equals(whole)


@settings(max_examples=examples(6), deadline=None)
@given(catalog=st.one_of(st.just(CATALOG), catalogs()), seed=seeds, ends=st.integers(0, 11))
def test_both_forms_carry_the_same(catalog, seed, ends):
    pytest.importorskip("numba")
    bucket = layout(random_records(seed, 12, catalog, START, 360), catalog)
    months = {"first_month": FIRST, "last_month": FIRST + ends}
    ours, theirs = (
        count_and_carry(bucket, catalog, form=form, **months)[1] for form in ("polars", "compiled")
    )
    assert ours.equals(theirs)
    assert ours.null_count().sum_horizontal().item() == 0


@forms
@settings(max_examples=examples(4), deadline=None)
@given(seed=seeds, twist=st.randoms(use_true_random=False))
def test_a_carry_serves_in_any_order(form, seed, twist):
    """A carry by name may come back from a file or a join in another order than it was made in."""
    pytest.importorskip("numba") if form == "compiled" else None
    bucket = layout(random_records(seed, 12, CATALOG, START, 360), CATALOG)
    _, carry = count_and_carry(bucket, CATALOG, first_month=FIRST, last_month=LAST - 1, form=form)
    order = list(range(carry.height))
    twist.shuffle(order)
    month = only(bucket, pl.col("month") == LAST)
    span = {"first_month": LAST, "last_month": LAST, "form": form}
    told, twisted = (count_wide(month, CATALOG, **span, carry=one) for one in (carry, carry[order]))
    assert told.height
    assert twisted.equals(told)
