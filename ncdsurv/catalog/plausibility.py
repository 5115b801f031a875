"""What can be a true value: limits and units of measurements, as data in `plausibility.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError

from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.models import Definition

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
    """A unit that is converted: `value / divide_by + plus`, rounded to what the unit can tell."""

    limits: Limits
    divide_by: float = Field(gt=0)
    plus: float = 0.0
    decimals: int = 2
    source: str


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
