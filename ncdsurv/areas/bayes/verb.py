"""`ns.smooth(..., method="bym2")`: rows of a scene in, a `BayesResult` out."""

from __future__ import annotations

import polars as pl

from ncdsurv.areas.bayes.result import BayesResult
from ncdsurv.areas.bayes.sample import Posterior, fit_bym2
from ncdsurv.areas.draw import Scene
from ncdsurv.areas.neighbours import Neighbours
from ncdsurv.areas.take import USED

METHOD = "bym2"


def smooth_bayes(
    scene: Scene, family: str, who: Neighbours, *, draws: int, chains: int, seed: int, lang: str
) -> BayesResult:
    """Sample the rates of the areas of a scene."""
    used = scene.rows.used
    found = fit_bym2(
        used["numerator"],
        used["denominator"],
        who.matrix,
        family=family,
        draws=draws,
        chains=chains,
        seed=seed,
    )
    table = _table(scene, found, lang)
    return BayesResult(scene.rows.back(table), found, METHOD, family, who, lang, scene)


def _table(scene: Scene, found: Posterior, lang: str) -> pl.DataFrame:
    rows = scene.rows
    alone = set(found.islands)
    figures = pl.DataFrame(
        {
            "area_code": rows.used["area_code"],
            "raw": found.raw * rows.scale,
            "smoothed": found.smoothed * rows.scale,
            "lower": found.lower * rows.scale,
            "upper": found.upper * rows.scale,
            "neighbours": pl.Series(found.neighbours, dtype=pl.Int64),
            "own_status": ["island" if at in alone else "smoothed" for at in range(len(found.raw))],
        }
    )
    joined = rows.frame.join(figures, on="area_code", how="left", maintain_order="left")
    status = pl.when(pl.col("status") == USED).then(pl.col("own_status")).otherwise(pl.col("status"))
    name = pl.col("area_code").replace_strict(scene.names(lang), default=None, return_dtype=pl.String)
    return joined.with_columns(name=name, status=status).select(
        "area_code",
        "name",
        "numerator",
        "denominator",
        "raw",
        "smoothed",
        "lower",
        "upper",
        "neighbours",
        "status",
    )
