"""The invented province of the gallery: what is true in it is known, so that every answer can be judged.

Nobody in it exists. The places are those of the former province of Trà Vinh (2024 code 84, since July 2025 a part
of Vĩnh Long); people, stations and figures are drawn from a seed, and `TRUTH` is put into their readings. From there
on everything takes the way of real data: station exports, registry, release.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import Period, month_label
from ncdsurv.indicators import rates
from ncdsurv.reference import load_reference
from ncdsurv.registry import open_store
from ncdsurv.registry.digest import code_digest
from ncdsurv.store.atomic import new_folder
from ncdsurv.synthetic import make_registry, write_exports

if TYPE_CHECKING:
    from ncdsurv.synthetic import SyntheticRegistry

PROVINCE, SEED = "84", 84
FIRST, LAST, MONTHS, PEOPLE = "2022-03", "2026-06", 48, 3_600  # of the registry
DAYS_OF_MONTH = 30.4  # as the generator counts

#: What was put in: pressures in mmHg of systolic pressure, months as `YYYY-MM`, districts by their 2024 code.
TRUTH = {
    "training": {"from": "2024-10", "mmhg_per_month": -0.9, "not_in": ["844", "847"]},
    "shortage": {"from": "2025-09", "mmhg": 8.0, "districts": ["844"]},
}


def registry() -> Path:
    """Folder of the invented registry with one release; made at the first call, which takes half a minute.

    It lies in the folder that the variable NCDSURV_GALLERY names, else in `build/gallery` of the checkout.
    """
    text = Path(__file__).read_bytes() + f"{code_digest()} {load_catalog().definitions_hash}".encode()
    place = Path(os.environ.get("NCDSURV_GALLERY") or Path(__file__).parents[2] / "build" / "gallery")
    folder = place / hashlib.sha256(text).hexdigest()[:12]
    if not folder.is_dir():
        with new_folder(folder) as temporary:
            _make(temporary)
    return folder / "registry"


def people() -> SyntheticRegistry:
    """The invented people with `TRUTH` in their readings."""
    drawn = make_registry(PEOPLE, SEED, [PROVINCE], first=FIRST, last=LAST)
    return replace(drawn, visits=_with_truth(drawn.visits, drawn.stations))


def untrained() -> list[str]:
    """Communes (2025 codes) with homes in a district where nobody was trained."""
    homes = people().visits.filter(pl.col("district_2024").is_in(TRUTH["training"]["not_in"]))
    return homes["commune_2025"].unique().sort().to_list()


def _make(folder: Path) -> None:
    write_exports(people(), folder)
    store = open_store(folder / "registry")
    store.vault.make()  # a known key: whom the program places in which part of a split commune hangs on it
    store.vault.write_key(store.vault.key_file, hashlib.sha256(b"nobody is real").digest())
    store.add_reference(folder / "reference")
    for source in store.catalog.sources:
        exports = folder / "exports" / source
        if exports.is_dir():
            store.ingest([exports], source=source)
    store.build_release(LAST, months=MONTHS)


def _with_truth(visits: pl.DataFrame, stations: pl.DataFrame) -> pl.DataFrame:
    """Take out the drift that the generator gives each station, and put in what `TRUTH` says.

    Systolic pressure shifts by the whole of it, diastolic by 0.42.
    """
    on = pl.col("visited_on")
    month = on.dt.year() * 12 + on.dt.month()
    district = pl.col("district_2024")

    def since(label: str) -> pl.Expr:
        return month - Period.parse(label).first_month

    training, shortage = TRUTH["training"], TRUTH["shortage"]
    drift = pl.col("trend") * (on - on.min()).dt.total_days() / DAYS_OF_MONTH
    trained = since(training["from"]).clip(0) * training["mmhg_per_month"]
    short = district.is_in(shortage["districts"]) & (since(shortage["from"]) >= 0)
    shift = (
        pl.when(district.is_in(training["not_in"])).then(0.0).otherwise(trained)
        + pl.when(short).then(shortage["mmhg"]).otherwise(0.0)
        - drift
    )
    # A rolled fraction before rounding down, so that whole mmHg are right on average.
    rolled = pl.Series(np.random.default_rng(SEED).random(visits.height))
    shifted = (
        (pl.col(name) + (part * shift + rolled).floor()).clip(low, high).cast(pl.Int16).alias(name)
        for name, part, low, high in (("sbp", 1.0, 86, 238), ("dbp", 0.42, 48, 138))
    )
    drifts = stations.select("facility", "trend")
    return (
        visits.join(drifts, on="facility", how="left", maintain_order="left")
        .with_columns(*shifted)
        .drop("trend")
    )


def long_series() -> pl.DataFrame:
    """Values of one province from 2018 to December 2030, for a question that needs more years than a registry has.

    Drawn, not counted: 2,400 people under care; the share controlled has a steady drift upwards on the logit scale,
    with chance from month to month and a winter that is a little worse. Months after `LAST` are what "came".
    """
    first, last = Period.parse("2018-01").first_month, Period.parse("2030-12").last_month
    rng = np.random.default_rng(SEED)
    months = np.arange(first, last + 1)
    logit = -0.75 + np.cumsum(0.008 + 0.012 * rng.normal(size=len(months)))
    logit += 0.06 * np.cos(2 * np.pi * (months - 7) / 12)
    people = 2_400
    controlled = rng.binomial(people, 1 / (1 + np.exp(-logit))).astype(float)
    told = {
        "indicator": "control_among_managed",
        "preset": "tt37",
        "disease": "hypertension",
        "release": "invented",
    }
    told |= {
        "area_code": PROVINCE,
        "area_vintage": "2024",
        "area_level": "province",
        "sex": "both",
        "age_band": "all",
    }
    told |= {"ci_method": "wilson", "unit": "percent", "standardisation": "crude", "flag": "ok"}
    counts = pl.DataFrame({"numerator": controlled}).with_columns(denominator=pl.lit(float(people)))
    shares = rates.proportion(counts, count="numerator", total="denominator").drop("method", "confidence")
    return shares.with_columns(
        pl.Series("period", [month_label(int(month)) for month in months]),
        *(pl.lit(value).alias(name) for name, value in told.items()),
    )


def provinces() -> pl.DataFrame:
    """Values of all provinces in three Junes, for a picture of the nation; the registry holds one province only.

    Drawn, not counted: control rises everywhere by 6 points a year, and from north to south by up to 20.
    """
    rng = np.random.default_rng(SEED)
    places = load_reference().areas("province", "2025").sort("lat", descending=True)
    people = rng.integers(2_000, 20_000, places.height)
    told = {"indicator": "control_rate", "preset": "hearts", "disease": "hypertension", "release": "invented"}
    told |= {"area_vintage": "2025", "area_level": "province", "sex": "both", "age_band": "all"}
    told |= {"ci_method": "wilson", "unit": "percent", "standardisation": "crude", "flag": "ok"}
    frames = []
    for at, period in enumerate(("2024-06", "2025-06", "2026-06")):
        share = 0.28 + 0.06 * at + 0.2 * np.arange(places.height) / places.height
        counts = {
            "area_code": places["code"],
            "numerator": rng.binomial(people, share),
            "denominator": people,
        }
        frame = pl.DataFrame(counts).cast({"numerator": pl.Float64, "denominator": pl.Float64})
        frames.append(frame.with_columns(pl.lit(period).alias("period")))
    shares = rates.proportion(pl.concat(frames), count="numerator", total="denominator").drop(
        "method", "confidence"
    )
    return shares.with_columns(pl.lit(value).alias(name) for name, value in told.items())
