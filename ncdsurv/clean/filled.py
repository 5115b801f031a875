"""When a raw cell says something: systems write "nothing" in many ways."""

from __future__ import annotations

import polars as pl

# As empty as a blank cell.
_NOTHING = ("", "null", "none", "nan", "n/a", "#n/a", "#ref!", "#value!", "-", "--", ".", "\\n")
FREE_TEXT = ("name", "address", "drugs")


def is_filled(field: str) -> pl.Expr:
    """Whether the raw cell of a field says something; never null.

    >>> cells = pl.DataFrame({"phone": ["0912", " n/a ", None], "name": ["-", " ", None]})
    >>> cells.select(is_filled("phone"), is_filled("name")).rows()
    [(True, True), (False, False), (False, False)]
    """
    text = pl.col(field).str.strip_chars()
    nothing = (text == "") if field in FREE_TEXT else text.str.to_lowercase().is_in(list(_NOTHING))
    return ~nothing.fill_null(True)
