"""The cascade of care and the control rate by every preset."""

from __future__ import annotations

from typing import Any

from ncdsurv.reports.content.blocks import Block, heading, nothing, paragraph, picture, table
from ncdsurv.reports.content.report import Report, layout


def cascade(report: Report, disease: str) -> Block:
    """Estimated, detected, managed, treated, controlled: people at each step, and the rate that led there."""
    text, part = report.text, layout()["cascade"]
    counts = {step: report.one(step, disease) for step in part["steps"]}
    rates = {step: report.one(name, disease) for step, name in part["rates"].items()}
    for step, row in counts.items():
        report.emit(f"{step}_{disease}", row)
    rows = []
    for step, count in counts.items():
        rate = rates.get(step)
        rows.append(
            [
                text(f"step.{report.catalog.indicators[step].cascade_step}"),
                report.rate(count),
                report.rate(rate) if rate else "",
                text.interval(rate["lower"], rate["upper"]) if rate else "",
                _of_what(report, part["rates"].get(step), rate),
            ]
        )
    small = report.small_note([*counts.values(), *rates.values()])
    note = " ".join(filter(None, (_estimate_note(report, disease), _per_population(report, disease), small)))
    frame = report.values(part["steps"], disease)
    return (
        heading(text("cascade.title"), 3)
        + paragraph(text("cascade.prose"))
        + _bars(report, disease, counts)
        + table(
            [
                text(name)
                for name in ("cascade.step", "column.people", "column.rate", "column.interval", "cascade.of")
            ],
            rows,
            caption=report.caption(disease, text("cascade.title")),
            note=note,
            data=frame,
        )
    )


def _of_what(report: Report, indicator: str | None, rate: dict[str, Any] | None) -> str:
    if indicator is None or rate is None or rate["denominator"] is None:
        return ""
    return report.of(rate)


def _estimate_note(report: Report, disease: str) -> str:
    prevalence = report.catalog.default_prevalence(disease)
    if prevalence is None:
        return report.text("cascade.no_estimate")
    ages = f"{prevalence.age_from}–{prevalence.age_to}" if prevalence.age_to else f"{prevalence.age_from}+"
    return report.text(
        "cascade.estimate",
        percent=report.text.percent(prevalence.percent),
        ages=ages,
        # The citation only: what stands behind the semicolon are remarks for whoever maintains the definition.
        source=prevalence.source[report.lang].partition(";")[0],
        verified="" if prevalence.verified else " " + report.text("methods.unverified"),
    )


def _per_population(report: Report, disease: str) -> str:
    name = layout()["cascade"]["per_population"]
    if report.preset not in report.catalog.indicators[name].presets:
        return ""
    frame = report.values(name, disease, standardisation=None)
    rows = {row["standardisation"]: row for row in frame.iter_rows(named=True)}
    crude = rows.pop("crude", None)
    adjusted = next(iter(rows.values()), None)
    if crude is None or adjusted is None or crude["value"] is None or adjusted["value"] is None:
        return ""
    text = report.text
    return text(
        "cascade.per_population",
        crude=text.number(crude["value"]),
        crude_interval=text.interval(crude["lower"], crude["upper"], 0),
        adjusted=text.number(adjusted["value"]),
        adjusted_interval=text.interval(adjusted["lower"], adjusted["upper"], 0),
    )


def _bars(report: Report, disease: str, counts: dict[str, dict[str, Any]]) -> Block:
    from matplotlib.figure import Figure

    from ncdsurv.maps.style import FITTED, NOT_DEFINED, SOFT_INK, figure_style

    text = report.text
    shown = [(step, row["value"]) for step, row in counts.items() if row["value"] is not None]
    if not shown:
        return nothing(text("note.nothing"))
    with figure_style():
        figure = Figure(figsize=(7.2, 0.36 * len(shown) + 0.25))
        ax = figure.subplots()
        labels = [text(f"step.{report.catalog.indicators[step].cascade_step}") for step, _ in shown]
        # The first step is an estimate from a survey, not a count of people in the registry.
        colours = [NOT_DEFINED if step == layout()["cascade"]["steps"][0] else FITTED for step, _ in shown]
        widths = [value for _, value in shown]
        ax.barh(range(len(shown)), widths, color=colours, height=0.66)
        for at, width in enumerate(widths):
            ax.annotate(
                text.number(width),
                (width, at),
                (4, 0),
                textcoords="offset points",
                va="center",
                color=SOFT_INK,
            )
        ax.set_yticks(range(len(shown)), labels)
        ax.tick_params(axis="y", length=0)
        ax.invert_yaxis()
        ax.set_xlim(0, max(max(widths), 1) * 1.14)
        ax.xaxis.set_visible(False)
        ax.spines["bottom"].set_visible(False)
        alt = "; ".join(f"{label} {text.number(width)}" for label, width in zip(labels, widths, strict=True))
        return picture(figure, alt=alt)


def control(report: Report, disease: str) -> Block:
    """The control rate by every preset, now and a year before, each saying among whom."""
    text, name = report.text, layout()["control"]["indicator"]
    rows, marked = [], []
    for preset in report.catalog.indicators[name].presets:
        now = report.one(name, disease, preset=preset)
        before = report.one(name, disease, preset=preset, period=report.year_before)
        report.emit(f"control_{disease}_{preset}", now)
        marked += [now, before]
        chosen = report.catalog.presets[preset]
        rows.append(
            [
                chosen.names[report.lang] + ("" if chosen.verified else "*"),
                chosen.among[report.lang],
                text.number(now["numerator"]),
                text.number(now["denominator"]),
                report.rate(now),
                text.interval(now["lower"], now["upper"]),
                f"{report.rate(before)} ({text.interval(before['lower'], before['upper'])})",
            ]
        )
    notes = [text("control.note")]
    if any(not report.catalog.presets[preset].verified for preset in report.catalog.indicators[name].presets):
        notes.append(text("methods.mark"))
    notes.append(report.small_note(marked))
    return (
        heading(text("control.title"), 3)
        + paragraph(text("control.prose"))
        + table(
            [
                text("control.preset"),
                text("control.among"),
                text("column.at_target"),
                text("column.among"),
                text("column.rate"),
                text("column.interval"),
                text.period(report.year_before),
            ],
            rows,
            caption=report.caption(disease, report.indicator_name(name)),
            note=" ".join(filter(None, notes)),
            text_columns=2,
            data=report.values(name, disease, preset=None),
        )
    )
