"""Two indicators on one map: colours that stay apart, the square legend, what is grey and hatched."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.catalog.vocabulary import Flag
from ncdsurv.errors import UsageError
from ncdsurv.maps import bivariate
from ncdsurv.maps.two import MISSING, NINE
from tests.unit.test_maps_draw import REFERENCE, provinces, texts, values

# Machado, Oliveira and Fernandes (2009), full severity: what a reader with each deficiency sees, in linear RGB.
SEEN = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)


def lab(colour: str, seen: Any) -> np.ndarray:
    """CIELAB (D65) of a hex colour as seen."""
    rgb = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    t = XYZ @ np.clip(np.asarray(seen) @ linear, 0, 1) / XYZ.sum(axis=1)
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SEEN)
def test_the_nine_colours_and_the_grey_stay_apart_with_any_colour_vision(sight: str):
    colours = [lab(colour, SEEN[sight]) for colour in (*np.ravel(NINE), MISSING)]
    assert min(np.linalg.norm(a - b) for a, b in combinations(colours, 2)) > 18


def test_both_directions_darken():
    light = np.array([[lab(colour, SEEN["normal"])[0] for colour in row] for row in NINE])
    assert (np.diff(light, axis=0) < -5).all()
    assert (np.diff(light, axis=1) < -5).all()


def pair(level: str = "province", codes: list[str] | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    codes = codes or REFERENCE.areas(level, "2025")["code"].to_list()
    first = values(level, "2025", codes)
    second = values(level, "2025", codes, indicator="detection_rate").with_columns(
        value=100 - pl.col("value").reverse()
    )
    return first, second


def cell_counts(figure: Any) -> list[int]:
    panel = next(axes for axes in figure.axes if any(text.get_text().startswith("↑") for text in axes.texts))
    return [
        int(t.get_text())
        for t in panel.texts
        if t.get_ha() == t.get_va() == "center" and t.get_text().isdigit()
    ]


def test_the_square_counts_every_area_once_and_shows_both_limits():
    result = bivariate(*pair(), reference=REFERENCE, lang="en", breaks=((45, 55), (40.5, 60)))
    counts = cell_counts(result.figure)
    assert len(counts) == 9
    expected = np.zeros((3, 3), dtype=int)
    for a, b in result.data.select("first_value", "second_value").rows():
        expected[int(b >= 40.5) + int(b >= 60), int(a >= 45) + int(a >= 55)] += 1
    assert counts == expected.ravel().tolist()
    drawn = texts(result.figure).split(" | ")
    assert {"45", "55", "40.5", "60.0", "→ Control rate (%)", "↑ Detection rate (%)"} <= set(drawn)
    assert result.title == "Control rate and detection rate – Hypertension, Viet Nam, June 2026"


def test_terciles_take_a_third_of_the_areas_each():
    data = ns.bivariate(*pair(), reference=REFERENCE).data
    for side in ("first", "second"):
        assert data[f"{side}_class"].value_counts()["count"].sort().to_list() == pytest.approx(
            [11, 11, 12], abs=1
        )


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_an_area_without_one_of_the_values_is_grey_and_its_reason_told(lang: str):
    first, second = pair()
    codes = first["area_code"].to_list()
    code = pl.col("area_code")
    first = first.filter(code != codes[0]).with_columns(
        flag=pl.when(code == codes[1]).then(pl.lit(Flag.SUPPRESSED.value)).otherwise(pl.lit("ok"))
    )
    second = second.with_columns(
        value=pl.when(code == codes[2]).then(None).otherwise("value"),
        flag=pl.when(code == codes[2]).then(pl.lit("no_denominator"))
        .when(code == codes[3]).then(pl.lit("small_number")).otherwise(pl.lit("ok")),
    )  # fmt: skip
    result = bivariate(first, second, reference=REFERENCE, lang=lang)
    assert result.data["status"].to_list()[:4] == ["not_reported", "suppressed", "not_defined", "shown"]
    assert result.picture is not None
    assert result.picture.colours.count(MISSING) == 3
    assert [at for at, small in enumerate(result.picture.small) if small] == [3]
    assert sum(cell_counts(result.figure)) == 31
    drawn = texts(result.figure).replace(" | ", " ")
    assert {
        "vi": "hai giá trị (3); trong đó ẩn vì số quá nhỏ: 1",
        "en": "missing (3); of these suppressed as too small: 1",
    }[lang] in drawn
    assert {"vi": "31 trong 34", "en": "31 of 34"}[lang] in drawn
    assert {"vi": "không phải giữa từng người bệnh", "en": "not between patients"}[lang] in drawn
    row = result.data.row(1, named=True)
    assert row["first_value"] is None
    assert row["second_value"] is not None


def test_corners_are_named_and_add_up_to_the_cells():
    result = bivariate(*pair(), reference=REFERENCE, breaks=((50,), (50,)))
    counts = cell_counts(result.figure)
    told = [int(n) for n in re.findall(r"cao: (\d+)|thấp: (\d+)", result.explain("vi")) for n in n if n]
    assert told == [counts[8], counts[0], counts[2], counts[6]]
    assert sum(told) == 34


def test_pandas_in_pandas_out_and_two_diseases_are_both_named():
    frame = provinces("2025")
    other = frame.with_columns(disease=pl.lit("diabetes"))
    result = bivariate(frame.to_pandas(), other.to_pandas(), reference=REFERENCE, lang="en")
    assert isinstance(result.data, pd.DataFrame)
    assert "Hypertension" in result.title
    assert "iabetes" in result.title


@pytest.mark.parametrize(
    ("change", "settings", "words"),
    [
        ({"period": "2026-05"}, {}, "the two indicators differ in period: got 2026-06 and 2026-05"),
        ({"release": "2026-05-abc"}, {}, "the two indicators differ in release"),
        ({}, {"classes": "target"}, "class scheme does not suit two indicators"),
        ({}, {"breaks": ((1, 2, 3), None)}, "number of limits out of range: got 3; allowed: one or two"),
        ({}, {"breaks": ((2, 1), None)}, "limits between classes cannot be used"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, str], settings: dict[str, Any], words: str):
    first, second = pair()
    second = second.with_columns(pl.lit(value).alias(name) for name, value in change.items())
    with pytest.raises(UsageError, match=words):
        bivariate(first, second, reference=REFERENCE, **settings)
