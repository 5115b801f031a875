"""Definitions of the quality metrics (`catalog/definitions/quality.toml`), checked against the catalog."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError, model_validator

from ncdsurv.catalog.base import Citation
from ncdsurv.catalog.load import DEFINITIONS, describe
from ncdsurv.catalog.models import Definition, Names
from ncdsurv.catalog.tables import VISITS
from ncdsurv.catalog.vocabulary import VisitKind
from ncdsurv.errors import DefinitionError

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

FILE = "quality.toml"
_NEEDS: dict[str, tuple[str, ...]] = {
    "completeness": ("measurement", "visit_kinds"),
    "recorded": ("columns", "visit_kinds"),
    "deadline": ("working_days",),
    "delay": ("within_days",),
    "same_day": (),
    "terminal_digit": ("columns", "digits"),
    "below_limit": ("columns", "preset", "measurement", "reading", "step", "neighbours"),
    "repeated": ("columns",),
    "jump": ("columns", "change", "within_days"),
    "spread": ("columns", "variance_ratio", "significance"),
    "flat": ("columns", "step", "bins", "trim", "significance"),
    "identifier": ("identifiers",),
    "rejected": (),
    "allocated": (),
}
Kind = Literal[
    "completeness",
    "recorded",
    "deadline",
    "delay",
    "same_day",
    "terminal_digit",
    "below_limit",
    "repeated",
    "jump",
    "spread",
    "flat",
    "identifier",
    "rejected",
    "allocated",
]


class QualityMetric(Definition):
    """One quality metric: what it is called, what it counts, how; the fields a kind needs are in `_NEEDS`."""

    id: str
    names: Names
    definition: Names
    method: Names
    kind: Kind
    measurement: str | None = None
    visit_kinds: tuple[VisitKind, ...] = ()
    columns: tuple[str, ...] = ()
    digits: tuple[int, ...] = ()
    preset: str | None = None
    reading: str | None = None
    step: float | None = Field(default=None, gt=0)
    neighbours: int | None = Field(default=None, ge=1)
    working_days: int | None = Field(default=None, ge=1)
    within_days: int | None = Field(default=None, ge=1)
    change: float | None = Field(default=None, gt=0)
    variance_ratio: float | None = Field(default=None, gt=0, lt=1)
    significance: float | None = Field(default=None, gt=0, lt=1)
    bins: int | None = Field(default=None, ge=3)
    trim: float | None = Field(default=None, ge=0, lt=0.5)
    identifiers: tuple[Literal["citizen_id", "insurance_number"], ...] = ()
    expected_percent: float | None = None
    polarity: Literal["high_good", "low_good", "no_judgement"]
    minimum_denominator: int = Field(ge=1)
    source: Citation
    verified: bool

    @model_validator(mode="after")
    def _shape(self) -> QualityMetric:
        missing = [name for name in _NEEDS[self.kind] if getattr(self, name) in (None, ())]
        if missing:
            raise ValueError(f"kind {self.kind!r} needs {', '.join(missing)}")
        if unknown := [column for column in self.columns if column not in VISITS]:
            raise ValueError(f"unknown visit column {', '.join(unknown)}; allowed: {', '.join(VISITS)}")
        return self


@cache
def load_metrics(path: Path = DEFINITIONS / FILE) -> dict[str, QualityMetric]:
    """The quality metrics by id, in file order.

    Raises:
        DefinitionError: Every problem of the file at once.

    >>> [metric.polarity for metric in load_metrics().values()][0]
    'high_good'
    """
    metrics, problems = {}, []
    for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        try:
            metrics[name] = QualityMetric.model_validate({"id": name, **table})
        except ValidationError as error:
            problems += describe(path.name, name, error)
    if problems:
        raise DefinitionError(problems)
    return metrics


def check_metrics(metrics: dict[str, QualityMetric], catalog: Catalog) -> None:
    """Check that what the metrics name exists in the catalog.

    Raises:
        DefinitionError: A measurement, preset, reading or limit that is not there.
    """
    problems = []
    for metric in metrics.values():
        if metric.measurement is not None and metric.measurement not in catalog.measurements:
            problems.append(f"{FILE}: [{metric.id}] measurement: unknown {metric.measurement!r}")
        elif metric.kind == "below_limit" and upper_limit(metric, catalog) is None:
            problems.append(f"{FILE}: [{metric.id}] preset: no upper limit on {metric.columns[0]!r} there")
    if problems:
        raise DefinitionError(problems)


def upper_limit(metric: QualityMetric, catalog: Catalog) -> float | None:
    """The highest value still at target, in the metric's step; None when the target has no upper limit."""
    preset = catalog.presets.get(metric.preset or "")
    target = preset.target(metric.measurement) if preset else None
    condition = target.readings.get(metric.reading or "") if target else None
    for test in condition.tests if condition else ():
        if test.column == metric.columns[0]:
            bounds = dict(test.bounds)
            if "le" in bounds:
                return float(bounds["le"])
            if "lt" in bounds:
                return float(bounds["lt"]) - float(metric.step or 1)
    return None
