"""Days of supply from what a prescription says, where no column gives them."""

from __future__ import annotations

import math
import re
from functools import lru_cache

import polars as pl

from ncdsurv.catalog.plausibility import Plausible
from ncdsurv.clean.amounts import add_number, within
from ncdsurv.clean.columns import RAW, first_rule, once_per_text, raw

_DAYS = re.compile(r"(?<![/\w])(?:x|\*)?\s*(\d{1,3})\s*ngày", re.IGNORECASE)
_FOR_DAYS = re.compile(r"\d{2,3}\s*(?:v|viên|ống|gói)\s*/\s*(\d{2,3})\s*ngày", re.IGNORECASE)  # "28v/28 ngày"
_TIMES = re.compile(r"(\d{1,2})\s*lần\s*/\s*ngày|ngày\s*(?:uống)?\s*(\d{1,2})\s*lần", re.IGNORECASE)
_EACH = re.compile(
    r"(\d{1,2}(?:[.,]\d+)?)\s*(?:viên|ống|gói|nhát|nhát xịt|UI|đơn vị)\s*/\s*lần"
    r"|(?:mỗi lần|lần)\s*(\d{1,2}(?:[.,]\d+)?)\s*(?:viên|ống|gói)",
    re.IGNORECASE,
)
_PER_DAY = re.compile(r"(\d{1,2}(?:[.,]\d+)?)\s*(?:viên|ống|gói)\s*/\s*ngày", re.IGNORECASE)
_QUANTITY = re.compile(r"\|\s*(\d{1,5}(?:[.,]\d+)?)\s*$")


def add_supply(frame: pl.DataFrame, plausible: Plausible) -> pl.DataFrame:
    """Days of supply of a batch: the column when there is one, else the longest drug of the prescription.

    A prescription line is `dose|quantity` (XML2) or free text, drugs apart by line or semicolon. Days are
    taken from "28 ngày" in the dose, else as quantity / (per time x times a day); where neither can be told,
    nothing is said.
    """
    frame = add_number(frame, "supply_days", plausible, whole=True)

    def work(distinct: pl.DataFrame) -> pl.DataFrame:
        days = [prescription_days(text) for text in distinct[RAW + "drugs"]]
        return distinct.with_columns(pl.Series("drug_days", days, dtype=pl.Int32))

    frame = once_per_text(frame, [RAW + "drugs"], work)
    usable = within(plausible.limits, pl.col("drug_days"))
    fill = pl.col("supply_days").is_null() & usable
    return frame.with_columns(
        pl.when(fill).then("drug_days").otherwise("supply_days").cast(pl.Int16).alias("supply_days"),
        first_rule(
            "supply_days",
            (fill & raw("supply_days").is_not_null(), "supply_from_prescription"),
            step="drugs",
        ),
    ).drop("drug_days")


def prescription_days(text: str | None) -> int | None:
    """Days of the drug that lasts longest, or None.

    >>> prescription_days("1 viên/lần * 2 lần/ngày|56")
    28
    >>> prescription_days("Amlodipin 5mg, 30 viên, 30 ngày")
    30
    >>> prescription_days("Amlodipin 5mg x 28v/28 ngày;Metformin 850mg 60 (Viên) - 30 ngày;")
    30
    """
    if text is None:
        return None
    lines = [part for line in text.splitlines() for part in ([line] if "|" in line else line.split(";"))]
    days = [found for line in lines if (found := _line_days(line))]
    return max(days, default=None)


@lru_cache(maxsize=65_536)
def _line_days(line: str) -> int | None:
    dose = line.rpartition("|")[0] or line
    if days := _DAYS.search(dose) or _FOR_DAYS.search(dose):
        return int(days[1])
    quantity = _QUANTITY.search(line)
    per_day = _per_day(dose)
    if quantity is None or not per_day:
        return None
    return math.floor(_number(quantity[1]) / per_day)


def _per_day(dose: str) -> float | None:
    each, times = _EACH.search(dose), _TIMES.search(dose)
    if each and times:
        return _number(each[1] or each[2]) * _number(times[1] or times[2])
    daily = _PER_DAY.search(dose)
    return _number(daily[1]) if daily else None


def _number(text: str) -> float:
    return float(text.replace(",", "."))
