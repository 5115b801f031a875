"""What the pictures are drawn of, how a baseline is compared, and with what tolerance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ncdsurv.catalog.tables import VALUES
from ncdsurv.catalog.vocabulary import month_label
from ncdsurv.maps.style import _SETTINGS
from ncdsurv.reference import load_reference
from tests.trend_support import PLACE, monthly_values

REFERENCE = load_reference()
BASELINES = Path(__file__).parent / "pictures" / "baseline"
FIRST = 2022 * 12 + 1
DPI = 60
#: Text is drawn unhinted in the font that matplotlib ships: neither a machine's fonts nor its hinting move a letter.
STYLE = _SETTINGS | {"text.hinting": "none"}
#: Root mean square difference of two pictures, in grey levels of 255. Measured on each kind of picture: the palette of
#: the stored baseline gives 1.6 at most, letters smoothed otherwise as well 5.1; a moved legend 10 or more, another
#: ramp 24 or more (`tests/pictures/test_broken_pictures.py` holds these apart).
TOLERANCE = 6.0

compared = pytest.mark.mpl_image_compare(
    baseline_dir=str(BASELINES), style=STYLE, tolerance=TOLERANCE, savefig_kwargs={"dpi": DPI}
)
in_both = pytest.mark.parametrize("lang", ["vi", "en"])


def months(count: int, *, bend: float = 0.0, step: float = 0.0, at: int = 24, **columns: Any) -> pl.DataFrame:
    """Monthly shares of one province that rise slowly, bend or step at a month, with chance and winters."""
    rng = np.random.default_rng(11)
    time = np.arange(count)
    logit = -0.6 + 0.004 * time + bend * np.maximum(time - at, 0) / 12 + step * (time >= at)
    logit += 0.08 * np.cos(2 * np.pi * (time - 6) / 12)
    counts = rng.binomial(2_000, 1 / (1 + np.exp(-logit)))
    return monthly_values(
        counts, 2_000.0, FIRST, reach=0.02, **({"indicator": "control_among_managed"} | columns)
    )


def areas(
    level: str, codes: list[str], periods: int = 1, indicator: str = "control_rate", seed: int = 1
) -> pl.DataFrame:
    """Shares of areas in one or more Junes; every ninth has few people, one no denominator, one no row."""
    rng = np.random.default_rng(seed)
    frames = []
    for at in range(periods):
        people = np.where(
            np.arange(len(codes)) % 9 == 4, 30.0, rng.integers(120, 900, len(codes)).astype(float)
        )
        people[min(5, len(codes) - 1)] = 0.0
        share = np.clip(
            0.3 + 0.08 * at + 0.3 * np.arange(len(codes)) / len(codes) + rng.normal(0, 0.05, len(codes)), 0, 1
        )
        counts = rng.binomial(people.astype(int), share).astype(float)
        frames.append(
            pl.DataFrame({"area_code": codes, "numerator": counts, "denominator": people})
            .with_columns(period=pl.lit(month_label(2026 * 12 + 6 - 12 * (periods - 1 - at))))
            .slice(1)
        )
    told = PLACE | {"indicator": indicator, "preset": "hearts", "area_level": level}
    told = {name: value for name, value in told.items() if name not in ("area_code", "flag")}
    share = 100 * pl.col("numerator") / pl.col("denominator")
    some = pl.col("denominator") > 0
    return (
        pl.concat(frames)
        .with_columns(
            *(pl.lit(value).alias(name) for name, value in told.items()),
            value=pl.when(some).then(share),
            lower=pl.when(some).then(share - 3),
            upper=pl.when(some).then(share + 3),
            flag=pl.when(pl.col("denominator") == 0)
            .then(pl.lit("no_denominator"))
            .when(pl.col("denominator") <= 30)
            .then(pl.lit("small_number"))
            .otherwise(pl.lit("ok")),
        )
        .select(list(VALUES))
    )


def communes(periods: int = 1, **settings: Any) -> pl.DataFrame:
    """Communes of one province of the coast, an archipelago among them."""
    return areas("commune", REFERENCE.codes_within("56", "2025", "commune"), periods, **settings)


def provinces(periods: int = 1, **settings: Any) -> pl.DataFrame:
    """All provinces."""
    return areas("province", REFERENCE.areas("province", "2025")["code"].to_list(), periods, **settings)


def whole(figure: Any) -> Any:
    """The figure, once no word of it leaves the page."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    for text in _words(figure):
        left, below, right, above = text.get_window_extent(canvas.get_renderer()).extents
        inside = (
            left >= -1 and below >= -1 and right <= figure.bbox.width + 1 and above <= figure.bbox.height + 1
        )
        assert inside, f"{text.get_text()!r} leaves the page"
    return figure


def _words(figure: Any) -> list[Any]:
    found = [*figure.texts]
    for legend in (*figure.legends, *(axes.get_legend() for axes in figure.axes)):
        found += [] if legend is None else [*legend.get_texts(), legend.get_title()]
    for axes in figure.axes:
        found += [*axes.texts, axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
    return [text for text in found if text.get_visible() and text.get_text().strip()]
