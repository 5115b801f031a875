"""Maps of one indicator over several periods, with the same classes in all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from ncdsurv.catalog.vocabulary import Period
from ncdsurv.errors import UsageError
from ncdsurv.maps.asked import MapsAsked
from ncdsurv.maps.frames import take_values
from ncdsurv.maps.picture import Picture, compose, with_classes
from ncdsurv.maps.selection import choose_rows, join_areas


@dataclass(frozen=True)
class Series:
    """A picture of every period, earliest first: one layer, one set of classes."""

    pictures: list[Picture]
    back: Callable[[pl.DataFrame], Any]

    @property
    def last(self) -> Picture:
        """The picture of the last period, which the page opens with."""
        return self.pictures[-1]

    @property
    def periods(self) -> list[str]:
        """The periods, earliest first."""
        return [picture.rows.period for picture in self.pictures]


def compose_series(values: Any, asked: MapsAsked) -> Series:
    """Pictures of all periods of the values.

    Raises:
        UsageError: Months stand beside quarters or years, or what `draw_map` refuses.
    """
    table, back = take_values(values)
    periods = _in_order(table["period"].drop_nulls().unique().to_list())
    last = compose(table, period=periods[-1], across=True, **asked)
    lang = last.lang
    layer = last.layer
    table = table.filter(area_level=last.rows.level, area_vintage=last.rows.vintage)
    pictures = [last]
    for period in reversed([one for one in periods[:-1] if one in set(table["period"])]):
        rows = choose_rows(table, period=period, level=last.rows.level, vintage=last.rows.vintage)
        areas = with_classes(join_areas(layer.codes, rows), layer, last.classes, lang)
        pictures.append(replace(last, rows=rows, areas=areas))
    return Series(pictures[::-1], back)


def _in_order(periods: list[str]) -> list[str]:
    """Periods by time, checked to be equally long."""
    kinds = {Period.parse(period).kind for period in periods}
    if len(kinds) > 1:
        raise UsageError(
            "an interactive map shows periods of one length, not a mixture",
            got=", ".join(sorted(periods)[:12]),
            allowed="months, quarters, half-years, nine months or years",
            do='narrow the values first, for instance period=["2026-05", "2026-06"]',
        )
    return sorted(periods, key=lambda period: Period.parse(period).last_month)
