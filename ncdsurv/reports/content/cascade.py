"""The cascade of care and the control rate by every preset."""

from __future__ import annotations

from typing import Any

from ncdsurv.catalog.vocabulary import Level
from ncdsurv.reports.content.blocks import Block, cards, heading, nothing, paragraph, picture, table
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
        )
    )


def _interval(report: Report, row: dict[str, Any]) -> str:
    return report.text("cards.interval", interval=report.text.interval(row["lower"], row["upper"]))


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
        source=prevalence.source.partition(";")[0],
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
        notes.append("* " + text("methods.unverified"))
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
