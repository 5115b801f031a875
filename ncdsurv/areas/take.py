"""Values in: one row an area, counts checked, areas without a usable rate set apart with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.areas.rates import BINOMIAL, FAMILIES, POISSON
from ncdsurv.catalog.vocabulary import ALL_AGES, BOTH_SEXES, Flag, Level
from ncdsurv.errors import StatisticsError, UsageError, unknown
from ncdsurv.indicators.given_values import open_values
from ncdsurv.maps.selection import narrow

if TYPE_CHECKING:
    from ncdsurv.reference import Reference

NEEDED = ("area_code", "area_vintage", "numerator", "denominator")
SCALE = {"percent": 100.0, "per_100000": 100_000.0}
_FAMILY = {"percent": BINOMIAL, "per_100000": POISSON}
_PLAIN = {"sex": BOTH_SEXES, "age_band": ALL_AGES, "standardisation": "crude"}
USED, NO_VALUE, NO_PEOPLE = "used", "no_value", "no_people"


@dataclass(frozen=True)
class AreaRows:
    """Areas of one level, vintage and period, sorted by code.

    Attributes:
        frame: [area_code, numerator, denominator, flag, status]; status is `used`, `no_value` (missing or suppressed)
            or `no_people` (denominator 0).
        identity: Indicator, preset, disease, sex, age band, standardisation, release, unit (null where not given).
        level, vintage, period: Of the areas; period may be null.
        others: [area_code, area_level, numerator, denominator] of the same figure at other levels, where the values
            hold them.
        back: Turns a polars frame into the kind that was given.
    """

    frame: pl.DataFrame
    identity: dict[str, Any]
    level: str
    vintage: str
    period: str | None
    others: pl.DataFrame
    back: Callable[[pl.DataFrame], Any]

    @property
    def used(self) -> pl.DataFrame:
        """Areas with a rate."""
        return self.frame.filter(pl.col("status") == USED)

    @property
    def scale(self) -> float:
        """What a rate per person is multiplied with to be printed."""
        return SCALE[self.identity["unit"]]


def take_areas(
    values: Any,
    reference: Reference,
    *,
    period: str | None,
    level: str | None,
    vintage: str | None,
    family: str | None,
    fewest: int,
    alike: bool = False,
) -> tuple[AreaRows, str]:
    """Check and sort what the caller gave.

    Args:
        values: polars or pandas frame with area_code, area_vintage, numerator, denominator; the other columns of
            published values are used where they are there.
        reference: Where the codes must stand.
        period, level, vintage: Choose rows; None where the values hold one.
        family: `poisson` or `binomial`; None: `binomial` for percent, else `poisson`.
        fewest: Fewer areas with a rate are refused.
        alike: Take areas that all have the same rate too.

    Returns:
        The rows and the family.

    Raises:
        UsageError: Not a frame, columns missing, a mixture, an area twice, or an unknown code.
        StatisticsError: Too few areas, counts that are no rates, all rates equal, or a standardised rate.
    """
    table, back = open_values(values, NEEDED)
    table = table.with_columns(_unless_suppressed("numerator"), _unless_suppressed("denominator"))
    found = narrow(
        table,
        "a comparison of areas",
        period=period,
        level=level,
        vintage=vintage,
        untold=("period", "area_level"),
    )
    table, where = found.frame, found.where
    others = _at_other_levels(found.wider, where | found.identity)
    identity = {
        name: value if value is not None else _PLAIN.get(name) for name, value in found.identity.items()
    }
    if identity["standardisation"] != "crude":
        raise StatisticsError(
            "small-area methods need counts of people, not a standardised rate",
            got=str(identity["standardisation"]),
            allowed="crude",
            do='narrow the values with standardisation="crude"',
        )
    found_level = _known_level(table["area_code"].to_list(), where["area_vintage"], where["area_level"] or level,
                               reference)  # fmt: skip
    family = _family(identity, family)
    rows = AreaRows(
        _status(table.sort("area_code")),
        identity,
        found_level,
        where["area_vintage"],
        where["period"],
        others,
        back,
    )
    _check(rows, family, fewest, alike)
    return rows, family


def _unless_suppressed(column: str) -> pl.Expr:
    """A count, null where the row is flagged as suppressed, whatever it holds."""
    return pl.when(pl.col("flag").ne_missing(Flag.SUPPRESSED.value)).then(column).alias(column)


def _at_other_levels(table: pl.DataFrame, same: dict[str, Any]) -> pl.DataFrame:
    """Rows of the same figure, period and vintage at other levels; none where the values do not say their level."""
    level = same["area_level"]
    alike = [pl.col(name).eq_missing(pl.lit(value)) for name, value in same.items() if name != "area_level"]
    found = table.filter(pl.col("area_level") != (level or ""), *alike)
    return found.select("area_code", "area_level", "numerator", "denominator")


def _known_level(codes: list[str], vintage: str | None, level: str | None, reference: Reference) -> str:
    """The level of the codes, all known in the vintage."""
    if vintage is None:
        raise UsageError(
            "an area code without its vintage", do="fill area_vintage: the same code means two places"
        )
    areas = reference.areas(None, vintage)
    if level is None:
        found = areas.filter(pl.col("code").is_in(codes))["level"].unique().to_list()
        level = next((str(one) for one in Level if one in found), None)
        if len(found) > 1:
            raise UsageError(
                "the values mix levels",
                got=", ".join(sorted(found)),
                allowed="one area_level",
                do="give level=",
            )
    known = set(areas.filter(pl.col("level") == level)["code"]) if level else set(areas["code"])
    wrong = sorted(set(codes) - known)
    if wrong:
        raise UsageError(
            f"area codes that are not in vintage {vintage}" + (f" at level {level}" if level else ""),
            got=", ".join(wrong[:6]) + (f", ... ({len(wrong)} in all)" if len(wrong) > 6 else ""),
            allowed="codes of the reference",
            do="check vintage and level; codes are text with leading zeros",
        )
    return str(level)


def _family(identity: dict[str, Any], family: str | None) -> str:
    unit = identity["unit"]
    if unit is not None and unit not in SCALE:
        raise StatisticsError(
            "small-area methods need a rate with a denominator",
            got=f"the unit {unit!r}",
            allowed=", ".join(SCALE),
            do="choose an indicator with numerator and denominator",
        )
    if family is not None and family not in FAMILIES:
        raise unknown("family of rates", str(family), FAMILIES)
    family = family or _FAMILY.get(unit, POISSON)
    identity["unit"] = unit or next(one for one, of in _FAMILY.items() if of == family)
    return family


def _status(table: pl.DataFrame) -> pl.DataFrame:
    missing = pl.col("numerator").is_null() | pl.col("denominator").is_null()
    status = (
        pl.when(pl.col("denominator") == 0)
        .then(pl.lit(NO_PEOPLE))
        .when(missing)
        .then(pl.lit(NO_VALUE))
        .otherwise(pl.lit(USED))
    )
    return table.select("area_code", "numerator", "denominator", "flag", status=status)


def _check(rows: AreaRows, family: str, fewest: int, alike: bool) -> None:
    used = rows.used
    if used.height < fewest:
        apart = rows.frame.height - used.height
        raise StatisticsError(
            "one area has nothing to be compared with" if used.height == 1 else "too few areas with a rate",
            got=f"{used.height} areas" + (f" ({apart} more without a value or people)" if apart else ""),
            allowed=f"at least {fewest}",
            do="take a larger territory or a smaller level",
        )
    rates = used["numerator"] / used["denominator"]
    if family == BINOMIAL and (used["numerator"] > used["denominator"]).any():
        raise StatisticsError(
            "a count exceeds its population, so it is no share",
            got=f"{int((used['numerator'] > used['denominator']).sum())} of {used.height} areas",
            do="check the two columns, or use the Poisson family for events that may happen twice",
        )
    if not alike and float(rates.max()) - float(rates.min()) <= 1e-12 * abs(float(rates.max())):  # type: ignore[arg-type]
        raise StatisticsError(
            "every area has the same rate, so there is nothing to smooth or find",
            got=f"{used.height} areas",
            do="choose another indicator, level or period",
        )
