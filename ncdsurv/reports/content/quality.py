"""How far the records can be trusted: a table, heaping, completeness over months, and stations in a funnel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import Period, month_label
from ncdsurv.reports.content.blocks import Block, heading, items, nothing, paragraph, table
from ncdsurv.reports.content.report import Report, layout

if TYPE_CHECKING:
    import polars as pl


def quality(report: Report, brief: bool = False) -> Block:
    """Quality metrics of the area, records of the last months put together.

    Args:
        report: The report.
        brief: Only those that decide whether the figures of a report may be believed; else all.
    """
    text = report.text
    frame = pooled(report)
    top = heading(text("quality.title"), 2, "quality") + paragraph(text("quality.prose"))
    rows = []
    for name, metric in metrics_by_id().items():
        if brief and name not in layout()["quality"]["brief"]:
            continue
        found = frame.filter(frame["metric"] == name)
        if found.is_empty() or not found["denominator"][0]:
            continue
        row = found.row(0, named=True)
        small = row["denominator"] < metric.minimum_denominator
        rows.append(
            [
                metric.names[report.lang],
                metric.definition[report.lang],
                report.of(row),
                text.percent(row["value"]) + ("†" if small else ""),
                text.percent(metric.expected_percent, 0),
            ]
        )
    if not rows:
        return top + nothing(text("quality.none"))
    header = ["quality.measure", "follow_up.meaning", "column.of_short", "column.rate", "quality.expected"]
    return top + table(
        [text(name) for name in header],
        rows,
        caption=text(
            "quality.caption",
            area=report.area_name,
            first=text.period(_months(report)[0]),
            last=text.period(report.period),
        ),
        note=" ".join(
            filter(
                None,
                [
                    text("quality.note"),
                    text("quality.more") if brief else "",
                    text("note.small") if any("†" in row[3] for row in rows) else "",
                ],
            )
        ),
        text_columns=2,
        data=frame,
    )


def quality_methods(report: Report) -> Block:
    """How every metric is counted, and where its limits come from."""
    text = report.text
    unverified = text("methods.unverified")
    notes = [
        f"{metric.names[report.lang]}: {metric.method[report.lang]}. "
        f"{text('quality.source')}: {metric.source[report.lang]}"
        + ("" if metric.verified else f" {unverified}")
        for metric in metrics_by_id().values()
    ]
    return heading(text("quality.methods"), 2, "quality-methods") + items(notes)


def metrics_by_id() -> dict[str, Any]:
    """The quality metrics by id."""
    from ncdsurv.quality import load_metrics

    return load_metrics()


def all_sources() -> str:
    """The word for all sources together."""
    from ncdsurv.quality.table import ALL_SOURCES

    return ALL_SOURCES


def source_name(report: Report, source: str) -> str:
    """Name of a source system in the report's language."""
    known = report.catalog.sources.get(source)
    return str(known.names[report.lang]) if known else source


def _months(report: Report) -> list[str]:
    last = Period.parse(report.period).last_month
    return [month_label(last - back) for back in reversed(range(layout()["quality"]["months"]))]


def span(report: Report) -> str:
    """Which months were put together, in words."""
    months = _months(report)
    return report.text(
        "quality.span", first=report.text.period(months[0]), last=report.text.period(months[-1])
    )


def of_area(report: Report) -> pl.DataFrame:
    """Quality rows of the report's area, summed over its stations."""
    frame = report.release.quality()
    return frame.filter(
        frame["facility"].is_null(),
        frame["area_code"] == report.area,
        frame["area_level"] == report.level,
        frame["area_vintage"] == report.vintage,
    )


def pooled(report: Report, *, by_source: bool = False) -> pl.DataFrame:
    """Sums over the last months; shares are never averaged. Metrics over the whole time stand as they are."""
    import polars as pl

    one = pl.col("source") == all_sources()
    return _sum(of_area(report).filter(~one if by_source else one), report, ["metric", "source"])


def by_station(report: Report, metric: str) -> pl.DataFrame:
    """A metric by station, months put together, for the stations inside the report's area."""
    import polars as pl

    from ncdsurv.reports.content.places import inside

    frame = report.release.quality().filter(pl.col("facility").is_not_null(), pl.col("metric") == metric)
    communes = {v: inside(report, "commune", v)["code"].to_list() for v in ("2024", "2025")}
    here = [
        (pl.col("area_vintage") == vintage) & pl.col("area_code").is_in(codes)
        for vintage, codes in communes.items()
    ]
    return _sum(frame.filter(pl.any_horizontal(here)), report, ["facility"])


def _sum(frame: pl.DataFrame, report: Report, keys: list[str]) -> pl.DataFrame:
    import polars as pl

    return (
        frame.filter(pl.col("month").is_null() | pl.col("month").is_in(_months(report)))
        .group_by(keys)
        .agg(pl.col("numerator", "denominator").sum())
        .with_columns(
            value=pl.when(pl.col("denominator") > 0).then(100 * pl.col("numerator") / pl.col("denominator"))
        )
        .sort(keys)
    )
