"""How a column writes: spelling of dates, unit of readings, vintage of commune codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from ncdsurv.catalog.vocabulary import REFORM_DATE, Vintage
from ncdsurv.draft.shapes import NUMBERS, Column

_SPELLINGS = {
    "yyyy-mm-dd (or a date cell)": re.compile(r"^\d{4}-\d{1,2}-\d{1,2}"),
    "yyyy/mm/dd": re.compile(r"^\d{4}[/.]\d{1,2}[/.]\d{1,2}"),
    "dd/mm/yyyy": re.compile(r"^\d{1,2}\s?[-/. ]\s?\d{1,2}\s?[-/. ]\s?\d{4}"),
    "yyyymmddHHMM": re.compile(r"^\d{12}$"),
    "yyyymmdd or ddmmyyyy": re.compile(r"^\d{7,8}$"),
    "Excel serial number": re.compile(r"^\d{5}(\.\d+)?$"),
    "year alone": re.compile(r"^\d{4}$"),
    "two-digit year (refused by rule)": re.compile(r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{2}$"),
}
_SOME = 0.02
_MEASURED = {"glucose": "glucose_mmol_l", "hba1c": "hba1c_percent"}
_OF_ONE_VINTAGE = 0.02


def describe_dates(column: Column) -> tuple[str, dict[str, str]]:
    """The spellings of a column of dates in words, and the setting they need."""
    cells = [text.strip() for text in column.cells if text and text.strip()]
    found: Counter[str] = Counter()
    for text in cells:
        found[
            next((name for name, shape in _SPELLINGS.items() if shape.match(text)), "another spelling")
        ] += 1
    if column.month_first:
        shown = "mm/dd/yyyy: no first number is above 12, some second numbers are"
        return f"dates: {shown}", {"spelling": "month_first"}
    names = [name for name, count in found.most_common() if count >= _SOME * len(cells)]
    return f"dates: {', '.join(names)}" if names else "", {}


def unit_of(field: str, column: Column, catalog: Any) -> tuple[str | None, str]:
    """The unit that cells or header of a laboratory column name, and a remark."""
    if field not in _MEASURED:
        units = field in NUMBERS and any(share >= _SOME for share in column.units.values())
        return None, "numbers carry a unit in the cell" if units else ""
    plausible = catalog.plausibility[_MEASURED[field]]
    folded = {name.lower().replace(" ", ""): name for name in (plausible.unit, *plausible.other_units)}
    written = {folded[unit]: share for unit, share in column.units.items() if unit in folded}
    if written:
        return None, f"unit written in the cells: {', '.join(sorted(written))}"
    label = column.label.lower().replace(" ", "")
    named = [
        name for unit, name in folded.items() if re.search(rf"(?<![a-z]){re.escape(unit)}(?![a-z])", label)
    ]
    if len(named) == 1:
        return named[0], "unit named by the header"
    return None, "no unit written: told by range, doubtful ones are not used"


def vintage_of(
    column: Column, visits: Sequence[date | None], communes: dict[str, frozenset[str]]
) -> str | None:
    """The list of communes that a column follows whatever the day of the visit, or None where the day tells.

    Shown by codes that are in one list alone, at visits of the time of the other.
    """
    old, new = (communes.get(vintage.value, frozenset()) for vintage in Vintage)
    only_old, only_new = old - new, new - old
    codes = [text.strip().zfill(5) if text and text.strip() else None for text in column.cells]
    rows = [(code, day >= REFORM_DATE) for code, day in zip(codes, visits) if code and day]
    if not rows:
        return None
    late_old = sum(late and code in only_old for code, late in rows)
    early_new = sum(not late and code in only_new for code, late in rows)
    if late_old > _OF_ONE_VINTAGE * len(rows) and not any(code in only_new for code, _ in rows):
        return Vintage.V2024.value
    if early_new > _OF_ONE_VINTAGE * len(rows) and not any(code in only_old for code, _ in rows):
        return Vintage.V2025.value
    return None
