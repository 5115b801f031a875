"""Published values as the page keeps them: what print would show, one decimal, and nothing of a value held back."""

from __future__ import annotations

import numpy as np

from ncdsurv.maps.interactive.packing import pack_steps
from ncdsurv.maps.picture import GREYS, Picture
from ncdsurv.maps.selection import SHOWN

_GREY_MARKS = {status: str(place) for place, status in enumerate(GREYS)}
_PLAIN, _SMALL = ord("a"), ord("A")  # class 0 is `a`, or `A` where numbers are small


def decimals_of(unit: str) -> int:
    """Decimals that a value is shown with, as `ncdsurv.maps.wording.with_unit` has them."""
    return 0 if unit == "count" else 1


def marks(pictures: list[Picture]) -> str:
    """One mark for every area and period, area by area: its class (capital: small numbers), or why there is none."""
    columns = []
    for picture in pictures:
        rows = zip(picture.areas["class"], picture.areas["status"], picture.small)
        columns.append(
            [
                _GREY_MARKS[status] if at is None else chr((_SMALL if small else _PLAIN) + at)
                for at, status, small in rows
            ]
        )
    return "".join("".join(area) for area in zip(*columns))


def grey_marks() -> dict[str, str]:
    """Mark of every reason for which an area has no class."""
    return dict(_GREY_MARKS)


def columns(pictures: list[Picture], unit: str) -> dict[str, str]:
    """Value, the distances to the ends of its interval, numerator and denominator, packed: shown cells only.

    Values are whole numbers of the last decimal shown, rounded as print rounds them. A cell whose value is not
    shown has no number at all.
    """
    places = decimals_of(unit)
    shown = np.column_stack([(picture.areas["status"] == SHOWN).to_numpy() for picture in pictures])
    table = {
        name: np.where(shown, _as_printed(pictures, name, places if name in _MEASURED else 0), np.nan)
        for name in (*_MEASURED, "numerator", "denominator")
    }
    if unit == "count":  # as on the printed maps: a count of people has no interval beside it
        table["lower"] = table["upper"] = np.full_like(table["value"], np.nan)
    table["lower"] = table["value"] - table["lower"]
    table["upper"] = table["upper"] - table["value"]
    return {name: pack_steps(cells, shown) for name, cells in table.items()}


_MEASURED = ("value", "lower", "upper")


def _as_printed(pictures: list[Picture], name: str, places: int) -> np.ndarray:
    """Areas by periods, in whole numbers of the last decimal: Python's rounding, since a page must agree with print."""
    scale = 10**places
    return np.column_stack(
        [
            [np.nan if cell is None else round(round(cell, places) * scale) for cell in picture.areas[name]]
            for picture in pictures
        ]
    ).astype(float)
