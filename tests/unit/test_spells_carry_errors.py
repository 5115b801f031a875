"""What the engine refuses of a carry, of places and of measures, in words."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.errors import UsageError
from ncdsurv.spells import count_and_carry, count_packed, count_wide, measure_plan, wide_schema
from tests.engine_records import layout, random_records

CATALOG = load_catalog()
BUCKET = layout(random_records(1, 3, CATALOG, date(2025, 1, 1), 300), CATALOG)
JUNE = 2025 * 12 + 6
PRESETS = list(CATALOG.presets)
MONTHS = {"first_month": JUNE - 5, "last_month": JUNE}
CARRY = count_and_carry(BUCKET, CATALOG, **MONTHS, form="polars")[1]
PACKED = count_packed(BUCKET, CATALOG, **MONTHS, form="polars")[1]


def test_a_carry_of_another_month():
    said = r"^the carry is of another month: got 2025-06; allowed: 2025-07; do: count the months in between first$"
    with pytest.raises(UsageError, match=said):
        count_wide(BUCKET, CATALOG, first_month=JUNE + 2, last_month=JUNE + 2, carry=CARRY)


@pytest.mark.parametrize("other", [-1, 1])
def test_a_carry_of_two_months_is_no_carry_of_either(other):
    first = pl.int_range(pl.len()) == 0
    mixed = CARRY.with_columns(month=pl.col("month") + pl.when(first).then(other).otherwise(0))
    assert mixed["month"].n_unique() == 2
    told = ", ".join(sorted(["2025-06", "2025-05" if other < 0 else "2025-07"]))
    with pytest.raises(
        UsageError, match=rf"^the carry is of another month: got {told}; allowed: 2025-06; do: "
    ):
        count_wide(BUCKET, CATALOG, first_month=JUNE + 1, last_month=JUNE + 1, carry=mixed)


def test_a_carry_of_other_presets():
    said = (
        r"^the carry is of other presets: got \d+ columns too many and 0 too few; do: count with the presets "
    )
    with pytest.raises(UsageError, match=said):
        count_wide(BUCKET, CATALOG, PRESETS[:1], first_month=JUNE + 1, last_month=JUNE + 1, carry=CARRY)


@pytest.mark.parametrize("form", ["polars", "compiled"])
@pytest.mark.parametrize("count", [count_wide, count_packed])
def test_a_carry_that_names_a_case_twice_is_refused_in_both_forms(form, count):
    if form == "compiled":
        pytest.importorskip("numba")
    carry = CARRY if count is count_wide else PACKED
    said = (
        r"^the carry names a case twice: got 2 rows too many; allowed: one row per person and disease; "
        r"do: count from one carry of the month before$"
    )
    later = {"first_month": JUNE + 1, "last_month": JUNE + 1, "form": form}
    count(BUCKET, CATALOG, **later, carry=carry)
    for twice in (pl.concat([carry, carry.head(2)]), pl.concat([carry.head(2), carry])):
        with pytest.raises(UsageError, match=said):
            count(BUCKET, CATALOG, **later, carry=twice)


def test_an_unknown_place_names_the_nearest():
    with pytest.raises(UsageError, match=r"^unknown place: got facilty; allowed: .*; do: try facility$"):
        count_wide(BUCKET, CATALOG, first_month=JUNE, last_month=JUNE, by="facilty")  # type: ignore[arg-type]


def test_a_measure_that_a_preset_does_not_count():
    plan = measure_plan(CATALOG)
    with pytest.raises(
        UsageError, match=rf"^unknown measure under {PRESETS[0]}: got treted; .*do: try treated$"
    ):
        plan.column("treted", PRESETS[0])


@pytest.mark.parametrize("form", ["polars", "compiled"])
@pytest.mark.parametrize("by", ["atom", "facility", "source"])
def test_nobody_gives_an_empty_frame_of_the_right_shape(form, by):
    pytest.importorskip("numba") if form == "compiled" else None
    nobody = layout(
        {
            n: f if n == "atoms" else f.clear()
            for n, f in random_records(1, 3, CATALOG, date(2025, 1, 1), 9).items()
        },
        CATALOG,
    )
    counts, carry = count_and_carry(nobody, CATALOG, first_month=JUNE, last_month=JUNE, by=by, form=form)
    assert counts.is_empty()
    assert dict(counts.schema) == wide_schema(CATALOG, by)
    assert dict(carry.schema) == dict(CARRY.schema)
    july = {"first_month": JUNE + 1, "last_month": JUNE + 1, "by": by, "form": form}
    again = count_wide(BUCKET, CATALOG, **july, carry=carry)
    assert again.equals(count_wide(BUCKET, CATALOG, **july))
