"""Pictures of data quality: heaping, completeness over months, and stations in a funnel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ncdsurv.catalog.vocabulary import Period, month_start
from ncdsurv.reports.content.blocks import Block, heading, nothing, paragraph, picture, table
from ncdsurv.reports.content.quality import (
    all_sources,
    by_station,
    metrics_by_id,
    of_area,
    pooled,
    source_name,
    span,
)
from ncdsurv.reports.content.report import Report, layout

_MARKS, _STYLES = "os^DvPX*", ("-", "--", ":", "-.", (0, (1, 3)))
_Z95, _Z998 = 1.959964, 3.090232  # limits of the funnel, as English public health uses them


def heaping(report: Report) -> Block:
    """Observed shares beside those expected without digit preference, by source system."""
    metrics = [name for name, metric in metrics_by_id().items() if metric.expected_percent is not None]
    return _dots(report, metrics, "heaping")


def patterns(report: Report) -> Block:
    """Doubles, copied readings, jumps, too-even readings and missing identity, by source system."""
    shown = layout()["quality"]["patterns"]
    return _dots(
        report, [name for name, metric in metrics_by_id().items() if metric.kind in shown], "patterns"
    )


def completeness(report: Report) -> Block:
    """Share of contacts with what should be recorded, month by month."""
    return _lines(report, "completeness")


def timeliness(report: Report) -> Block:
    """Share of contacts received in time, by the month of the contact."""
    return _lines(report, "timeliness")


def _dots(report: Report, names: Sequence[str], part: str) -> Block:
    """One line per metric, one mark per source system, and the share expected where there is one."""
    from matplotlib.figure import Figure

    from ncdsurv.maps.style import INK, QUALITATIVE, RULE, figure_style

    text, metrics = report.text, {name: metrics_by_id()[name] for name in names}
    frame = pooled(report, by_source=True)
    frame = frame.filter(frame["metric"].is_in(list(metrics)), frame["denominator"] > 0)
    top = heading(text(f"quality.{part}"), 2) + paragraph(text(f"quality.{part}_prose"))
    if frame.is_empty():
        return top + nothing(text("quality.none"))
    shown = [name for name in metrics if name in set(frame["metric"])]
    sources = sorted(set(frame["source"]))
    with figure_style():
        figure = Figure(figsize=(7.2, 0.42 * len(shown) + 0.9))
        ax = figure.subplots()
        labelled = False
        for row_at, name in enumerate(shown):
            expected = metrics[name].expected_percent
            if expected is not None:
                ends = [row_at - 0.32, row_at + 0.32]
                label = None if labelled else text("quality.expected")
                ax.plot([expected, expected], ends, color=INK, lw=1.2, label=label)
                labelled = True
        for number, source in enumerate(sources):
            rows = frame.filter(frame["source"] == source)
            at = [shown.index(name) for name in rows["metric"]]
            ax.plot(
                rows["value"].to_list(),
                at,
                _MARKS[number % len(_MARKS)],
                ms=5.5,
                color=QUALITATIVE[number % len(QUALITATIVE)],
                label=source_name(report, source),
            )
        ax.set_yticks(range(len(shown)), [metrics[name].names[report.lang] for name in shown])
        ax.invert_yaxis()
        ax.set_xlim(left=0)
        ax.set_xlabel("%")
        ax.grid(axis="y", color=RULE, lw=0.4)
        ax.tick_params(axis="y", length=0)
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncol=2, borderaxespad=0.3)
    said = (
        (
            metrics[row["metric"]].names[report.lang],
            source_name(report, row["source"]),
            text.percent(row["value"]),
        )
        for row in frame.iter_rows(named=True)
    )
    alt = "; ".join(f"{metric}, {source}: {value}" for metric, source, value in said)
    return top + picture(figure, alt=alt, caption=span(report), data=frame)


def _lines(report: Report, part: str) -> Block:
    """One line per metric of the kinds that `layout.toml` names for the part, over the months shown."""
    from matplotlib.figure import Figure

    from ncdsurv.maps.style import QUALITATIVE, RULE, figure_style
    from ncdsurv.reports.content.series import month_axis

    text, kinds = report.text, layout()["quality"][part]
    metrics = {name: metric for name, metric in metrics_by_id().items() if metric.kind in kinds}
    frame = of_area(report).drop_nulls("month")
    frame = frame.filter(
        frame["metric"].is_in(list(metrics)),
        frame["source"] == all_sources(),
        frame["month"].is_in(report.months),
    ).sort("month")
    top = heading(text(f"quality.{part}"), 2) + paragraph(text(f"quality.{part}_prose"))
    if frame["value"].drop_nulls().is_empty():
        return top + nothing(text("quality.none"))
    with figure_style():
        figure = Figure(figsize=(7.2, 2.7))
        ax = figure.subplots()
        for number, (name, metric) in enumerate(metrics.items()):
            rows = frame.filter(frame["metric"] == name).drop_nulls("value")
            dates: Any = [month_start(Period.parse(month).last_month) for month in rows["month"]]
            ax.plot(
                dates,
                rows["value"],
                color=QUALITATIVE[number % len(QUALITATIVE)],
                ls=_STYLES[number % len(_STYLES)],
                lw=1.6,
                label=metric.names[report.lang],
            )
        ax.set_ylim(0, 100)
        ax.set_ylabel("%")
        ax.grid(axis="y", color=RULE, lw=0.4)
        month_axis(ax)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=2, borderaxespad=0.3)
    last = frame.filter(frame["month"] == frame["month"].max())
    alt = "; ".join(
        f"{metrics[row['metric']].names[report.lang]}: {text.percent(row['value'])}"
        for row in last.iter_rows(named=True)
    )
    return top + picture(figure, alt=alt, data=frame)


def stations(report: Report) -> Block:
    """Stations in a funnel: share of readings just below the threshold against their number."""
    import numpy as np
    from matplotlib.figure import Figure

    from ncdsurv.maps.style import FITTED, RULE, SOFT_INK, figure_style

    text = report.text
    metric = metrics_by_id()[layout()["quality"]["stations"]]
    frame = by_station(report, metric.id)
    frame = frame.filter(frame["denominator"] >= metric.minimum_denominator)
    top = heading(text("quality.stations"), 2) + paragraph(text("quality.stations_prose"))
    if frame.is_empty():
        return top + nothing(text("quality.none"))
    share = float(metric.expected_percent or 0) / 100
    limit = 100 * (share + _Z998 * np.sqrt(share * (1 - share) / frame["denominator"].to_numpy()))
    above = frame.filter(frame["value"].to_numpy() > limit).sort("facility")
    with figure_style():
        figure = Figure(figsize=(7.2, 3.4))
        ax = figure.subplots()
        n = np.linspace(metric.minimum_denominator, float(frame["denominator"].to_numpy().max()) * 1.05, 200)
        for z, style in ((_Z95, "--"), (_Z998, "-")):
            half = 100 * z * np.sqrt(share * (1 - share) / n)
            ax.plot(n, 100 * share + half, color=SOFT_INK, ls=style, lw=0.9)
            ax.plot(n, np.clip(100 * share - half, 0, None), color=SOFT_INK, ls=style, lw=0.9)
        ax.axhline(100 * share, color=RULE, lw=0.9)
        ax.plot(frame["denominator"].to_list(), frame["value"].to_list(), "o", ms=4, color=FITTED, alpha=0.75)
        ax.set_ylim(bottom=0)
        ax.set_ylabel(f"{metric.names[report.lang]}, %")
        ax.set_xlabel(text("quality.readings"))
    shown = picture(
        figure,
        alt=text("quality.stations_alt", stations=frame.height, above=above.height),
        caption=text("quality.funnel", stations=frame.height, above=above.height),
        data=frame,
    )
    names = dict(report.reference.facilities.select("code", "name").iter_rows())
    rows = [
        [row["facility"], names.get(row["facility"], "–"), report.of(row), text.percent(row["value"])]
        for row in above.iter_rows(named=True)
    ]
    if not rows:
        return top + shown
    header = [text(name) for name in ("quality.station", "column.area", "column.of_short", "column.rate")]
    return (
        top
        + shown
        + table(
            header,
            rows,
            caption=text("quality.above"),
            note=text("quality.not_accused"),
            text_columns=2,
            data=above,
        )
    )
