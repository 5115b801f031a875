"""The sample release with five years of invented months of one province, for what short registers are refused."""

from __future__ import annotations

import json
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.tables import VALUES, conform
from ncdsurv.catalog.vocabulary import Period, month_label
from ncdsurv.reports.content.report import Report
from ncdsurv.store import Release
from ncdsurv.store.release import MANIFEST, VALUES_ORDER

PROVINCE, VINTAGE, PRESET, DISEASE, LAST = "79", "2024", "hearts", "hypertension", "2026-06"
PEOPLE = 5000
VALUES_FILE = "values.parquet"


def course(months: int, low: float, high: float, seed: int) -> np.ndarray:
    """Shares that go straight from `low` to `high` with a season and the scatter of chance."""
    rng, at = np.random.default_rng(seed), np.arange(months)
    share = np.linspace(low, high, months) + 0.01 * np.sin(2 * np.pi * at / 12)
    return rng.binomial(PEOPLE, share) / PEOPLE


def long_release(short: Release, folder: Path, shares: dict[str, np.ndarray]) -> Release:
    """Write the provinces' values of a release with longer series of some indicators of one of them, and open it.

    Args:
        short: The release copied.
        folder: Where to.
        shares: Indicator -> shares by month, the last one of `LAST`.
    """
    target = folder / short.id
    shutil.copytree(short.folder, target, ignore=shutil.ignore_patterns("measures*", VALUES_FILE))
    one = (
        (pl.col("area_code") == PROVINCE)
        & (pl.col("area_vintage") == VINTAGE)
        & (pl.col("disease") == DISEASE)
    )
    one &= pl.col("indicator").is_in(list(shares)) & (pl.col("preset") == PRESET)
    one &= (pl.col("area_level") == "province") & (pl.col("sex") == "both") & (pl.col("age_band") == "all")
    values = _of_provinces(short.folder)
    months = max(len(share) for share in shares.values())
    labels = [month_label(Period.parse(LAST).last_month - back) for back in reversed(range(months))]
    added = [_rows(values, one, name, share, labels) for name, share in shares.items()]
    other = pl.col("indicator").is_in(list(shares))
    lengthened = pl.concat([values.filter(other & ~one), *(conform(rows, VALUES) for rows in added)])
    # Only what became longer is sorted by all columns; the rest stands in its order already.
    whole = pl.concat([values.filter(~other), lengthened.sort(VALUES_ORDER)])
    whole.sort(VALUES_ORDER[0], maintain_order=True).write_parquet(target / VALUES_FILE)
    manifest = json.loads((target / MANIFEST).read_text("utf-8"))
    known = manifest["contents"]["period"]
    manifest["contents"]["period"] = sorted({*known, *labels})
    (target / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    return Release(target, short._packs)


@lru_cache(maxsize=1)
def _of_provinces(folder: Path) -> pl.DataFrame:
    """The values of a release's provinces: enough for a series, and quick to write."""
    values = pl.scan_parquet(folder / VALUES_FILE).filter(pl.col("area_level") == "province")
    return conform(values.collect(), VALUES)


def _rows(
    values: pl.DataFrame, one: pl.Expr, name: str, share: np.ndarray, labels: list[str]
) -> pl.DataFrame:
    like = values.filter(one, pl.col("indicator") == name, pl.col("period") == LAST)
    assert like.height == 1
    counts = np.round(share * PEOPLE)
    reach = 196 * np.sqrt(share * (1 - share) / PEOPLE)
    return pl.concat([like] * len(share)).with_columns(
        period=pl.Series(labels[-len(share) :]),
        numerator=pl.Series(counts),
        denominator=pl.Series(np.full(len(share), float(PEOPLE))),
        value=pl.Series(100 * counts / PEOPLE),
        lower=pl.Series(100 * counts / PEOPLE - reach),
        upper=pl.Series(100 * counts / PEOPLE + reach),
        flag=pl.lit("ok"),
    )


def report_of(release: Release, reference: Any, lang: str = "en", area: str = PROVINCE) -> Report:
    """The province's report."""
    return Report(
        release=release,
        reference=reference,
        catalog=load_catalog(),
        period=LAST,
        preset=PRESET,
        lang=lang,
        area=area,
        level="province",
        vintage=VINTAGE,
    )
