"""Control charts and the recent-trend marker against R; script and calls in `trend/make_control.R`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ncdsurv.trends.control.limits import chart_limits
from ncdsurv.trends.control.recent import CRITICAL, marker_of_proportions, marker_of_values

FOLDER = Path(__file__).parent / "trend"
EXPECTED = pl.read_csv(FOLDER / "control.csv", comment_prefix="#")
SET_1 = (
    [24.67, 24.6, 28, 30.2, 30.6],
    [23.16, 23.15, 26.44, 28.63, 28.98],
    [26.25, 26.19, 29.64, 31.9, 32.25],
)
SET_2 = (
    [20.5506, 19.5952, 19.0349, 21.3966, 18.4372],
    [18.1803, 17.3444, 16.8421, 19.0918, 16.2925],
    [23.1427, 22.0602, 21.4394, 23.8975, 20.7941],
)


def wanted(case: str, what: str, index: int = 0) -> float:
    chosen = (pl.col("case") == case) & (pl.col("what") == what) & (pl.col("index") == index)
    return EXPECTED.filter(chosen)["value"].item()


@pytest.mark.parametrize(("kind", "file"), [("p", "monthly_counts.csv"), ("u", "seatbelts.csv")])
def test_limits_with_and_without_laney_equal_r(kind: str, file: str):
    counts = pl.read_csv(FOLDER / file)
    columns = [counts[name].to_numpy() for name in ("numerator", "denominator", "month")]
    laney, plain = (chart_limits(*columns, kind=kind, laney=one) for one in (True, False))
    assert laney.centre == pytest.approx(wanted(kind, "centre"), rel=1e-12)
    assert laney.sigma_z == pytest.approx(wanted(kind, "sigma_z"), rel=1e-12)
    for at in (0, 6, counts.height - 1):
        assert laney.lower[at] == pytest.approx(wanted(kind, "lower", at), rel=1e-12)
        assert laney.upper[at] == pytest.approx(wanted(kind, "upper", at), rel=1e-12)
        assert plain.upper[at] == pytest.approx(wanted(kind, "plain_upper", at), rel=1e-12)


def test_the_critical_value_is_the_998_per_mille_point():
    assert wanted("critical", "chi_square") == pytest.approx(CRITICAL, rel=1e-12)


def test_the_marker_of_proportions_equals_the_published_chi_square_and_r():
    x, n = np.array([994, 1023, 1199, 1332, 1367]), np.array([40299, 41527, 42811, 44064, 44701])
    marker = marker_of_proportions(x, n)
    assert marker.chi_square == pytest.approx(wanted("proportions", "chi_square"), rel=1e-10)
    assert round(marker.chi_square, 2) == 47.90
    assert (marker.direction, marker.steady) == ("up", True)


@pytest.mark.parametrize(
    ("case", "points", "direction", "published"),
    [("set_1", SET_1, "up", 46.77), ("set_2", SET_2, "none", 0.46)],
)
def test_the_weighted_marker_equals_the_published_chi_square_and_r(
    case: str, points: tuple, direction: str, published: float
):
    marker = marker_of_values(*(np.array(one) for one in points))
    assert marker.chi_square == pytest.approx(wanted(case, "chi_square"), rel=1e-9)
    assert marker.slope == pytest.approx(wanted(case, "slope"), rel=1e-9)
    assert round(marker.chi_square, 2) == published
    assert marker.direction == direction
