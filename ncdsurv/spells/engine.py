"""One bucket in, counts out; buckets add up. The same function runs in a loop here or on a cluster.

`count_bucket` has two forms with equal results: polars expressions (the reference) and a compiled kernel
(used where numba is installed and the bucket is large enough to repay its loading).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import polars as pl

from ncdsurv.catalog.vocabulary import SpellColumn
from ncdsurv.errors import UsageError, unknown
from ncdsurv.spells.changes import bucket_spells, count_spells
from ncdsurv.spells.layout import SEXES, Bucket
from ncdsurv.spells.rules import preset_rules
from ncdsurv.spells.states import measure_plan

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

Form = Literal["auto", "polars", "compiled"]
UNKNOWN_BAND = "unknown"
CELL_COLUMNS = ("atom", "month", "disease", "sex", "age_band", "preset")
COMPILE_FROM_CONTACTS = (
    300_000  # below this, compiling the kernel for the first time costs more than it saves
)
_KERNEL = "ncdsurv.spells.kernel"


def measures_schema(catalog: Catalog) -> dict[str, pl.DataType]:
    """Columns and dtypes of a measures frame: the cell, then one Int32 count per measure.

    >>> from ncdsurv.catalog import load_catalog
    >>> list(measures_schema(load_catalog()))[:6]
    ['atom', 'month', 'disease', 'sex', 'age_band', 'preset']
    """
    cell: dict[str, pl.DataType] = {
        "atom": pl.Int32(),
        "month": pl.Int32(),
        "disease": pl.Enum(list(catalog.diseases)),
        "sex": pl.Enum([sex.value for sex in SEXES]),
        "age_band": pl.Enum(band_names(catalog)),
        "preset": pl.Enum(list(catalog.presets)),
    }
    return {**cell, **{name: pl.Int32() for name in measure_plan(catalog).names}}


def band_names(catalog: Catalog) -> list[str]:
    """Age bands in order, and last the one for an unknown birth date."""
    return [*(band.id for band in catalog.age_bands), UNKNOWN_BAND]


def count_bucket(
    bucket: Bucket,
    catalog: Catalog,
    presets: Sequence[str] | None = None,
    *,
    first_month: int,
    last_month: int,
    form: Form = "auto",
) -> pl.DataFrame:
    """Count every measure in every cell of one bucket, month by month.

    Args:
        bucket: The bucket's layout (see `layout`).
        catalog: Diseases, presets, indicators and age bands.
        presets: Preset ids; None is all of the catalog, in its order.
        first_month: First month index to count.
        last_month: Last month index to count, included. Later events are not looked at.
        form: `polars`, `compiled`, or `auto` (compiled for large buckets where numba is installed).

    Returns:
        Columns of `measures_schema`; rows with at least one count, sorted by preset (in the order asked
        for), disease, atom, sex, age band and month.

    Raises:
        UsageError: Unknown preset, months in the wrong order, or the compiled form without numba.
    """
    names = _presets(catalog, presets)
    _check_months(first_month, last_month)
    rules, judged = preset_rules(catalog, names)
    plan = measure_plan(catalog)
    if _compiled(form, bucket):
        from ncdsurv.spells.compiled import count_compiled

        counted = count_compiled(bucket, rules, judged, plan, catalog, first_month, last_month)
    else:
        masks = plan.masks(names)
        parts = []
        for number, rule in enumerate(rules):
            spells = bucket_spells(bucket, rule, judged, plan, catalog.age_bands, first_month, last_month)
            counts = count_spells(spells, masks[number], plan, first_month, last_month)
            parts.append(counts.with_columns(preset=pl.lit(number, pl.Int8)))
        counted = pl.concat(parts)
    return _named(counted, catalog, names)


def person_spells(
    bucket: Bucket, catalog: Catalog, preset: str, *, first_month: int, last_month: int
) -> pl.DataFrame:
    """Start-stop rows of every person and disease, as survival analysis reads them.

    Args:
        bucket: The bucket's layout.
        catalog: Diseases, presets, indicators and age bands.
        preset: The preset whose windows and targets decide the states.
        first_month: First month index.
        last_month: Last month index, included.

    Returns:
        person_id, disease, atom, sex, age_band, from_month, to_month (both included) and the columns a
        condition may name; months_since_enrolment is as of from_month. Sorted by person and month; rows of
        one person and disease neither overlap nor leave a gap.
    """
    names = _presets(catalog, [preset])
    _check_months(first_month, last_month)
    rules, judged = preset_rules(catalog, names)
    plan = measure_plan(catalog)
    spells = bucket_spells(bucket, rules[0], judged, plan, catalog.age_bands, first_month, last_month)
    states = plan.table.with_columns(pl.col("code").cast(pl.Int32))
    named = (
        spells.join(states, on="code", how="left")
        .join(bucket.people.select("person", "person_id"), on="person", how="left")
        .join(
            bucket.cases.select("person", "disease", "enrolled_month"), on=["person", "disease"], how="left"
        )
        .sort("person", "disease", "from_month")
        .with_columns(
            _labels(catalog),
            months_since_enrolment=pl.when(pl.col("months_since_enrolment").is_not_null()).then(
                pl.col("from_month") - pl.col("enrolled_month")
            ),
        )
    )
    cell = ["person_id", "disease", "atom", "sex", "age_band", "from_month", "to_month"]
    return named.select(*cell, *(column.value for column in SpellColumn))


def add_buckets(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Add the counts of several buckets: people move, so one cell may have people of two buckets.

    Returns:
        One row per cell, sorted by preset, disease, atom, sex, age band and month.
    """
    together = pl.concat(list(parts), rechunk=True)
    cell = list(CELL_COLUMNS)
    # One integer stands for a cell, in sorting order: sorting and comparing it is several times faster.
    key = pl.lit(0, pl.Int64)
    for name in ("preset", "disease", "atom", "sex", "age_band", "month"):
        number = together[name].to_physical() if together[name].dtype == pl.Enum else together[name]
        key = key * (int(number.max() or 0) + 1) + pl.col(name).to_physical().cast(pl.Int64)  # type: ignore[arg-type]
    keyed = together.with_columns(_key=key).sort("_key")
    twin = (pl.col("_key") == pl.col("_key").shift(1)) | (pl.col("_key") == pl.col("_key").shift(-1))
    shared = keyed.filter(twin)
    if shared.is_empty():
        return keyed.drop("_key")
    added = shared.group_by("_key").agg(pl.col(cell).first(), pl.exclude(*cell, "_key").sum())
    alone = keyed.filter(~twin.fill_null(False))
    return pl.concat([alone, added.select(keyed.columns)]).sort("_key").drop("_key")


def _presets(catalog: Catalog, presets: Sequence[str] | None) -> list[str]:
    names = list(catalog.presets if presets is None else presets)
    for name in names:
        if name not in catalog.presets:
            raise unknown("preset", name, catalog.presets)
    return names


def _check_months(first: int, last: int) -> None:
    if first > last:
        raise UsageError("the first month is after the last", got=f"{first} and {last}", do="swap them")


def _compiled(form: Form, bucket: Bucket) -> bool:
    if form == "polars":
        return False
    present = find_spec("numba") is not None
    if form == "compiled" and not present:
        raise UsageError("the compiled form needs numba", allowed="form polars", do="install ncdsurv[fast]")
    worth = bucket.contacts.height >= COMPILE_FROM_CONTACTS or _KERNEL in sys.modules
    return present and (form == "compiled" or worth)


def _labels(catalog: Catalog) -> list[pl.Expr]:
    return [
        _enum(pl.col("disease"), list(catalog.diseases)).alias("disease"),
        _enum(pl.col("sex"), [sex.value for sex in SEXES]).alias("sex"),
        _enum(pl.col("band"), band_names(catalog)).alias("age_band"),
    ]


def _enum(number: pl.Expr, names: list[str]) -> pl.Expr:
    return pl.lit(pl.Series(names, dtype=pl.Enum(names))).gather(number.cast(pl.UInt32))


def _named(counted: pl.DataFrame, catalog: Catalog, presets: list[str]) -> pl.DataFrame:
    """Numbers -> names, columns in their order; the rows are sorted already."""
    everything = pl.Series(presets, dtype=pl.Enum(list(catalog.presets)))
    named = counted.with_columns(
        _labels(catalog), preset=pl.lit(everything).gather(pl.col("preset").cast(pl.UInt32))
    )
    schema = measures_schema(catalog)
    return named.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
