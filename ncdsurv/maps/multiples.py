"""Small multiples: the same map in several periods, one legend, the same classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import polars as pl

from ncdsurv.catalog.vocabulary import Period
from ncdsurv.errors import UsageError
from ncdsurv.maps.asked import ClassChoice, MapsAsked, part, settle, takes
from ncdsurv.maps.explain import notes_of, place_of
from ncdsurv.maps.frames import take_values
from ncdsurv.maps.multiples_page import paint_multiples
from ncdsurv.maps.picture import Picture, choose_classes, open_layer, packs, with_classes
from ncdsurv.maps.result import MapResult
from ncdsurv.maps.selection import SHOWN, choose_rows, join_areas, target_of
from ncdsurv.maps.wording import language, number, period_words, rules_of, say, title_of

MOST_MAPS = 24  # more are too small to be read on a page


@takes(MapsAsked)
def small_multiples(
    values: Any,
    periods: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    width: float = 10.0,
    **asked: Unpack[MapsAsked],
) -> MapResult:
    """Draw one indicator in several periods side by side: one legend, the same classes in every map.

    Args:
        values: Values of one indicator, disease, preset, sex and age band (polars or pandas).
        periods: Which ones, all of one length; they are drawn in order of time. None: all that the values hold.
            The classes are worked out over all periods drawn.
        columns: Maps in a row; None makes the maps as large as they can be.
        width: Width of the page in inches.
        **asked: See `ncdsurv.maps.asked.MapsAsked`.

    Returns:
        A `MapResult`; `.data` has one row per period and area, `.breaks` the limits between the classes.

    Raises:
        UsageError: The values are a mixture, hold no such period, hold periods of several lengths, or more than 24.

    >>> import polars as pl
    >>> row = dict(release="r", indicator="control_rate", preset="hearts", disease="hypertension", sex="both",
    ...     age_band="all", area_vintage="2025", area_level="province", standardisation="crude", unit="percent",
    ...     numerator=50.0, denominator=100.0, value=50.0, lower=40.4, upper=59.6, ci_method="wilson", flag="ok")
    >>> months = [row | dict(area_code=area, period=month, value=value)
    ...     for month, value in (("2026-05", 50.0), ("2026-06", 55.0)) for area in ("01", "79")]
    >>> result = small_multiples(pl.DataFrame(months), lang="en", k=2)
    >>> result.title
    'Control rate – Hypertension, Viet Nam, May 2026 to June 2026'
    >>> result.data.height, result.breaks
    (68, (55.0,))
    """
    one = settle(MapsAsked, asked)
    lang, level, vintage = language(one["lang"]), one["level"], one["vintage"]
    catalog, reference = packs(one["catalog"], one["reference"])
    wanted = _periods(values, periods, level, vintage)
    chosen = [choose_rows(values, period=period, level=level, vintage=vintage) for period in wanted]
    pooled = replace(chosen[-1], frame=pl.concat([rows.frame for rows in chosen]))
    layer = open_layer(pooled, reference, one["within"])
    joined = [join_areas(layer.codes, rows) for rows in chosen]
    target = target_of(pooled.identity, pooled.period, catalog)
    known = np.concatenate([areas["value"].to_numpy().astype(float) for areas in joined])
    found = choose_classes(known, pooled, catalog, target, **part(ClassChoice, one))
    found = replace(found, shared=one["breaks"] is None)
    pictures = [
        Picture(rows, layer, with_classes(areas, layer, found, lang), found, target, catalog, reference, lang)
        for rows, areas in zip(chosen, joined, strict=True)
    ]
    last = pictures[-1]
    lines = [rules_of(last.rows.identity, catalog, lang), _areas_line(last, lang)]
    insets = [say("multiples.insets", lang)] if layer.insets or layer.archipelagos else []
    headings = _headings(pictures, lang)
    figure = paint_multiples(pictures, headings, lines, [*notes_of(last), *insets], columns, width)
    data = pl.concat(
        [shown.areas.insert_column(0, pl.lit(shown.rows.period).alias("period")) for shown in pictures]
    )
    text = {told: _explain(pictures, told) for told in ("vi", "en")}
    return MapResult(figure, last.rows.back(data), ", ".join(headings), text, lang, found, last)


def _periods(values: Any, periods: Sequence[str] | None, level: str | None, vintage: str | None) -> list[str]:
    """The periods to draw, in order of time.

    Raises:
        UsageError: None, too many, or of several lengths.
    """
    if periods is None:
        periods = periods_of(values, level, vintage)
    found = sorted({Period.parse(str(one)) for one in periods}, key=_in_time)
    names = [str(one) for one in found]
    shown = ", ".join(names[:6]) + (f", ... ({len(names)} in all)" if len(names) > 6 else "")
    if not 1 <= len(found) <= MOST_MAPS:
        raise UsageError(
            "number of maps out of range",
            got=shown or "no period",
            allowed=f"1 to {MOST_MAPS} periods",
            do='choose them: periods=["2026-04", "2026-05", "2026-06"]',
        )
    if len({one.kind for one in found}) > 1:
        raise UsageError(
            "small multiples show periods of one length, not a mixture",
            got=shown,
            allowed="only months, only quarters, only half-years or only years",
            do='choose them: periods=["2026-04", "2026-05", "2026-06"]',
        )
    return names


def periods_of(values: Any, level: str | None, vintage: str | None) -> list[str]:
    """All periods of the values of a level and vintage, in order of time."""
    table, _ = take_values(values)
    for column, one in (("area_level", level), ("area_vintage", vintage)):
        table = table if one is None else table.filter(pl.col(column) == str(one))
    found = {Period.parse(one) for one in table["period"].drop_nulls().unique()}
    return [str(one) for one in sorted(found, key=_in_time)]


def _in_time(period: Period) -> tuple[int, int]:
    return period.last_month, period.n_months


def _headings(pictures: list[Picture], lang: str) -> list[str]:
    first, last = pictures[0], pictures[-1]
    when = period_words(last.rows.period, lang)
    if len(pictures) > 1:
        when = say("multiples.when", lang, first=period_words(first.rows.period, lang), last=when)
    return [title_of(last.rows.identity, last.catalog, lang), f"{place_of(last, lang)}, {when}"]


def _areas_line(picture: Picture, lang: str) -> str:
    return say("multiples.areas", lang, areas=say(f"level.{picture.layer.level}", lang))


def coverage(picture: Picture, lang: str) -> str:
    """How many areas of a map have a value."""
    shown = int((picture.areas["status"] == SHOWN).sum())
    return say("multiples.coverage", lang, shown=number(shown, lang), all=number(picture.areas.height, lang))


def _explain(pictures: list[Picture], lang: str) -> str:
    last = pictures[-1]
    each = "; ".join(f"{period_words(one.rows.period, lang)} {coverage(one, lang)}" for one in pictures)
    lines = [
        ", ".join(_headings(pictures, lang)) + ".",
        say("multiples.periods", lang, n=len(pictures), periods=each),
        rules_of(last.rows.identity, last.catalog, lang),
        say("hatched", lang, n=sum(sum(one.small) for one in pictures)),
        say("multiples.careful", lang),
        say("ranking", lang),
        *notes_of(last, lang),
    ]
    return "\n".join(line for line in lines if line)
