"""Dates whose month is a word, English or Vietnamese, written anew with its number. Pure.

"12 Jan 2026", "January 12, 2026", "ngày 12 tháng 1 năm 2026", "12 tháng Giêng 2026", "tháng 3/1961" and "năm 1961"
each say one thing only. A word that is no month of either language is left as it is, and refused as unreadable.
"""

from __future__ import annotations

import polars as pl

_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_IN_FULL = (
    *("uary", "ruary", "ch", "il", "", "e", "y", "ust", "t(?:ember)?", "ober", "ember", "ember"),
)  # what may follow the first three letters
_VIETNAMESE = (
    *("giêng|một", "hai", "ba", "tư|bốn", "năm", "sáu", "bảy|bẩy", "tám", "chín", "mười"),
    *("mười một", "mười hai|chạp"),
)
_GAP, _Y = r"\s*(?:[-/.,]\s*)?", r"(\d{4}|\d{2}\b)"  # a year of two digits is then refused as such


def number_months(text: str) -> pl.Expr:
    """The column `text` with months as numbers: dd/mm/yyyy, mm/yyyy or yyyy; cells without letters are not touched.

    >>> cells = ["12 Jan 2026", "ngày 12 tháng 1 năm 2026", "January 12, 2026", "05/03/1961"]
    >>> pl.DataFrame({"t": cells}).select(number_months("t"))["t"].to_list()
    ['12/01/2026', '12/1/2026', '12/01/2026', '05/03/1961']
    """
    told = pl.col(text).str.normalize("NFC").str.to_lowercase()
    for number, words in reversed(list(enumerate(_VIETNAMESE, 1))):  # mười hai before mười
        told = told.str.replace(rf"tháng\s+(?:{words})(\s|,|/|-|$)", f"tháng {number}${{1}}")
    for number, (short, rest) in enumerate(zip(_ENGLISH, _IN_FULL, strict=True), 1):
        told = told.str.replace(
            rf"(^|\P{{L}}){short}(?:{rest})?\.?(\P{{L}}|$)", f"${{1}}@{number:02d}@${{2}}"
        )
    told = told.str.replace(
        rf"^(?:ngày)?\s*(\d{{1,2}}){_GAP}tháng\s*(\d{{1,2}}){_GAP}(?:năm)?\s*{_Y}", "${1}/${2}/${3}"
    )
    told = told.str.replace(rf"^tháng\s*(\d{{1,2}}){_GAP}(?:năm)?\s*{_Y}$", "${1}/${2}")
    told = told.str.replace(r"^năm\s*(\d{4}|\d{2}\b)$", "${1}")
    told = told.str.replace(
        r"^(\d{1,2})(?:st|nd|rd|th)?(?:\s+of)?[-/.\s,]*@(\d\d)@[-/.\s,]*(\d{4}|\d{2}\b)", "${1}/${2}/${3}"
    )
    told = told.str.replace(
        r"^@(\d\d)@[-/.\s]*(\d{1,2})(?:st|nd|rd|th)?[\s,]+(\d{4}|\d{2}\b)", "${2}/${1}/${3}"
    )
    told = told.str.replace(r"^@(\d\d)@[-/.\s,]*(\d{4}|\d{2}\b)$", "${1}/${2}")
    read = told.str.contains(r"^[\d/]+(?:[ t,]+\d{1,2}:\d{2}.*)?$")
    lettered = pl.col(text).str.contains(r"\p{L}{3}")
    return pl.when(lettered & read).then(told).otherwise(pl.col(text)).alias(text)
