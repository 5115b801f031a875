"""Two indicators on one map: nine colours, a square legend, grey where either value is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import polars as pl

from ncdsurv.errors import UsageError
from ncdsurv.maps.asked import Look, TwoAsked, part, settle, takes
from ncdsurv.maps.classify import Classes
from ncdsurv.maps.draw import paint_map
from ncdsurv.maps.picture import COLUMNS, Picture, choose_classes, open_layer, packs, with_classes
from ncdsurv.maps.result import MapResult
from ncdsurv.maps.selection import (
    NOT_REPORTED,
    SHOWN,
    SUPPRESSED,
    MapRows,
    choose_rows,
    is_small,
    join_areas,
)
from ncdsurv.maps.two_legend import draw_square
from ncdsurv.maps.two_words import explain_two, heading_two, notes_two, subtitle_two
from ncdsurv.maps.wording import language

# Row: class of the second indicator, low to high; column: class of the first. Blue grows with the first, orange with
# the second, both darken. Chosen by search so that all nine and the grey stay apart for the colour-blind too.
NINE = (
    ("#E8F2F8", "#91AFCC", "#2B71A1"),
    ("#D6AE82", "#887B70", "#3A4B5D"),
    ("#AF6E00", "#6E4A1A", "#302820"),
)
MISSING = "#BDBDB8"
_STEPS = {1: (1,), 2: (0, 2), 3: (0, 1, 2)}  # which of the three steps fewer classes take
_SCHEMES = ("quantile", "natural")
Limits = Sequence[float] | None


@dataclass(frozen=True)
class TwoPicture(Picture):
    """A picture of two indicators; `rows`, `classes` are of the first, `areas` of both."""

    other_rows: MapRows
    other_classes: Classes

    @property
    def identity(self) -> dict[str, Any]:
        """What the values of both share."""
        other = self.other_rows.identity
        return {key: value for key, value in self.rows.identity.items() if other[key] == value}

    @property
    def cells(self) -> list[tuple[int, int] | None]:
        """Column and row of every area in the legend's square; None where a value is missing."""
        steps, others = _STEPS[self.classes.k], _STEPS[self.other_classes.k]
        pairs = zip(self.areas["first_class"], self.areas["second_class"])
        return [None if a is None or b is None else (steps[a], others[b]) for a, b in pairs]

    @property
    def colours(self) -> list[str]:
        """Fill of every area, in the layer's order."""
        return [MISSING if at is None else NINE[at[1]][at[0]] for at in self.cells]

    @property
    def small(self) -> list[bool]:
        """Which areas are hatched: those where either value rests on small numbers."""
        flags = zip(self.areas["status"], self.areas["first_flag"], self.areas["second_flag"])
        return [status == SHOWN and (is_small(a) or is_small(b)) for status, a, b in flags]


@takes(TwoAsked)
def bivariate(
    first: Any,
    second: Any,
    *,
    classes: str = "quantile",
    breaks: tuple[Limits, Limits] = (None, None),
    **asked: Unpack[TwoAsked],
) -> MapResult:
    """Draw two indicators on one map, in three classes each: control by detection, for instance.

    Args:
        first, second: Values of one indicator each (polars or pandas), of the same release. The first stands along
            the legend's foot (blue), the second along its side (orange). Period, level and vintage hold for both.
        classes: `quantile` (terciles) or `natural`.
        breaks: One or two limits for the first, for the second; None takes `classes`. Give them to keep the classes
            from map to map.
        **asked: See `ncdsurv.maps.asked.TwoAsked`.

    Returns:
        A `MapResult`; `.data` has for every area `first_...` and `second_...` value, interval, counts, flag, status
        and class, and `status` of both. An area that lacks either value is grey; hatched is where either value rests
        on small numbers.

    Raises:
        UsageError: The two do not fit together, are mixtures, or a setting is out of range.

    >>> import polars as pl
    >>> row = dict(release="r", preset="hearts", disease="hypertension", sex="both", age_band="all", period="2026-06",
    ...     area_vintage="2025", area_level="province", standardisation="crude", unit="percent",
    ...     numerator=50.0, denominator=100.0, lower=40.4, upper=59.6, ci_method="wilson", flag="ok")
    >>> areas = [(area, float(at)) for at, area in enumerate(["01", "79", "48", "92"], start=40)]
    >>> control = pl.DataFrame([row | dict(indicator="control_rate", area_code=a, value=v) for a, v in areas])
    >>> detection = pl.DataFrame([row | dict(indicator="detection_rate", area_code=a, value=90 - v) for a, v in areas])
    >>> result = bivariate(control, detection, lang="en", breaks=((42,), (48,)))
    >>> result.title
    'Control rate and detection rate – Hypertension, Viet Nam, June 2026'
    >>> result.data.filter(pl.col("status") == "shown").select("area_code", "first_class", "second_class").rows()
    [('01', 0, 1), ('48', 1, 1), ('79', 0, 1), ('92', 1, 0)]
    """
    one = settle(TwoAsked, asked)
    lang = language(one["lang"])
    if classes not in _SCHEMES:
        raise UsageError("class scheme does not suit two indicators", got=classes, allowed=", ".join(_SCHEMES),
                         do="give limits instead: breaks=((40, 60), (30, 50))")  # fmt: skip
    catalog, reference = packs(one["catalog"], one["reference"])
    both = [
        choose_rows(values, period=one["period"], level=one["level"], vintage=one["vintage"])
        for values in (first, second)
    ]
    _fit(*both)
    pooled = replace(both[0], frame=pl.concat([rows.frame for rows in both]))
    layer = open_layer(pooled, reference, one["within"])
    sides, found = [], []
    for name, rows, limits in zip(("first", "second"), both, breaks, strict=True):
        areas = join_areas(layer.codes, rows)
        known = areas["value"].to_numpy().astype(float)
        cut = choose_classes(known, rows, catalog, None, classes=classes, k=3, breaks=_two(limits))
        table = with_classes(areas, layer, cut, lang).drop("area_code", "name")
        sides.append(table.rename({column: f"{name}_{column}" for column in (*COLUMNS[2:], "class")}))
        found.append(cut)
    names = with_classes(join_areas(layer.codes, both[0]), layer, found[0], lang).select("area_code", "name")
    joined = pl.concat([names, *sides], how="horizontal").with_columns(status=_status())
    picture = TwoPicture(both[0], layer, joined, found[0], None, catalog, reference, lang, both[1], found[1])
    title = heading_two(picture, lang)
    figure, missed = paint_map(
        picture,
        title,
        subtitle_two(picture, lang),
        notes_two(picture, lang),
        legend=draw_square,
        **part(Look, one),
    )
    text = {told: explain_two(picture, told, missed) for told in ("vi", "en")}
    data = both[0].back(joined.with_columns(_apart(*both)))
    return MapResult(figure, data, ", ".join(title), text, lang, None, picture)


def _apart(first: MapRows, second: MapRows) -> list[pl.Expr]:
    """What tells the two apart (indicator, say), as columns of each."""
    keys = [key for key, value in first.identity.items() if second.identity[key] != value]
    sides = (("first", first), ("second", second))
    return [pl.lit(rows.identity[key]).alias(f"{side}_{key}") for side, rows in sides for key in keys]


def _status() -> pl.Expr:
    """Shown with both values; suppressed where either is; else the reason of the first that is missing."""
    pair = [pl.col("first_status"), pl.col("second_status")]
    return (
        pl.when(pl.all_horizontal(one == SHOWN for one in pair))
        .then(pl.lit(SHOWN))
        .when(pl.any_horizontal(one == SUPPRESSED for one in pair))
        .then(pl.lit(SUPPRESSED))
        .when(pl.any_horizontal(one == NOT_REPORTED for one in pair))
        .then(pl.lit(NOT_REPORTED))
        .otherwise(pl.when(pair[0] == SHOWN).then(pair[1]).otherwise(pair[0]))
    )


def _two(limits: Limits) -> Limits:
    if limits is not None and len(limits) not in (1, 2):
        raise UsageError("number of limits out of range", got=len(limits), allowed="one or two limits an indicator",
                         do="pass breaks=((40, 60), (30, 50))")  # fmt: skip
    return limits


def _fit(first: MapRows, second: MapRows) -> None:
    """Both must be of the same areas, period and release."""
    for what, a, b in (
        ("period", first.period, second.period),
        ("level", first.level, second.level),
        ("vintage", first.vintage, second.vintage),
        ("release", first.identity["release"], second.identity["release"]),
    ):
        if a != b:
            raise UsageError(f"the two indicators differ in {what}", got=f"{a} and {b}", allowed=f"one {what} for both",
                             do=f"choose values of the same {what}")  # fmt: skip
