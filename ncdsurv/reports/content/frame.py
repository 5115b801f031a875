"""What stands around the numbers: the head of the page with its warnings, and the notes on method."""

from __future__ import annotations

from typing import Any

from ncdsurv import __version__
from ncdsurv.reference import is_invented
from ncdsurv.reports.content.blocks import Block, heading, items, paragraph
from ncdsurv.reports.content.report import Report, layout


def header(report: Report) -> Block:
    """Area, month, geography, release; and first of all whether the people are invented."""
    text = report.text
    title = Block(f"<header><p class=kind>{text('header.kind')}</p>") + heading(report.area_name, 1)
    facts = text(
        "header.facts",
        period=text.period(report.period),
        vintage=text.say(f"vintage.{report.vintage}"),
        preset=report.catalog.presets[report.preset].names[report.lang],
        release=report.release.id,
    )
    return title + paragraph(facts, "facts") + Block("</header>") + invented(report)


def invented(report: Report) -> Block:
    """The banner of a registry of invented people; nothing where the people are real."""
    if not is_invented(report.release, report.reference):
        return Block("")
    return paragraph(report.text("header.invented"), "banner")


def methods(report: Report) -> Block:
    """Definitions of what was shown, sources, what is not verified, and how the numbers were made."""
    text, catalog = report.text, report.catalog
    preset = catalog.presets[report.preset]
    shown = _indicators()
    definitions = [
        f"{catalog.indicators[name].names[report.lang]}: {catalog.indicators[name].definition[report.lang]}."
        + ("" if catalog.indicators[name].verified else "*")
        for name in shown
    ]
    apart = preset.enrolment_buffer_months
    buffer = [text("methods.buffer", months=_months(text, apart))] if apart else []
    rules = [
        text("methods.window", months=_months(text, preset.outcome_window_months)),
        *buffer,
        text("methods.lost", months=_months(text, preset.lost_after_months)),
        text("methods.treated", months=_months(text, preset.treated_window_months)),
        text(f"methods.{preset.reading}"),
    ]
    facts = [
        text("methods.interval"),
        text("methods.small"),
        text("methods.residence"),
        text("methods.geography", vintage=text.say(f"vintage.{report.vintage}")),
        text(
            "methods.release",
            release=report.release.id,
            definitions=str(catalog.definitions_hash)[:12],
            version=__version__,
        ),
    ]
    if any(pack["schematic"] for pack in report.reference.manifest):
        facts.append(text("methods.schematic"))
    return (
        heading(text("methods.title"), 2, "methods")
        + paragraph(
            text(
                "methods.preset",
                preset=preset.names[report.lang],
                among=preset.among[report.lang],
                source=preset.source[report.lang],
            )
            + ("" if preset.verified else f" {text('methods.unverified')}")
        )
        + items(rules)
        + heading(text("methods.definitions"), 3)
        + items(definitions)
        + paragraph(
            "" if all(catalog.indicators[name].verified for name in shown) else text("methods.mark"), "note"
        )
        + heading(text("methods.facts"), 3)
        + items(facts)
    )


def _months(text: Any, n: int) -> str:
    return str(text("methods.month" if n == 1 else "methods.months", n=n))


def _indicators() -> list[str]:
    part = layout()
    names = [
        *part["cascade"]["steps"],
        *part["cascade"]["rates"].values(),
        *part["follow_up"]["outcomes"],
        part["follow_up"]["lost"],
    ]
    return list(dict.fromkeys(names))
