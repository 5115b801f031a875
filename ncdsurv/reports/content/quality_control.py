"""How much the control rate rests on readings just below the limit: heaping beside the rate at lower limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import ALL_AGES, BOTH_SEXES
from ncdsurv.reports.content.blocks import Block, heading, nothing, paragraph, picture, table
from ncdsurv.reports.content.quality import metrics_by_id, pooled, span
from ncdsurv.reports.content.report import Report

if TYPE_CHECKING:
    from ncdsurv.catalog.sensitivity import Variant


def sensitivity(report: Report) -> Block:
    """The share of readings just below the limit, and the control rate with the limit and with lower ones."""
    from ncdsurv.catalog.sensitivity import load_variants

    text = report.text
    top = heading(text("sensitivity.title"), 2) + paragraph(text("sensitivity.prose"))
    variants = [variant for variant in load_variants().values() if report.preset in variant.presets]
    blocks = [
        _of_disease(report, disease.id, [v for v in variants if v.measurement == disease.measurement])
        for disease in report.catalog.diseases.values()
        if any(variant.measurement == disease.measurement for variant in variants)
    ]
    found = [block for block in blocks if block is not None]
    if not found:
        return top + nothing(text("sensitivity.none"))
    for block in found:
        top = top + block
    return top


def _of_disease(report: Report, disease: str, variants: list[Variant]) -> Block | None:
    import polars as pl

    text = report.text
    indicator = variants[0].indicator
    base = report.one(indicator, disease)
    if base["value"] is None:
        return None
    rows = [(text("sensitivity.own"), base)]
    for variant in variants:
        row = _varied(report, variant, disease)
        if row is not None:
            rows.append((variant.names[report.lang] + ("" if variant.verified else "*"), row))
            report.emit(f"{indicator}_{disease}_{variant.id}", row)
    if len(rows) == 1:
        return None
    heaped = _heaping(report, variants[0].measurement)
    note = [text("sensitivity.note"), heaped]
    if any(not variant.verified for variant in variants):
        note.append("* " + text("methods.unverified"))
    note.append(report.small_note(row for _, row in rows))
    cells = [
        [
            name,
            text.number(row["numerator"]),
            text.number(row["denominator"]),
            report.rate(row),
            text.interval(row["lower"], row["upper"]),
            text.number(row["value"] - base["value"], 1) if row is not base else "",
        ]
        for name, row in rows
    ]
    header = ["sensitivity.limit", "column.at_target", "column.among", "column.rate", "column.interval"]
    return _drawn(report, disease, rows) + table(
        [*(text(name) for name in header), text("sensitivity.difference")],
        cells,
        caption=report.caption(disease, report.indicator_name(indicator)),
        note=" ".join(filter(None, note)),
        data=report.release.sensitivity().filter(pl.col("area_code") == report.area),
    )


def _varied(report: Report, variant: Variant, disease: str) -> dict[str, Any] | None:
    """The published row of a variant in the report's area and month."""
    frame = report.release.sensitivity()
    wanted = {
        "indicator": variant.indicator,
        "preset": variant.name_under(report.preset),
        "disease": disease,
        "area_code": report.area,
        "area_level": report.level,
        "area_vintage": report.vintage,
        "period": report.period,
        "sex": BOTH_SEXES,
        "age_band": ALL_AGES,
    }
    found = frame.filter(*(frame[column] == value for column, value in wanted.items()))
    return found.row(0, named=True) if found.height else None


def _heaping(report: Report, measurement: str) -> str:
    """The shares of readings just below the limits of a measurement, in words."""
    metrics = {
        name: metric
        for name, metric in metrics_by_id().items()
        if metric.kind == "below_limit" and metric.measurement == measurement
    }
    frame = pooled(report)
    said = [
        report.text(
            "sensitivity.heaped",
            metric=metrics[row["metric"]].names[report.lang],
            value=report.text.percent(row["value"]),
            of=report.of(row),
            expected=report.text.percent(metrics[row["metric"]].expected_percent, 0),
        )
        for row in frame.filter(frame["metric"].is_in(list(metrics))).iter_rows(named=True)
        if row["value"] is not None
    ]
    return " ".join([*said, span(report)]) if said else ""


def _drawn(report: Report, disease: str, rows: list[tuple[str, dict[str, Any]]]) -> Block:
    from matplotlib.figure import Figure

    from ncdsurv.maps.style import FITTED, RULE, SOFT_INK, figure_style

    text = report.text
    shown = [(name, row) for name, row in rows if row["value"] is not None]
    with figure_style():
        figure = Figure(figsize=(7.2, 0.42 * len(shown) + 0.55))
        ax = figure.subplots()
        for at, (_, row) in enumerate(shown):
            if row["lower"] is not None:
                ax.plot([row["lower"], row["upper"]], [at, at], color=FITTED, lw=1.6)
            ax.plot(row["value"], at, "o", ms=5.5, color=FITTED)
            ax.annotate(
                text.percent(row["value"]),
                (row["value"], at),
                (0, 7),
                textcoords="offset points",
                ha="center",
                color=SOFT_INK,
            )
        ax.set_yticks(range(len(shown)), [name for name, _ in shown])
        ax.set_ylim(len(shown) - 0.5, -0.6)
        ax.set_xlim(0, 100)
        ax.set_xlabel("%")
        ax.grid(axis="y", color=RULE, lw=0.4)
        ax.tick_params(axis="y", length=0)
    alt = "; ".join(f"{name}: {text.percent(row['value'])}" for name, row in shown)
    return picture(figure, alt=f"{report.disease_name(disease)}. {alt}")
