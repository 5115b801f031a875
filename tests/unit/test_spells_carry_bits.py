"""A carry by number holds every state in 16 bits: what fits comes back as it was, what does not stays harmless."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import month_index
from ncdsurv.spells.carry import ANCHOR_DAY, STATE, pack, unpack
from ncdsurv.spells.history import none_yet
from ncdsurv.spells.layout import NEVER
from ncdsurv.spells.passes import is_day, make_pass

CATALOG = load_catalog()
WORK = make_pass(CATALOG, list(CATALOG.presets))
EPOCH = date(1970, 1, 1)
FIRST, LAST = ((day - EPOCH).days for day in (date(1930, 4, 16), date(2109, 9, 17)))
"""The days that 16 bits tell apart: the day before means none, the day after never."""


def frame(**columns: int) -> pl.DataFrame:
    state = {name: columns.get(name, none_yet(name)) for name in WORK.carried}
    return pl.DataFrame({"person": 0, "disease": 0, **state}).cast({name: pl.Int32 for name in state})


def there_and_back(state: pl.DataFrame) -> dict[str, int]:
    return unpack(pack(state, WORK, 24_318), WORK).select(WORK.carried).row(0, named=True)


def test_the_anchor_is_the_first_of_2020() -> None:
    assert date(2020, 1, 1).toordinal() - EPOCH.toordinal() == ANCHOR_DAY


@given(st.data())
def test_what_fits_comes_back_as_it_was(data: st.DataObject) -> None:
    days = st.integers(FIRST, LAST) | st.just(-NEVER)
    told = {name: data.draw(days if is_day(name) else st.integers(0, 4), name) for name in WORK.carried}
    assert there_and_back(frame(**told)) == told


def test_a_case_of_which_nothing_is_known_stays_so() -> None:
    assert there_and_back(frame()) == {name: none_yet(name) for name in WORK.carried}


@pytest.mark.parametrize(("day", "back"), [(LAST + 1, NEVER), (NEVER, NEVER), (FIRST - 1, -NEVER)])
def test_days_beyond_16_bits_are_never_due_and_long_ago(day: int, back: int) -> None:
    assert there_and_back(frame(due_day_0=day))["due_day_0"] == back


def test_a_state_takes_two_bytes_a_number() -> None:
    packed = pack(frame(), WORK, 24_318)
    assert packed.schema[STATE] == pl.Array(pl.Int16, len(WORK.carried))
    assert packed[STATE].to_numpy().nbytes == np.dtype(np.int16).itemsize * len(WORK.carried)
    assert packed["month"].to_list() == [month_index(date(2026, 6, 1))]
