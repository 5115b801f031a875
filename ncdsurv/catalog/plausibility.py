"""What can be a true value: limits and units of measurements, as data in `plausibility.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError, model_validator

from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.models import Definition

if TYPE_CHECKING:
    import polars as pl

NEEDED = (
    "sbp",
    "dbp",
    "weight_kg",
    "height_cm",
    "glucose_mmol_l",
    "hba1c_percent",
    "next_visit_days",
    "supply_days",
    "age_years",
    "visit_year",
)
_VALUE = "value"


def _limits(table: Any) -> Any:
    return table if isinstance(table, Condition) else Condition.parse({_VALUE: table})


def _plain(limits: Condition) -> dict[str, float]:
    return dict(limits.tests[0].bounds)


Limits = Annotated[Condition, BeforeValidator(_limits), PlainSerializer(_plain, return_type=dict[str, float])]


class OtherUnit(Definition):
    """A unit that is converted: `value / divide_by + plus`, or along a table of pairs; then rounded.

    A limit that guidelines print in both units is one limit, though its two figures are rounded apart (300 mg/dL
    is 16.67 mmol/L, and 16.7 is printed). `pairs` are these equivalents, in this unit and in the registry's, both
    rising: between them the conversion is a straight line, beyond the first and the last it goes on by
    `divide_by`. It rises throughout, so a reading lies on the same side of a limit in whichever unit it is written.

    Raises:
        ValidationError: Pairs that do not rise in both units.
    """

    limits: Limits
    divide_by: float = Field(gt=0)
    plus: float = 0.0
    pairs: tuple[tuple[float, float], ...] = ()
    decimals: int = 2
    source: str

    @model_validator(mode="after")
    def _rising(self) -> OtherUnit:
        steps = zip(self.pairs, self.pairs[1:], strict=False)
        if any(not (before < after and at < then) for (before, at), (after, then) in steps):
            raise ValueError("pairs must rise in both units, from one to the next")
        return self

    def convert(self, value: pl.Expr) -> pl.Expr:
        """A value of this unit in the registry's, not yet rounded.

        >>> from ncdsurv.catalog import load_catalog
        >>> unit = load_catalog().plausibility["glucose_mmol_l"].other_units["mg/dL"]
        >>> import polars as pl
        >>> pl.select(unit.convert(pl.Series([79.0, 80.0, 126.0, 199.0, 300.0])).round(2)).to_series().to_list()
        [4.34, 4.4, 7.0, 11.04, 16.7]
        """
        import polars as pl

        if not self.pairs:
            return value / self.divide_by + self.plus
        (low, at_low), (high, at_high) = self.pairs[0], self.pairs[-1]
        out: Any = pl.when(value < low).then(at_low - (low - value) / self.divide_by)
        for (before, at), (after, then) in zip(self.pairs, self.pairs[1:], strict=False):
            slope = (then - at) / (after - before)
            out = out.when(value < after).then(at + (value - before) * slope)
        return out.otherwise(at_high + (value - high) / self.divide_by)


class Plausible(Definition):
    """Limits of one measurement, over a column called `value`."""

    id: str
    limits: Limits
    unit: str
    decimals: int = 0
    other_units: dict[str, OtherUnit] = Field(default_factory=dict)
    source: str
    verified: bool


def load_plausibility(path: Path) -> tuple[dict[str, Plausible], list[str]]:
    """Read the limits.

    Args:
        path: `plausibility.toml`.

    Returns:
        Limits by field, and every problem as `file: [id] field: what`.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, [f"{path.name}: the file is missing"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [f"{path.name}: not readable as TOML ({error})"]
    found, problems = {}, []
    for name, table in tables.items():
        try:
            found[name] = Plausible.model_validate({"id": name, **table})
        except ValidationError as error:
            problems += [
                f"{path.name}: [{name}] {'.'.join(map(str, item['loc'])) or 'table'}: {item['msg']}"
                for item in error.errors()
            ]
    problems += [
        f"{path.name}: [{name}] limits are missing; do: add the table"
        for name in NEEDED
        if name not in tables
    ]
    return found, problems
