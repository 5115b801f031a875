"""What the areas of a funnel are compared with: a figure that is given, their parent's, or their own together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.areas.rates import BINOMIAL
from ncdsurv.catalog.vocabulary import Level
from ncdsurv.errors import StatisticsError, unknown

if TYPE_CHECKING:
    from ncdsurv.areas.take import AreaRows
    from ncdsurv.reference import Reference

GIVEN, AREA, POOLED = "given", "area", "pooled"


@dataclass(frozen=True)
class Target:
    """The middle line.

    Attributes:
        value: In the unit of the values.
        kind: `given`, `area` (the figure of an area that holds them, `code` and `level`) or `pooled`.
        code, level: Of that area.
    """

    value: float
    kind: str
    code: str | None = None
    level: str | None = None


def find_target(rows: AreaRows, reference: Reference, family: str, wanted: float | str | None) -> Target:
    """The target of a funnel.

    Args:
        rows: The areas, with rows of other levels where the values hold them.
        reference: Which area holds which.
        family: Of the rates; a share must lie below 100 %.
        wanted: A figure in the unit of the values; the code of an area among the values; None: the figure of the
            smallest area that holds them all, where the values have it, else all counts over all people.

    Raises:
        UsageError: The area's figure is not among the values.
        StatisticsError: A target around which no limits can be drawn.
    """
    if isinstance(wanted, str):
        target = _of_area(rows, wanted)
    elif wanted is not None:
        target = Target(float(wanted), GIVEN)
    else:
        level, code = parent_of(rows, reference)
        held = rows.others.filter(
            pl.col("area_code") == code, pl.col("area_level") == level, pl.col("denominator") > 0
        )
        target = _of_area(rows, str(code)) if held.height == 1 else _pooled(rows)
    return _checked(target, rows, family)


def parent_of(rows: AreaRows, reference: Reference) -> tuple[str | None, str | None]:
    """Level and code of the smallest area that holds all of them; None where there is none."""
    levels = [str(level) for level in Level]  # from small to large
    inside = reference.parents(rows.vintage).filter(
        pl.col(rows.level).is_in(rows.frame["area_code"].to_list())
    )
    for level in levels[levels.index(rows.level) + 1 :]:
        codes = inside[level].unique()
        if len(codes) == 1 and codes[0] is not None:
            return level, str(codes[0])
    return None, None


def _of_area(rows: AreaRows, code: str) -> Target:
    found = rows.others.filter(pl.col("area_code") == code, pl.col("denominator") > 0).drop_nulls()
    if found.height != 1:
        known = sorted(rows.others["area_code"].unique())
        raise unknown("area to compare with among these values", code, known)
    row = found.row(0, named=True)
    return Target(row["numerator"] / row["denominator"] * rows.scale, AREA, code, row["area_level"])


def _pooled(rows: AreaRows) -> Target:
    used = rows.used
    return Target(float(used["numerator"].sum()) / float(used["denominator"].sum()) * rows.scale, POOLED)


def _checked(target: Target, rows: AreaRows, family: str) -> Target:
    most = rows.scale if family == BINOMIAL else float("inf")
    if 0 < target.value < most:
        return target
    allowed = f"above 0, below {most:g}" if most < float("inf") else "above 0"
    if target.kind == POOLED:
        raise StatisticsError(
            "no area has a case, so chance alone draws no limits"
            if target.value <= 0
            else "everybody is a case in every area, so chance alone draws no limits",
            got=f"{rows.used.height} areas",
            do="give a target to compare them with, or choose another indicator or a longer period",
        )
    raise StatisticsError(
        "target out of range",
        got=f"{target.value:g}",
        allowed=allowed,
        do="give it in the unit of the values",
    )
