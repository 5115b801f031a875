"""For looking up: the published figures of every area inside the report's own, all diseases in one table."""

from __future__ import annotations

from typing import Any

from ncdsurv.reports.content.blocks import Block, heading, table
from ncdsurv.reports.content.places import allocated, inside, name_of
from ncdsurv.reports.content.report import Report, layout


def annex_table(report: Report, diseases: tuple[str, ...], level: str) -> Block:
    """Control and loss of every area of a level, in order of code; only areas with patients."""
    text = report.text
    names = [layout()["control"]["indicator"], layout()["follow_up"]["lost"]]
    cells = {
        (disease, row["area_code"], row["indicator"]): row
        for disease in diseases
        for row in report.values(names, disease, level=level, area=None).iter_rows(named=True)
    }
    rows, marked = [], []
    for area in inside(report, level).iter_rows(named=True):
        found = [[cells.get((disease, area["code"], name)) for name in names] for disease in diseases]
        if not any(row is not None and row["denominator"] for pair in found for row in pair):
            continue
        line = [area["code"], name_of(report, area)]
        for control, lost in found:
            line += [
                report.of(control) if control else "–",
                _with_interval(report, control),
                report.rate(lost) if lost else "–",
            ]
            marked += [row for row in (control, lost) if row]
        rows.append(line)
    header = [text("column.code"), text("column.area")]
    for disease in diseases:
        header += [f"{report.disease_name(disease)}: {text('column.of_short')}"]
        header += [report.indicator_name(name) for name in names]
    areas = text.say(f"level.{level}")
    notes = [text("places.note"), report.small_note(marked), allocated(report, level)]
    return heading(text("places.title", areas=areas), 3) + table(
        header,
        rows,
        caption=f"{text('places.title', areas=areas)} – {report.area_name}, {text.period(report.period)}",
        note=" ".join(filter(None, notes)),
        text_columns=2,
        kind="compact",
    )


def _with_interval(report: Report, row: dict[str, Any] | None) -> str:
    if row is None or row["value"] is None:
        return "–"
    return f"{report.rate(row)} ({report.text.interval(row['lower'], row['upper'])})"
