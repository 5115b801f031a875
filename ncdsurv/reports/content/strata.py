"""The control rate by sex and age band."""

from __future__ import annotations

from typing import Any

from ncdsurv.catalog.vocabulary import ALL_AGES, BOTH_SEXES, Sex
from ncdsurv.reports.content.blocks import Block, heading, nothing, paragraph, picture, table
from ncdsurv.reports.content.report import Report, layout

_SEXES = (Sex.FEMALE, Sex.MALE)


def by_sex_and_age(report: Report, disease: str) -> Block:
    """Rate and interval for women and men in each age band, as dots and as a table."""
    text, name = report.text, layout()["control"]["indicator"]
    frame = report.values(name, disease, sex=None, age_band=None)
    cells = {(row["sex"], row["age_band"]): row for row in frame.iter_rows(named=True)}
    bands = [band.id for band in report.catalog.age_bands if any((sex, band.id) in cells for sex in _SEXES)]
    rows = [_line(report, cells, band, band.replace("-", "–")) for band in bands]
    rows.append(_line(report, cells, ALL_AGES, text("strata.all")))
    header = [text("strata.age")]
    for sex in (*_SEXES, BOTH_SEXES):
        word = text.say(f"sex.{sex}")
        header += [f"{word}: {text('column.of_short')}", text("column.rate"), text("column.interval")]
    return (
        heading(text("strata.title"), 3)
        + paragraph(text("strata.prose"))
        + _dots(report, cells, bands)
        + table(
            header,
            rows,
            caption=report.caption(disease, report.indicator_name(name)),
            note=report.small_note(list(cells.values())),
            data=frame,
            kind="narrow",
        )
    )


def _line(report: Report, cells: dict[tuple[str, str], dict[str, Any]], band: str, label: str) -> list[str]:
    text, line = report.text, [label]
    for sex in (*_SEXES, BOTH_SEXES):
        row = cells.get((str(sex), band))
        if row is None:
            line += ["–", "–", "–"]
            continue
        line += [
            report.of(row),
            report.rate(row),
            text.interval(row["lower"], row["upper"]),
        ]
    return line


def _dots(report: Report, cells: dict[tuple[str, str], dict[str, Any]], bands: list[str]) -> Block:
    from matplotlib.figure import Figure

    from ncdsurv.maps.style import QUALITATIVE, RULE, figure_style

    text = report.text
    known = {cell: row for cell, row in cells.items() if row["value"] is not None}
    shown = [band for band in bands if any((sex, band) in known for sex in _SEXES)]
    if not shown:
        return nothing(text("note.nothing"))
    with figure_style():
        figure = Figure(figsize=(7.2, 2.1))
        ax = figure.subplots()
        for number, sex in enumerate(_SEXES):
            rows = [(at, known[sex, band]) for at, band in enumerate(shown) if (sex, band) in known]
            at = [place + (number - 0.5) * 0.22 for place, _ in rows]
            value = [row["value"] for _, row in rows]
            below = [row["value"] - row["lower"] for _, row in rows]
            above = [row["upper"] - row["value"] for _, row in rows]
            ax.errorbar(
                at, value, yerr=[below, above], fmt="os"[number], ms=4.5, lw=1.2, capsize=0,
                color=QUALITATIVE[number], label=text.say(f"sex.{sex}"),
            )  # fmt: skip
        ax.set_xticks(range(len(shown)), [band.replace("-", "–") for band in shown])
        ax.set_ylim(-3, 103)  # room for a point at either end
        ax.set_ylabel("%")
        ax.set_xlabel(text("strata.age"))
        ax.grid(axis="y", color=RULE, lw=0.4)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=2, borderaxespad=0.2)
        alt = "; ".join(
            f"{text.say(f'sex.{sex}')} {band}: {text.percent(known[sex, band]['value'])}"
            for sex in _SEXES
            for band in shown
            if (sex, band) in known
        )
        # The table beneath says the same with its counts.
        return picture(figure, alt=alt, caption=text("strata.figure"), kind="screen")
