"""What every result of a method has beside its picture: a table in words, and HTML for a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

from ncdsurv.maps.wording import language, number, say

if TYPE_CHECKING:
    import polars as pl


class Answer:
    """Base of results; a result has `lang` and gives `headline`, `rows`, `explain` and `back`."""

    lang: str
    most_rows: ClassVar[int] = 40  # a notebook shows so many; `.table()` has them all

    def headline(self, lang: str | None = None) -> str:
        """The finding in one sentence."""
        raise NotImplementedError

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """Rows of the table; keys of the first name its columns."""
        raise NotImplementedError

    def explain(self, lang: str | None = None) -> str:
        """Definition, method, what was left out and how far to trust it, as text."""
        raise NotImplementedError

    def _kind_given(self, table: pl.DataFrame) -> Any:
        """The table in the kind of frame that the caller gave."""
        raise NotImplementedError

    def table(self, lang: str | None = None) -> Any:
        """The numbers of the finding as a frame, columns in words, of the kind of frame that was given.

        Args:
            lang: `vi` or `en`; the result's own unless given.

        Returns:
            A polars or pandas frame; a number that the data cannot give is null.
        """
        import polars as pl

        return self._kind_given(
            pl.DataFrame(self.rows(language(lang or self.lang)), infer_schema_length=None)
        )

    def _repr_html_(self) -> str:
        lines = [line for line in self.explain().splitlines() if line]
        body = "".join(f"<p style='margin:.2em 0'>{escape(line)}</p>" for line in lines[1:])
        return (
            f"<section lang='{self.lang}'><h4 style='margin:.2em 0'>{escape(lines[0])}</h4>"
            f"<p style='font-size:1.15em;margin:.3em 0'><strong>{escape(self.headline())}</strong></p>"
            f"{self._html_table()}<details><summary>.explain()</summary>{body}</details></section>"
        )

    def _html_table(self) -> str:
        rows = self.rows(self.lang)
        if not rows:
            return ""
        head = "".join(
            f"<th style='text-align:left;padding:.1em .6em'>{escape(name)}</th>" for name in rows[0]
        )
        cells = (
            "".join(
                f"<td style='padding:.1em .6em'>{escape(_shown(cell, self.lang))}</td>"
                for cell in row.values()
            )
            for row in rows[: self.most_rows]
        )
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        rest = len(rows) - self.most_rows
        more = f"<p>{escape(say('more', self.lang, n=rest))} (.table())</p>" if rest > 0 else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _shown(cell: Any, lang: str) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return number(cell, lang, 2 if abs(cell) >= 0.1 else 4)
    return str(cell)
