"""One table of every quality metric by station and month, with sums for provinces and the nation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.tables import Schema
from ncdsurv.catalog.vocabulary import NATION, Flag, Level, Vintage, VisitKind
from ncdsurv.quality.counts import Records, count_rejects, kept_rows
from ncdsurv.quality.definitions import QualityMetric, check_metrics, load_metrics
from ncdsurv.quality.kinds import gather, judge
from ncdsurv.quality.places import place_facilities

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.reference import Reference

ALL_SOURCES = "all"
_NOT_OF_CONTACTS = ("allocated", "rejected")
"""Of people (`quality.residence`), and of rows that never became records."""
ROWS = ["file_sha256", "row_number", "record_id", "facility"]
"""Where a row of a record stood, and which station it names."""
QUALITY: Schema = {
    "facility": pl.String(),
    "area_code": pl.String(),
    "area_vintage": pl.String(),
    "area_level": pl.String(),
    "month": pl.String(),
    "source": pl.String(),
    "metric": pl.String(),
    "numerator": pl.Int64(),
    "denominator": pl.Int64(),
    "value": pl.Float64(),
    "flag": pl.String(),
}


def quality_table(
    visits: pl.DataFrame | Iterable[pl.DataFrame],
    patients: pl.DataFrame,
    diagnoses: pl.DataFrame,
    rejects: pl.DataFrame,
    flags: pl.DataFrame,
    reference: Reference,
    catalog: Catalog,
) -> pl.DataFrame:
    """Count every metric of `quality.toml`.

    Args:
        visits: Schema `VISITS`, whole or in parts, no record in two of them; with `received_on`, the day a
            visit was first received, or without, and then without a row of timeliness.
        patients: Schema `PATIENTS`.
        diagnoses: Schema `DIAGNOSES`.
        rejects: Schema `REJECTS`.
        flags: [record_id, has_citizen_id, has_insurance_number]: marks from the vault, never an identifier.
        reference: Where stations lie.
        catalog: Diseases, measurements, targets.

    Returns:
        Frame of schema `QUALITY`, sorted. A row with a facility is one station in one month (`area_code` its
        commune, of 2025 where known) and source; a row without is the sum over the stations of a province or
        the nation, in both vintages, by source and for all sources together (`source` "all"). `value` is in
        percent and null where the denominator is 0. `month` is null for metrics over the whole time. Rejected
        rows stand in all and by rule (`rejected_rows.<rule>`).

    Raises:
        DefinitionError: A metric names something the catalog does not have.
    """
    check_metrics(load_metrics(), catalog)
    source = sources_of(patients)
    gathered: dict[str, list[pl.DataFrame]] = {}
    kept: list[pl.DataFrame] = []
    seen: list[pl.DataFrame] = []
    others = pl.concat([table.select(ROWS) for table in (patients, diagnoses)])
    for part in [visits] if isinstance(visits, pl.DataFrame) else visits:
        for name, found in gather_records(part, source, diagnoses, flags, catalog).items():
            gathered.setdefault(name, []).append(found)
        theirs = others.join(part.select("record_id").unique(), on="record_id", how="semi")
        kept.append(kept_rows(pl.concat([part.select(ROWS), theirs]), source))
        seen.append(part.select("record_id", "facility").unique())
    visitors = pl.concat(seen)
    silent = others.join(visitors.select("record_id").unique(), on="record_id", how="anti")
    kept.append(kept_rows(silent, source))
    return table_of(gathered, pl.concat(kept), visitors, patients, rejects, reference)


def sources_of(patients: pl.DataFrame) -> pl.DataFrame:
    """[record_id, source]: which system each record comes from."""
    return patients.select("record_id", "source").unique("record_id", keep="any")


def gather_records(
    visits: pl.DataFrame,
    source: pl.DataFrame,
    diagnoses: pl.DataFrame,
    flags: pl.DataFrame,
    catalog: Catalog,
) -> dict[str, pl.DataFrame]:
    """What every metric of contacts needs to know of some records; adds up over records (`table_of`).

    Args:
        visits: All visits of the records; the other arguments may hold more records.
        source: [record_id, source].
        diagnoses: See `quality_table`.
        flags: See `quality_table`.
        catalog: Diseases, measurements, targets.

    Returns:
        Metric -> a frame of counts by facility, source and month, and where needed by reading.
    """
    records = Records(_contacts(visits, source), diagnoses, flags, catalog)
    metrics = load_metrics().values()
    return {metric.id: gather(records, metric) for metric in metrics if metric.kind not in _NOT_OF_CONTACTS}


def records_of(visits: pl.DataFrame, catalog: Catalog) -> Records:
    """Contacts alone, without source, diagnoses and marks: enough to find readings (`counts.readings_of`)."""
    none = visits.select("record_id").clear()
    contacts = visits.filter(pl.col("kind") != VisitKind.SCREENING)
    return Records(contacts, none, none, catalog)


def table_of(
    gathered: Mapping[str, Sequence[pl.DataFrame]],
    kept: pl.DataFrame,
    visitors: pl.DataFrame,
    patients: pl.DataFrame,
    rejects: pl.DataFrame,
    reference: Reference,
) -> pl.DataFrame:
    """The table of quality from what was gathered of all records.

    Args:
        gathered: Metric -> what was gathered (`gather_records`), in one part or in several.
        kept: What `counts.kept_rows` found, of all parts.
        visitors: [record_id, facility] of the visits.
        patients: Schema `PATIENTS`.
        rejects: Schema `REJECTS`.
        reference: Where stations lie.

    Returns:
        As `quality_table`.
    """
    metrics = load_metrics()
    parts = [
        judge(list(found), metrics[name]).with_columns(metric=pl.lit(name))
        for name, found in gathered.items()
    ]
    parts += [
        count_rejects(metric.id, kept, rejects) for metric in metrics.values() if metric.kind == "rejected"
    ]
    columns = ["facility", "source", "month", "metric", "numerator", "denominator"]
    counts = pl.concat([part.select(columns) for part in parts])
    places = place_facilities(counts["facility"], patients, visitors, reference)
    counts = counts.join(places, on="facility", how="left")
    rows = [_of_stations(counts)]
    for vintage in Vintage:
        rows.append(_sum_up(counts, Level.PROVINCE, vintage, pl.col(f"province_{vintage}")))
        rows.append(_sum_up(counts, Level.NATION, vintage, pl.lit(NATION)))
    return _finish(pl.concat(rows, how="diagonal"), metrics)


def _contacts(visits: pl.DataFrame, source: pl.DataFrame) -> pl.DataFrame:
    return (
        visits.filter(pl.col("kind") != VisitKind.SCREENING)
        .join(source, on="record_id", how="left")
        .with_columns(month=pl.col("visited_on").dt.strftime("%Y-%m"))
    )


def _of_stations(counts: pl.DataFrame) -> pl.DataFrame:
    v2024, v2025 = str(Vintage.V2024), str(Vintage.V2025)
    in_2025 = pl.col("commune_2025").is_not_null()
    in_2024 = pl.col("commune_2024").is_not_null()
    by_rule_and_none = pl.col("metric").str.contains(".", literal=True) & (pl.col("numerator") == 0)
    return (
        counts.drop_nulls("facility")
        .filter(~by_rule_and_none)
        .with_columns(
            area_code=pl.coalesce("commune_2025", "commune_2024"),
            area_vintage=pl.when(in_2025).then(pl.lit(v2025)).when(in_2024).then(pl.lit(v2024)),
            area_level=pl.lit(str(Level.COMMUNE)),
        )
    )


def _sum_up(counts: pl.DataFrame, level: Level, vintage: Vintage, area: pl.Expr) -> pl.DataFrame:
    keys = ["area_code", "month", "metric"]
    placed = counts.with_columns(area_code=area).drop_nulls("area_code")
    sums = [pl.col("numerator").sum(), pl.col("denominator").sum()]
    by_source = placed.group_by([*keys, "source"]).agg(sums)
    together = placed.group_by(keys).agg(sums).with_columns(source=pl.lit(ALL_SOURCES))
    return pl.concat([by_source, together], how="diagonal").with_columns(
        area_vintage=pl.lit(str(vintage)), area_level=pl.lit(str(level))
    )


def _finish(rows: pl.DataFrame, metrics: dict[str, QualityMetric]) -> pl.DataFrame:
    base = pl.col("metric").str.split(".").list.first()
    rank = {name: place for place, name in enumerate(metrics)}
    minimum = {name: metric.minimum_denominator for name, metric in metrics.items()}
    rows = rows.with_columns(
        value=pl.when(pl.col("denominator") > 0).then(100 * pl.col("numerator") / pl.col("denominator")),
        flag=pl.when(pl.col("denominator") == 0)
        .then(pl.lit(str(Flag.NO_DENOMINATOR)))
        .when(pl.col("denominator") < base.replace_strict(minimum, return_dtype=pl.Int64))
        .then(pl.lit(str(Flag.SMALL_NUMBER)))
        .otherwise(pl.lit(str(Flag.OK))),
        rank=base.replace_strict(rank, return_dtype=pl.Int32),
    )
    order = ["rank", "metric", "area_level", "area_vintage", "area_code", "facility", "source", "month"]
    rows = rows.sort(order, nulls_last=True)
    return rows.select(pl.col(name).cast(dtype) for name, dtype in QUALITY.items())
