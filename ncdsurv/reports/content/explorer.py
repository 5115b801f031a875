"""One series under one method: the finding, the picture, the table, and how far to trust it."""

from __future__ import annotations

import re
from typing import Any

import ncdsurv
from ncdsurv.errors import NcdsurvError, unknown
from ncdsurv.maps.wording import number
from ncdsurv.reports.analyses import ANALYSES
from ncdsurv.reports.content.better import series_values
from ncdsurv.reports.content.blocks import Block, heading, nothing, paragraph, picture, table
from ncdsurv.reports.content.refusals import reason_of
from ncdsurv.reports.content.report import Report, layout

Answer = tuple[Any, NcdsurvError | None]
_MONTH = re.compile(r"^\d{4}-\d{2}$")


def analysis(report: Report, method: str, indicator: str, disease: str, **given: str) -> Block:
    """The finding in a sentence and its picture; where the method refuses, the months with the reason.

    Args:
        report: The report.
        method: Verb of `ncdsurv`, a key of `ANALYSES`.
        indicator: Of the series.
        disease: Of the series.
        **given: `until` and `at`; each method takes its own.

    Raises:
        UsageError: There is no such method.
    """
    text = report.text
    result, refused = _answer(report, method, indicator, disease, given)
    top = heading(f"{text(f'explorer.{method}')}: {report.indicator_name(indicator)}", 2, method)
    top += paragraph(text(f"explorer.question.{method}"), "note")
    if refused is not None:
        said = text("explorer.refused", why=reason_of(refused, report.lang))
        if result is None:
            return top + nothing(said)
        top += paragraph(said)
    report.tell(f"{method}_{indicator}_{disease}", result.summary())
    lead = Block("") if refused is not None else paragraph(f"{result.headline(report.lang)}.", "lead")
    drawn = picture(
        result.plot(lang=report.lang),
        alt=f"{result.title(report.lang)}: {result.headline(report.lang)}",
        data=result.data,
    )
    return top + lead + drawn


def analysis_table(report: Report, method: str, indicator: str, disease: str, **given: str) -> Block:
    """The numbers of the finding."""
    text = report.text
    result, _ = _answer(report, method, indicator, disease, given)
    if result is None:
        return nothing(text("note.nothing"))
    rows = result.rows(report.lang)
    columns = [_column([row[name] for row in rows], report) for name in rows[0]]
    words = [0, *(at for at, name in enumerate(rows[0]) if any(_is_words(row[name]) for row in rows))]
    cells = [list(row) for row in zip(*columns, strict=True)]
    return table(
        list(rows[0]),
        cells,
        caption=f"{text('explorer.table')} – {report.disease_name(disease)}, {report.area_name}",
        text_columns=words,
        data=result.table(report.lang),
    )


def explain_analysis(report: Report, method: str, indicator: str, disease: str, **given: str) -> Block:
    """Definition, method, what was left out and how far to trust it."""
    top = heading(report.text("methods.title"), 2, "methods")
    result, _ = _answer(report, method, indicator, disease, given)
    if result is None:
        return top + nothing(report.text("note.nothing"))
    lines = [paragraph(line) for line in result.explain(report.lang).splitlines() if line.strip()]
    return sum(lines, top)


def _answer(report: Report, method: str, indicator: str, disease: str, given: dict[str, str]) -> Answer:
    """The result and None; or the described months, or nothing, and the error."""
    if method not in ANALYSES:
        raise unknown("method", method, ANALYSES)
    taken = {name: given[name] for name in ANALYSES[method]}
    key = ("analysis", method, indicator, disease, *taken.values())
    return report.keep(key, lambda: _run(report, method, indicator, disease, taken))


def _run(report: Report, method: str, indicator: str, disease: str, taken: dict[str, str]) -> Answer:
    shared: dict[str, Any] = {
        "area": report.area,
        "reference": report.reference,
        "catalog": report.catalog,
        "lang": report.lang,
    }
    try:
        values = series_values(report, indicator, disease, layout()["better"]["longest"])
    except NcdsurvError as error:
        return None, error
    try:
        return getattr(ncdsurv, method)(values, **taken, **shared), None
    except NcdsurvError as error:
        refused = error
    try:
        return ncdsurv.describe_series(values, **shared), refused
    except NcdsurvError:
        return None, refused


def _is_words(cell: Any) -> bool:
    return isinstance(cell, str) and not _MONTH.match(cell)


def _column(cells: list[Any], report: Report) -> list[str]:
    """A column as it is printed: as many decimals in every row, a p value never as 0."""
    largest = max((abs(cell) for cell in cells if isinstance(cell, float)), default=0.0)
    digits = 1 if largest >= 1 else 3
    return [_cell(cell, digits, report) for cell in cells]


def _cell(cell: Any, digits: int, report: Report) -> str:
    lang = report.lang
    if cell is None:
        return "–"
    if isinstance(cell, float):
        least = 10.0**-digits
        return (
            f"< {number(least, lang, digits)}"
            if digits > 1 and 0 < cell < least
            else number(cell, lang, digits)
        )
    if isinstance(cell, int):
        return number(cell, lang)
    return report.text.period(cell) if _MONTH.match(cell) else str(cell)
