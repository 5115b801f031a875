"""The drift model of the forecast against R's stats: `trend/make_forecast.R` made the numbers."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ncdsurv.trends.forecast.drift import maps_of, predict

FOLDER = Path(__file__).parent / "trend"
Y = pl.read_csv(FOLDER / "deaths.csv")["y"].to_numpy()
EXPECTED = pl.read_csv(FOLDER / "forecast.csv", comment_prefix="#")
MAPS = maps_of(60, 24)


@pytest.mark.parametrize("cell", [0, 6, 12, 23])
def test_predictions_for_a_known_drift(cell: int):
    rows = EXPECTED.filter((pl.col("cell") == cell) & (pl.col("what") != "weight"))
    assert rows.height == 6
    mean = Y.mean() + MAPS.ahead[cell] @ (Y - Y.mean())
    for what, _, at, value in rows.rows():
        got = mean[at - 1] if what == "mean" else MAPS.spread[cell, at - 1]
        assert got == pytest.approx(value, rel=1e-5), (what, at)


def test_weights_of_the_drifts():
    weight = EXPECTED.filter(pl.col("what") == "weight").sort("cell")["value"].to_numpy()
    assert predict(Y - Y.mean(), 24).weight == pytest.approx(weight, abs=1e-9)
    assert 0.02 < weight.max() < 0.9
