"""The square legend of a map of two indicators: names, limits, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncdsurv.maps.legend import write_legend
from ncdsurv.maps.lines import wrap
from ncdsurv.maps.page import NOTE_SIZE, TEXT_SIZE
from ncdsurv.maps.paint import HATCHING, OUTLINE
from ncdsurv.maps.selection import SHOWN, SUPPRESSED
from ncdsurv.maps.style import HATCH, INK, PAPER, luminance
from ncdsurv.maps.wording import number, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ncdsurv.maps.classify import Classes
    from ncdsurv.maps.two import TwoPicture

CELL, LEFT = 0.36, 0.42  # inches: a side of a cell; room for the limits of the second indicator
_LINE = 0.15


def draw_square(panel: Axes, picture: TwoPicture, width: float, top: float) -> float:
    """Draw the legend downwards from `top`; returns where it ends, in inches."""
    from ncdsurv.maps.two import MISSING

    lang = picture.lang
    y = write_legend(panel, say("bivariate.legend", lang), [], width, top, 0) - 0.02
    y = _name(panel, picture, 1, "↑", y, width)
    y = _cells(panel, picture, y - 0.06)
    y = _name(panel, picture, 0, "→", y - 0.16, width) - 0.1
    entries: list[tuple[dict[str, Any], str]] = []
    if small := sum(picture.small):
        entries.append(
            ({"fc": PAPER, "hatch": HATCHING, "ec": HATCH}, say("small", lang, n=number(small, lang)))
        )
    missing = picture.areas.filter(picture.areas["status"] != SHOWN)
    if missing.height:
        label = say("bivariate.missing", lang, n=number(missing.height, lang))
        if hidden := int((missing["status"] == SUPPRESSED).sum()):
            label += "; " + say("bivariate.hidden", lang, n=number(hidden, lang))
        entries.append(({"fc": MISSING}, label))
    return write_legend(panel, "", entries, width, y, -1)


def _name(panel: Axes, picture: TwoPicture, side: int, arrow: str, y: float, width: float) -> float:
    """Name and unit of an indicator with the arrow of its axis; returns where it ends."""
    from ncdsurv.maps.two_words import names_two

    rows = (picture.rows, picture.other_rows)[side]
    unit = say(f"unit.{rows.identity['unit']}", picture.lang)
    for line in wrap(
        f"{arrow} {names_two(picture, picture.lang)[side]} ({unit})", width, TEXT_SIZE, bold=True
    ):
        panel.text(0, y, line, fontsize=TEXT_SIZE, color=INK, weight="bold", va="top")
        y -= _LINE
    return y


def _cells(panel: Axes, picture: TwoPicture, top: float) -> float:
    from matplotlib.patches import Rectangle

    from ncdsurv.maps.two import NINE

    counted = [cell for cell in picture.cells if cell is not None]
    for row in range(3):
        for column in range(3):
            x, y, colour = LEFT + column * CELL, top - (3 - row) * CELL, NINE[row][column]
            panel.add_patch(Rectangle((x, y), CELL, CELL, fc=colour, ec=OUTLINE, lw=0.5))
            ink = PAPER if luminance(colour) < 0.25 else INK
            label = number(counted.count((column, row)), picture.lang)
            panel.text(
                x + CELL / 2, y + CELL / 2, label, fontsize=NOTE_SIZE, color=ink, ha="center", va="center"
            )
    foot = top - 3 * CELL
    style: dict[str, Any] = {"fontsize": NOTE_SIZE, "color": INK}
    for at, label in _limits(picture.classes, picture.lang):
        panel.text(LEFT + at * CELL, foot - 0.04, label, ha="center", va="top", **style)
    for at, label in _limits(picture.other_classes, picture.lang):
        panel.text(LEFT - 0.04, foot + at * CELL, label, ha="right", va="center", **style)
    return foot


def _limits(classes: Classes, lang: str) -> list[tuple[float, str]]:
    """Limits and where they stand between the three steps; two classes take the outer steps."""
    places: tuple[float, ...] = {1: (1.5,), 2: (1.0, 2.0)}.get(len(classes.breaks), ())
    return [
        (at, number(limit, lang, classes.decimals)) for at, limit in zip(places, classes.breaks, strict=True)
    ]
