"""A figure made in a notebook shows by itself, the second as well as the first."""

from __future__ import annotations

import matplotlib as mpl
import pytest

from ncdsurv.maps.style import figure_style


@pytest.fixture(autouse=True)
def _as_before():
    shows = mpl.is_interactive()
    yield
    mpl.interactive(shows)


def test_what_pyplot_switches_on_inside_the_style_stays_on():
    mpl.interactive(False)
    with figure_style():
        mpl.interactive(True)  # what the first import of pyplot does in a notebook
    assert mpl.is_interactive()


@pytest.mark.parametrize("shows", [True, False])
def test_the_style_changes_nothing_else_and_goes_when_an_error_passes(shows: bool):
    mpl.interactive(shows)
    before = mpl.rcParams["axes.titlesize"], mpl.is_interactive()
    with figure_style():
        assert mpl.rcParams["axes.titlesize"] != before[0]
    assert (mpl.rcParams["axes.titlesize"], mpl.is_interactive()) == before
    with pytest.raises(ZeroDivisionError), figure_style():
        _ = 1 / 0
    assert (mpl.rcParams["axes.titlesize"], mpl.is_interactive()) == before
