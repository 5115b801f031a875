"""When a raw cell says something: systems write "nothing" in many ways."""

from __future__ import annotations

import polars as pl

# As empty as a blank cell.
_NOTHING = r"^\s*(?i:null|none|nan|n/a|#n/a|#ref!|#value!|--?|\.|\\n)?\s*$"
_BLANK = r"^\s*$"
FREE_TEXT = ("name", "address", "drugs")


def is_filled(field: str) -> pl.Expr:
    """Whether the raw cell of a field says something; never null.

    >>> cells = pl.DataFrame({"phone": ["0912", " n/a ", None], "name": ["-", " ", None]})
    >>> cells.select(is_filled("phone"), is_filled("name")).rows()
    [(True, True), (False, False), (False, False)]
    """
    nothing = pl.col(field).str.contains(_BLANK if field in FREE_TEXT else _NOTHING)
    return ~nothing.fill_null(True)
