"""Blocks of a report: HTML for the page, plain text for the terminal, the frame behind it for the reader."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Collection, Sequence
from html import escape
from typing import Any

from ncdsurv.maps.style import figure_style, nfc


class Block:
    """A displayed piece of a report.

    Args:
        html: What the page shows.
        data: The frame behind it, for whoever wants the numbers; None for plain text.
    """

    def __init__(self, html: str, data: Any = None) -> None:
        self.html, self.data = nfc(html), data

    def __add__(self, other: Block) -> Block:
        return Block(self.html + "\n" + other.html, self.data if self.data is not None else other.data)

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        words = re.sub(r"<img[^>]*alt=\"([^\"]*)\"[^>]*>", r"[\1]", self.html)
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", words)).strip()


def heading(text: str, level: int = 2, anchor: str | None = None) -> Block:
    """A heading."""
    mark = f' id="{escape(anchor)}"' if anchor else ""
    return Block(f"<h{level}{mark}>{escape(text)}</h{level}>")


def paragraph(text: str, kind: str = "") -> Block:
    """A paragraph; `kind` is its class in the style sheet."""
    mark = f' class="{kind}"' if kind else ""
    return Block(f"<p{mark}>{escape(text)}</p>") if text else Block("")


def nothing(text: str) -> Block:
    """Says why a table or figure is not there; the check of outputs accepts it in their place."""
    return Block(f'<p class="note nothing">{escape(text)}</p>')


def items(texts: Sequence[str], kind: str = "") -> Block:
    """A list."""
    mark = f' class="{kind}"' if kind else ""
    return Block(f"<ul{mark}>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>")


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str,
    note: str = "",
    text_columns: int | Collection[int] = 1,
    data: Any = None,
    kind: str = "",
) -> Block:
    """A table of columns of words and columns of numbers.

    Args:
        header: Column heads.
        rows: Cells as text, in the order of the header.
        caption: What the table shows, of whom and when.
        note: What stands beneath it.
        text_columns: How many columns to the left are set as words, or which ones are.
        data: The frame behind it.
        kind: Class in the style sheet; `compact` for long tables that are looked up, not read.
    """
    words = range(text_columns) if isinstance(text_columns, int) else text_columns
    kinds = ["" if i in words else ' class="n"' for i in range(len(header))]
    head = "".join(
        f"<th scope=col{kind}>{escape(cell)}</th>" for cell, kind in zip(header, kinds, strict=True)
    )
    body = []
    for row in rows:
        first, *rest = (
            f"<td{kind}>{escape(cell)}</td>" if i else f"<th scope=row>{escape(cell)}</th>"
            for i, (cell, kind) in enumerate(zip(row, kinds, strict=True))
        )
        body.append(f"<tr>{first}{''.join(rest)}</tr>")
    mark = f' class="{kind}"' if kind else ""
    beneath = f'<p class="note">{escape(note)}</p>' if note else ""
    return Block(
        f"<table{mark}><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>{beneath}",
        data,
    )


def cards(entries: Sequence[tuple[str, str, str]]) -> Block:
    """Key figures: label, figure, what it is among."""
    body = "".join(
        f'<div class="card"><p class="label">{escape(label)}</p><p class="figure">{escape(value)}</p>'
        f'<p class="among">{escape(among)}</p></div>'
        for label, value, among in entries
    )
    return Block(f'<div class="cards">{body}</div>')


def picture(drawn: Any, *, alt: str, caption: str = "", data: Any = None, kind: str = "") -> Block:
    """A matplotlib figure or axes as an embedded vector picture, then closed.

    Args:
        drawn: A matplotlib `Figure` or `Axes`.
        alt: What it shows, for a reader who cannot see it.
        caption: What stands beneath it.
        data: The frame behind it.
        kind: Class in the style sheet; `screen` for a picture that paper can do without.
    """
    figure = getattr(drawn, "figure", drawn)
    buffer = io.StringIO()
    # No date and no random ids in the file: the same data give the same bytes.
    with figure_style():
        figure.savefig(buffer, format="svg", bbox_inches="tight", pad_inches=0.08, metadata={"Date": None})
    _close(figure)
    code = base64.b64encode(buffer.getvalue().encode()).decode()
    mark = f' class="{kind}"' if kind else ""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return Block(
        f'<figure{mark}><img alt="{escape(alt, quote=True)}" src="data:image/svg+xml;base64,{code}">{below}</figure>',
        data,
    )


def _close(figure: Any) -> None:
    from matplotlib import pyplot

    # Where a notebook shows open figures by itself, this one would appear twice.
    pyplot.close(figure)
