"""Will the target be met? What was reached in its year, where the area stands, and a forecast where one holds."""

from __future__ import annotations

import re
from typing import Any

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR, Period
from ncdsurv.errors import NcdsurvError
from ncdsurv.reports.content.better import series_values
from ncdsurv.reports.content.blocks import Block, heading, items, table
from ncdsurv.reports.content.refusals import reason_of
from ncdsurv.reports.content.report import Report, layout


def national_targets(report: Report, disease: str) -> Block:
    """Each national target of a disease: its value at the end of its year, now, and whether it will be met.

    Where the year of the target has passed, it is asked whether the same level will be reached within the years of
    `layout.toml`. Nothing where the catalog has no target of the disease.
    """
    targets = [target for target in report.catalog.targets.values() if target.disease == disease]
    if not targets:
        return Block("")
    text, rows, notes = report.text, [], []
    for target in targets:
        now = report.one(target.indicator, disease)
        then = report.one(target.indicator, disease, period=f"{target.year}-12")
        report.emit(f"target_{target.id}", now)
        met = now["value"] is not None and now["value"] >= target.percent
        name = report.indicator_name(target.indicator)
        sure = met and now["lower"] is not None and now["lower"] >= target.percent
        outlook = (
            text("target.met" if sure else "target.met_barely") if met else _outlook(report, target, now)
        )
        rows.append(
            [
                name,
                text(
                    "target.level",
                    percent=text.percent(target.percent, 0),
                    year=target.year,
                    instrument=_number_of(target.instrument[report.lang]),
                )
                + ("" if target.verified else "*"),
                report.rate(then) if then["value"] is not None else "–",
                f"{report.rate(now)} ({text.interval(now['lower'], now['upper'])})"
                if now["value"] is not None
                else "–",
                outlook,
            ]
        )
    if any(not target.verified for target in targets):
        notes.append(text("methods.mark"))
    notes.append(report.small_note([report.one(target.indicator, disease) for target in targets]))
    header = ["target.indicator", "target.target", "target.then", "target.now", "target.outlook"]
    body = table(
        [text(name) for name in header],
        rows,
        caption=report.caption(disease, text("target.title")),
        note=" ".join(filter(None, notes)),
        text_columns=(0, 1, 4),
    )
    said = report.keep(("forecasts", disease), list)
    return heading(text("target.question"), 3) + body + (items(said, "small") if said else Block(""))


def _outlook(report: Report, target: Any, now: dict[str, Any]) -> str:
    """The probability of reaching the level, or that there is none; what stands behind it is kept for the notes."""
    from ncdsurv.trends import forecast_rate

    text, disease = report.text, target.disease
    said = report.keep(("forecasts", disease), list)
    name = report.indicator_name(target.indicator)
    if now["value"] is None:
        return text("target.unknown")
    this_year = (Period.parse(report.period).last_month - 1) // MONTHS_PER_YEAR
    year = max(target.year, this_year + layout()["better"]["target_years"])
    try:
        result = forecast_rate(
            series_values(report, target.indicator, disease, layout()["better"]["longest"]),
            str(year),
            report.area,
            target=target.percent,
            catalog=report.catalog,
            reference=report.reference,
            lang=report.lang,
        )
    except NcdsurvError as error:
        said.append(text("target.refused", indicator=name, why=reason_of(error, report.lang)))
        return text("target.no_forecast")
    report.tell(f"forecast_{target.id}", result.summary())
    said.append(f"{name}: {result.headline(report.lang)}.")
    said.append(
        text(
            "target.checked",
            covered=text.percent(100 * result.backtest.covered, 0),
            n=text.number(result.backtest.compared),
        )
        + _beyond(result, text)
    )
    return text(
        "target.probability", month=text.period(f"{year}-12"), probability=_percent(result.probability, text)
    )


def _beyond(result: Any, text: Any) -> str:
    """How far the forecast reaches past what the series could check."""
    ahead, horizon = result.future.height, result.backtest.horizon
    return "" if ahead <= horizon else " " + text("target.beyond", ahead=ahead, horizon=horizon)


def _percent(share: float | None, text: Any) -> str:
    """A probability as it is printed: a model never knows for certain."""
    if share is None:
        return "–"
    percent = 100 * share
    if percent > 99:
        return "> " + text.percent(99, 0)
    return "< " + text.percent(1, 0) if percent < 1 else text.percent(percent, 0)


def _number_of(instrument: str) -> str:
    """Number and year of an instrument, the same in every language; its whole name where there is none."""
    found = re.search(r"\d+/\S+.*", instrument)
    return found.group() if found else instrument
