"""What runs over months: the trend of control, and follow-up."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

from ncdsurv.errors import NcdsurvError
from ncdsurv.reports.content.better import direction, trend, verdict
from ncdsurv.reports.content.blocks import Block, heading, nothing, paragraph, picture, table
from ncdsurv.reports.content.refusals import reason_of
from ncdsurv.reports.content.report import Report, layout


def control_trend(report: Report, disease: str) -> Block:
    """The control rate over the last months, with its trend and change per year where one can be told."""
    return trend_of(report, layout()["control"]["indicator"], disease)


def trend_of(report: Report, indicator: str, disease: str) -> Block:
    """Any indicator over the last months: the trend of `ns.trend`, which chooses the family of counts by a test, or the
    months as published and the reason why they bear no trend."""
    text = report.text
    top = heading(text("trend.title", indicator=report.indicator_name(indicator)), 3)
    try:
        result = trend(report, indicator, disease)
    except NcdsurvError as error:
        # Too few months or people is a finding about the area, not a failure of the report.
        return top + nothing(text("trend.none", why=reason_of(error, report.lang)))
    report.tell(f"trend_{indicator}_{disease}", result.summary())
    lead = verdict(report, indicator, result) if direction(result) else f"{result.headline(report.lang)}."
    shown = picture(
        result.plot(lang=report.lang),
        alt=f"{result.title(report.lang)}: {result.headline(report.lang)}",
        data=result.data,
    )
    return top + paragraph(lead) + shown


def months_of(report: Report, indicator: str, disease: str) -> Block:
    """An indicator month by month, with its interval."""
    text = report.text
    frame = report.values(indicator, disease, period=_published(report)).sort("period")
    rows = [
        [
            text.period(row["period"]),
            report.of(row),
            report.rate(row),
            text.interval(row["lower"], row["upper"]),
        ]
        for row in frame.iter_rows(named=True)
    ]
    header = [text(name) for name in ("column.month", "column.of_short", "column.rate", "column.interval")]
    caption = f"{report.indicator_name(indicator)} – {report.disease_name(disease)}, {report.area_name}"
    return table(
        header, rows, caption=caption, note=report.small_note(frame.iter_rows(named=True)), data=frame
    )


def _published(report: Report) -> list[str]:
    return report.published_months(layout()["period_months"])


def follow_up(report: Report, disease: str) -> Block:
    """The exclusive outcomes of those under care, loss among all enrolled, and both over the months."""
    text, part = report.text, layout()["follow_up"]
    names = [*part["outcomes"], part["lost"]]
    rows, marked = [], []
    for name in names:
        now = report.one(name, disease)
        before = report.one(name, disease, period=report.year_before)
        marked += [now, before]
        rows.append(
            [
                report.indicator_name(name),
                report.catalog.indicators[name].definition[report.lang],
                report.of(now),
                report.rate(now),
                text.interval(now["lower"], now["upper"]),
                report.rate(before) if report.can_know(name, disease, report.year_before) else "–",
            ]
        )
        report.emit(f"{name}_{disease}", now)
    return (
        heading(text("follow_up.title"), 3)
        + paragraph(text("follow_up.prose" if _same_people(rows) else "follow_up.prose_apart"))
        + table(
            [
                text("follow_up.outcome"),
                text("follow_up.meaning"),
                text("column.of_short"),
                text("column.rate"),
                text("column.interval"),
                text.period(report.year_before),
            ],
            rows,
            caption=report.caption(disease, text("follow_up.title")),
            note=report.small_note(marked),
            text_columns=2,
            data=report.values(names, disease),
        )
        + _lines(report, disease, part["drawn"])
    )


def _same_people(rows: list[list[str]]) -> bool:
    """Whether the exclusive outcomes are counted among the same people, so that they add up."""
    return len({row[2].partition("/")[2] for row in rows[:-1]}) == 1


def _lines(report: Report, disease: str, names: list[str]) -> Block:
    from matplotlib.figure import Figure

    from ncdsurv.catalog.vocabulary import Period, month_start
    from ncdsurv.maps.style import QUALITATIVE, RULE, figure_style

    text = report.text
    frame = report.values(names, disease, period=_published(report)).sort("period")
    if frame["value"].null_count() == frame.height:
        return nothing(text("note.nothing"))
    with figure_style():
        figure = Figure(figsize=(7.6, 2.0))
        first, last = (Period.parse(report.months[end]).last_month for end in (0, -1))
        panels = figure.subplots(1, len(names), sharey=True)
        for number, (ax, name) in enumerate(zip(panels, names, strict=True)):
            rows = frame.filter(frame["indicator"] == name).drop_nulls("value")
            rows = rows.filter([report.can_know(name, disease, period) for period in rows["period"]])
            dates = [month_start(Period.parse(period).last_month) for period in rows["period"]]
            ax.fill_between(dates, rows["lower"], rows["upper"], color=QUALITATIVE[number], alpha=0.2, lw=0)
            ax.plot(dates, rows["value"], color=QUALITATIVE[number], lw=1.6)
            ax.set_title("\n".join(wrap(report.indicator_name(name), 26)), loc="left", fontsize=8.5)
            ax.grid(axis="y", color=RULE, lw=0.4)
            month_axis(ax, every=6, form="%m/%y")
            ax.set_xlim(month_start(first - 1), month_start(last))
        panels[0].set_ylim(bottom=0)
        panels[0].set_ylabel("%")
        figure.subplots_adjust(wspace=0.12)
        now = {name: report.one(name, disease) for name in names}
        alt = "; ".join(f"{report.indicator_name(name)}: {report.rate(row)}" for name, row in now.items())
        return picture(
            figure, alt=alt, caption=text("follow_up.figure", months=len(report.months)), data=frame
        )


def month_axis(ax: Any, every: int = 3, form: str = "%m/%Y") -> None:
    """Months by quarter or half-year, written the same way in both languages."""
    from matplotlib import dates
    from matplotlib.dates import MonthLocator
    from matplotlib.ticker import FuncFormatter

    ax.xaxis.set_major_locator(MonthLocator(bymonth=range(1, 13, every)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda at, _: dates.num2date(at).strftime(form)))
