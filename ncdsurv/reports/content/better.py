"""Is it getting better? The trend in a sentence and a picture, the last values, and what could not be told and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR
from ncdsurv.errors import NcdsurvError
from ncdsurv.reports.content.blocks import Block, heading, items, nothing, paragraph, picture
from ncdsurv.reports.content.refusals import reason_of
from ncdsurv.reports.content.report import Report, layout

if TYPE_CHECKING:
    import polars as pl

UP, DOWN, UNCLEAR = "up", "down", "unclear"


def getting_better(report: Report, disease: str, indicator: str | None = None) -> Block:
    """Trend, recent marker and national targets of a disease's control rate (or another indicator)."""
    from ncdsurv.reports.content.targets import national_targets

    text, name = report.text, indicator or layout()["control"]["indicator"]
    top = heading(text("better.title", indicator=report.indicator_name(name)), 3)
    try:
        result = trend(report, name, disease)
    except NcdsurvError as error:
        # Too few months or people is a finding about the area, not a failure of the report.
        return top + nothing(text("trend.none", why=reason_of(error, report.lang)))
    report.tell(f"trend_{name}_{disease}", result.summary())
    drawn = picture(
        result.plot(lang=report.lang),
        alt=f"{result.title(report.lang)}: {result.headline(report.lang)}",
        data=result.data,
    )
    found = direction(result)
    lead = verdict(report, name, result) if found else f"{result.headline(report.lang)}."
    notes = [recent(report, name, disease)]
    # Where a trend is plain, the first and last months of a chart lie outside its limits by themselves.
    if found not in (UP, DOWN):
        notes.append(stands_out(report, name, disease))
    if found:
        notes += [model_words(report, result), text("better.observed")]
    blocks = top + paragraph(lead) + drawn + items([note for note in notes if note], "small")
    return blocks + national_targets(report, disease)


def series_values(report: Report, indicator: str, disease: str, most: int) -> pl.DataFrame:
    """Published months of one series, at most `most` of them up to the report's month.

    Raises:
        StatisticsError: The release has none.
    """
    from ncdsurv.errors import StatisticsError

    values = report.values(indicator, disease, period=report.published_months(most))
    if values.is_empty():
        raise StatisticsError("no months were published", got=f"{indicator} of {disease}")
    return values


def trend(report: Report, indicator: str, disease: str) -> Any:
    """The trend of the last months, or the months themselves with the reason why none is given."""
    from ncdsurv.trends import trend_or_series

    def make() -> Any:
        values = series_values(report, indicator, disease, layout()["better"]["months"])
        return trend_or_series(
            values, area=report.area, reference=report.reference, catalog=report.catalog, lang=report.lang
        )

    return report.keep(("trend", indicator, disease), make)


def direction(result: Any) -> str | None:
    """`up` or `down` where the interval of the annual change leaves out 0, else `unclear`; None without a trend."""
    if result.annual_change is None:
        return None
    return UP if result.lower > 0 else DOWN if result.upper < 0 else UNCLEAR


def verdict(report: Report, indicator: str, result: Any) -> str:
    """Better, worse or not clear, the change in percent of the rate and in points, and what that means."""
    from ncdsurv.trends.base import signed

    text, found = report.text, direction(result)
    good = {"high_good": UP, "low_good": DOWN}.get(report.catalog.indicators[indicator].polarity)
    judged = (
        UNCLEAR if found == UNCLEAR else "plain" if good is None else "better" if found == good else "worse"
    )
    line = result.model.trend * result.series.scale
    points = float(line[-1] - line[0]) / (len(line) - 1) * MONTHS_PER_YEAR
    said = signed(points, report.lang, unit="") if found == UNCLEAR else text.number(abs(points), 1)
    moved = text(
        f"better.moved.{found}",
        first=text.period(result.first),
        last=text.period(result.last),
        points=text(f"better.unit.{result.identity['unit']}", value=said),
    )
    ends = {name: signed(getattr(result, name), report.lang) for name in ("lower", "upper")}
    relative = text("better.relative", change=signed(result.annual_change, report.lang), **ends)
    return f"{text(f'better.lead.{judged}')}: {moved} {relative}"


def recent(report: Report, indicator: str, disease: str) -> str:
    """The recent-trend marker over the last values that share no readings, in words."""
    from ncdsurv.trends.control.recent import marker_of_proportions, marker_of_values
    from ncdsurv.trends.prepare import window_of

    text, points = report.text, layout()["better"]["marker_points"]
    frame = series_values(report, indicator, disease, layout()["better"]["longest"]).sort("period")
    window = window_of({"indicator": indicator, "preset": report.preset}, report.catalog)
    months = report.published_months(layout()["better"]["longest"])[::-window][:points]
    last = frame.filter(frame["period"].is_in(months), frame["denominator"] > 0).drop_nulls("value")
    if last.height < points:
        return text("better.recent.few", points=points, window=window, n=last.height)
    if last["unit"][0] == "percent":
        marker = marker_of_proportions(last["numerator"].to_numpy(), last["denominator"].to_numpy())
    else:
        marker = marker_of_values(*(last[name].to_numpy() for name in ("value", "lower", "upper")))
    report.tell(f"recent_{indicator}_{disease}", {"months": last["period"].to_list(), **vars(marker)})
    return text(
        f"better.recent.{marker.direction or 'unknown'}",
        points=points,
        values="; ".join(
            f"{text.period(row['period'])}: {report.rate(row)}" for row in last.iter_rows(named=True)
        ),
    )


def stands_out(report: Report, indicator: str, disease: str) -> str:
    """Months that a control chart marks, or why no chart was drawn up."""
    from ncdsurv.trends import control_chart

    values = series_values(report, indicator, disease, layout()["better"]["longest"])
    try:
        chart = control_chart(
            values, area=report.area, reference=report.reference, catalog=report.catalog, lang=report.lang
        )
    except NcdsurvError as error:
        return report.text("better.no_chart", why=reason_of(error, report.lang))
    report.tell(f"control_chart_{indicator}_{disease}", chart.summary())
    return report.text("better.chart", said=chart.headline(report.lang))


def model_words(report: Report, result: Any) -> str:
    """Which family of counts, how it was chosen, how much the months scatter; one sentence."""
    from ncdsurv.trends.base import p_words

    text, model = report.text, result.model
    return text(
        "better.model",
        family=text(f"better.family.{model.family}"),
        chosen=text(
            f"better.chosen.{result.family_reason}", p=p_words(model.checks.quadratic_p_value, report.lang, 2)
        ),
        dispersion=text.number(result.dispersion, 2),
        shared=text("better.shared", window=result.window)
        if result.window > 1 and result.overlap == "shared"
        else "",
    )
