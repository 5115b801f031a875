"""The head of a disease: one sentence, how much of the area it covers, and the key figures."""

from __future__ import annotations

from typing import Any

from ncdsurv.catalog.vocabulary import Level
from ncdsurv.reports.content.blocks import Block, cards, heading, paragraph
from ncdsurv.reports.content.report import Report, layout


def chapter(report: Report, disease: str) -> Block:
    """Heading of a disease, its key figures in a row and in one sentence."""
    text, parts, preset = report.text, layout(), report.catalog.presets[report.preset]
    control = report.one(parts["control"]["indicator"], disease)
    care = report.one(parts["cascade"]["steps"][2], disease)
    lost = report.one(parts["follow_up"]["lost"], disease)
    missed = report.one(parts["follow_up"]["outcomes"][-1], disease)
    report.emit(f"control_{disease}_{report.preset}", control)
    people = text(
        "cards.of",
        numerator=text.number(control["numerator"]),
        denominator=text.number(control["denominator"]),
    )
    figures = [
        (report.indicator_name(care["indicator"]) if care["indicator"] else "", report.rate(care), ""),
        (
            report.indicator_name(parts["control"]["indicator"]),
            report.rate(control),
            f"{text('cards.interval', interval=text.interval(control['lower'], control['upper']))}; {people}",
        ),
        (
            report.indicator_name(parts["follow_up"]["outcomes"][-1]),
            report.rate(missed),
            _interval(report, missed),
        ),
        (report.indicator_name(parts["follow_up"]["lost"]), report.rate(lost), _interval(report, lost)),
    ]
    return (
        heading(report.disease_name(disease), 2, disease)
        + paragraph(_sentence(report, disease, control), "lead")
        + paragraph(_coverage(report, disease), "note")
        + cards(figures)
        + paragraph(
            text("cards.preset", preset=preset.names[report.lang], among=preset.among[report.lang]), "note"
        )
    )


def _coverage(report: Report, disease: str) -> str:
    """In how many communes the people live: a figure of an area is one of those who sent data."""
    from ncdsurv.reports.content.places import inside

    level = str(Level.COMMUNE)
    codes = inside(report, level)["code"].to_list()
    frame = report.values(layout()["cascade"]["steps"][1], disease, level=level, area=None)
    shown = frame.filter(frame["area_code"].is_in(codes), frame["numerator"] > 0)["area_code"].n_unique()
    if shown == len(codes):
        return ""
    text = report.text
    areas = text.say(f"level.{level}")
    return text("chapter.coverage", shown=text.number(shown), all=text.number(len(codes)), areas=areas)


def _sentence(report: Report, disease: str, control: dict[str, Any]) -> str:
    text = report.text
    if control["value"] is None:
        return text("chapter.nothing", disease=report.disease_name(disease), area=report.area_name)
    before = report.one(control["indicator"], disease, period=report.year_before)
    said = text(
        "chapter.control",
        area=report.area_name,
        period=text.period(report.period),
        value=report.rate(control),
        interval=text.interval(control["lower"], control["upper"]),
        numerator=text.number(control["numerator"]),
        denominator=text.number(control["denominator"]),
    )
    if before["value"] is None:
        return said
    # Two intervals that overlap say little either way; the sentence only states both.
    return (
        said
        + " "
        + text(
            "chapter.before",
            period=text.period(report.year_before),
            value=report.rate(before),
            interval=text.interval(before["lower"], before["upper"]),
            difference=_difference(report, control, before),
        )
    )


def _difference(report: Report, now: dict[str, Any], before: dict[str, Any]) -> str:
    """Now less before in points, of the figures as they are printed: a reader who takes one from the other gets it."""
    from ncdsurv.trends.base import signed

    points = round(now["value"], 1) - round(before["value"], 1)
    return report.text(f"better.unit.{now['unit']}", value=signed(points, report.lang, unit=""))


def _interval(report: Report, row: dict[str, Any]) -> str:
    return report.text("cards.interval", interval=report.text.interval(row["lower"], row["upper"]))
