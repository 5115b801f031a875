"""One bucket in, counts out; buckets add up. The same function runs in a loop here or on a cluster.

`count_wide` counts every preset in one pass over the bucket: one row per place, month, disease, sex and age
band, one column per distinct count. It has two forms with equal results: polars expressions (the reference)
and a compiled kernel (used where numba is installed and the bucket is large enough to repay its loading).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, Required, TypedDict, Unpack

import polars as pl

from ncdsurv.catalog.vocabulary import SpellColumn
from ncdsurv.compiling import kept
from ncdsurv.errors import UsageError, unknown
from ncdsurv.spells.carry import STATE, conform_carry, conform_packed, name_carry, once, pack, unpack
from ncdsurv.spells.changes import bucket_spells
from ncdsurv.spells.history import number_cases, visit_days
from ncdsurv.spells.layout import SEXES, Bucket
from ncdsurv.spells.passes import Pass, make_pass
from ncdsurv.spells.places import PLACES, By, Places, places_of
from ncdsurv.spells.plan import measure_plan
from ncdsurv.spells.reference import count_reference

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

Form = Literal["auto", "polars", "compiled"]
UNKNOWN_BAND = "unknown"
CELL_COLUMNS = ("atom", "month", "disease", "sex", "age_band", "preset")
WIDE_CELL = ("month", "disease", "sex", "age_band")
# Below these, compiling the kernel for the first time (8 s), or loading one that lies on the disk (0.6 s), costs more
# than it saves. All that one process counts is added up: a worker of a cluster, or a registry of one year, has many
# buckets of which none is so large by itself.
COMPILE_FROM_CONTACTS, LOAD_FROM_CONTACTS = 300_000, 40_000
_KERNEL = "ncdsurv.spells.kernel"
_asked: list[int] = []


def band_names(catalog: Catalog) -> list[str]:
    """Age bands in order, and last the one for an unknown birth date."""
    return [*(band.id for band in catalog.age_bands), UNKNOWN_BAND]


def wide_schema(
    catalog: Catalog, by: By = "atom", presets: Sequence[str] | None = None
) -> dict[str, pl.DataType]:
    """Columns and dtypes of a wide frame: place, month, disease, sex, age band, then one Int32 per count.

    >>> from ncdsurv.catalog import load_catalog
    >>> list(wide_schema(load_catalog(), "facility"))[:5]
    ['facility', 'month', 'disease', 'sex', 'age_band']
    """
    cell: dict[str, pl.DataType] = {
        by: pl.Int32() if by == PLACES[0] else pl.String(),
        "month": pl.Int32(),
        "disease": pl.Enum(list(catalog.diseases)),
        "sex": pl.Enum([sex.value for sex in SEXES]),
        "age_band": pl.Enum(band_names(catalog)),
    }
    columns = measure_plan(catalog).columns_of(catalog.presets if presets is None else presets)
    return {**cell, **{name: pl.Int32() for name in columns}}


class Asked(TypedDict, total=False):
    """What is asked of a bucket, the same for all three ways of counting.

    Attributes:
        first_month: First month index to count.
        last_month: Last month index to count, included. Later events are not looked at.
        by: Where people are counted: `atom` lived in (unless told otherwise), or `facility` or `source` last
            seen at.
        form: `polars`, `compiled`, or `auto` (compiled for large buckets where numba is installed), the default.
        carry: State of the cases at the end of the month before the first, made with the same catalog and
            presets by `count_and_carry`, or by `count_packed` under the numbers that the bucket's people have
            now. The bucket then needs contacts from the first month on only, and all contacts of who has a case
            that the carry does not know (`carry.not_carried`); older ones of carried cases are passed over.
    """

    first_month: Required[int]
    last_month: Required[int]
    by: By
    form: Form
    carry: pl.DataFrame | None


def count_wide(
    bucket: Bucket, catalog: Catalog, presets: Sequence[str] | None = None, **asked: Unpack[Asked]
) -> pl.DataFrame:
    """Count every distinct count in every cell of one bucket, month by month, for all presets at once.

    Args:
        bucket: The bucket's layout (see `layout`).
        catalog: Diseases, presets, indicators and age bands.
        presets: Preset ids; None is all of the catalog, in its order.
        **asked: See `Asked`.

    Returns:
        Columns of `wide_schema`; rows with at least one count, sorted by disease, place, sex, age band and
        month. `Plan.numerator` and `Plan.denominator` name the columns of an indicator.

    Raises:
        UsageError: Unknown preset or place, months in the wrong order, the compiled form without numba, or a
            carry of another month or other presets.
    """
    return _count(bucket, catalog, presets, **asked)[1]


def count_and_carry(
    bucket: Bucket, catalog: Catalog, presets: Sequence[str] | None = None, **asked: Unpack[Asked]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`count_wide`, and the state of every case after the last month, from which a later month is counted.

    Returns:
        (counts, carry): the carry has person_id, disease, month (the last one counted) and Int32 columns
        that belong to the presets asked for.
    """
    work, counts, states = _count(bucket, catalog, presets, **asked)
    return counts, name_carry(states, bucket, catalog, work, asked["last_month"])


def count_packed(
    bucket: Bucket, catalog: Catalog, presets: Sequence[str] | None = None, **asked: Unpack[Asked]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`count_and_carry` with the carry by number: quicker to write, read and go on from.

    Returns:
        (counts, carry): the carry has person, disease (numbers), month and `state` (see `carry.pack`).
    """
    work, counts, states = _count(bucket, catalog, presets, **asked)
    return counts, pack(states, work, asked["last_month"])


def _count(
    bucket: Bucket,
    catalog: Catalog,
    presets: Sequence[str] | None,
    *,
    first_month: int,
    last_month: int,
    by: By = "atom",
    form: Form = "auto",
    carry: pl.DataFrame | None = None,
) -> tuple[Pass, pl.DataFrame, pl.DataFrame]:
    """What was counted by, the counts, and the state of the cases after the last month."""
    work = make_pass(catalog, check_presets(catalog, presets))
    check_months(first_month, last_month)
    if by not in PLACES:
        raise unknown("place", by, PLACES)
    places = places_of(bucket, by)
    carried = None
    if carry is not None and STATE in carry.columns:
        carried = conform_packed(carry, work, first_month - 1)
    elif carry is not None:
        carried = conform_carry(carry, bucket, catalog, work, first_month - 1)
    span = (catalog.age_bands, first_month, last_month)
    if _compiled(form, bucket):
        from ncdsurv.spells.compiled import count_compiled

        counted, states = count_compiled(bucket, work, places, len(catalog.diseases), *span, carried)
    else:
        known = None if carried is None else unpack(once(carried), work)
        counted, states = count_reference(bucket, work, places.stays, *span, known)
        counted = counted.sort("disease", "place", "sex", "band", "month")
    return work, _named(counted, catalog, work, places, by), states


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

    Raises:
        UsageError: Unknown preset, or months in the wrong order.
    """
    work = make_pass(catalog, check_presets(catalog, [preset]))
    check_months(first_month, last_month)
    places, cases = places_of(bucket, "atom"), number_cases(bucket, first_month)
    rules, plan = work.rules[0], work.plan
    days = visit_days(bucket.contacts.with_columns(work.judged), cases, rules)
    spells = bucket_spells(cases, days, places.stays, rules, plan, catalog.age_bands, first_month, last_month)
    states = plan.table.with_columns(pl.col("code").cast(pl.Int32))
    enrolled = bucket.cases.select("person", "disease", "enrolled_month")
    named = (
        spells.join(states, on="code", how="left")
        .join(bucket.people.select("person", "person_id"), on="person", how="left")
        .join(enrolled, on=["person", "disease"], how="left")
        .sort("person", "disease", "from_month")
        .with_columns(
            *labels(catalog),
            _place_label(places).alias("atom"),
            months_since_enrolment=pl.when(pl.col("months_since_enrolment").is_not_null()).then(
                pl.col("from_month") - pl.col("enrolled_month")
            ),
        )
    )
    cell = ["person_id", "disease", "atom", "sex", "age_band", "from_month", "to_month"]
    return named.select(*cell, *(column.value for column in SpellColumn))


def check_presets(catalog: Catalog, presets: Sequence[str] | None) -> list[str]:
    """The presets asked for, or all of the catalog.

    Raises:
        UsageError: One is unknown.
    """
    names = list(catalog.presets if presets is None else presets)
    for name in names:
        if name not in catalog.presets:
            raise unknown("preset", name, catalog.presets)
    return names


def check_months(first: int, last: int) -> None:
    """The first month comes before the last.

    Raises:
        UsageError: It does not.
    """
    if first > last:
        raise UsageError("the first month is after the last", got=f"{first} and {last}", do="swap them")


def _compiled(form: Form, bucket: Bucket) -> bool:
    if form == "polars":
        return False
    present = find_spec("numba") is not None
    if form == "compiled" and not present:
        raise UsageError("the compiled form needs numba", allowed="form polars", do="install ncdsurv[fast]")
    if not present or form == "compiled" or _KERNEL in sys.modules:
        return present
    _asked.append(bucket.contacts.height)
    return sum(_asked) >= (LOAD_FROM_CONTACTS if kept(_KERNEL) else COMPILE_FROM_CONTACTS)


def labels(catalog: Catalog) -> list[pl.Expr]:
    """Numbers of disease, sex and band as enums."""
    return [
        _enum(pl.col("disease"), tuple(catalog.diseases)).alias("disease"),
        _enum(pl.col("sex"), tuple(sex.value for sex in SEXES)).alias("sex"),
        _enum(pl.col("band"), tuple(band_names(catalog))).alias("age_band"),
    ]


def _enum(number: pl.Expr, names: tuple[str, ...]) -> pl.Expr:
    return pl.lit(_names(names)).gather(number.cast(pl.UInt32))


@lru_cache(maxsize=16)
def _names(names: tuple[str, ...]) -> pl.Series:
    return pl.Series(names, dtype=pl.Enum(names))


def _place_label(places: Places) -> pl.Expr:
    return pl.lit(places.labels).gather(pl.col("place").cast(pl.UInt32))


def _named(counted: pl.DataFrame, catalog: Catalog, work: Pass, places: Places, by: By) -> pl.DataFrame:
    """Numbers -> names, columns in their order; the rows are sorted already."""
    named = {str(label.meta.output_name()): label for label in labels(catalog)}
    return counted.select_seq(
        _place_label(places).alias(by), "month", *(named[name] for name in WIDE_CELL[1:]), *work.columns
    )
