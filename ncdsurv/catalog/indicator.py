"""The model of an indicator: what it counts, over what, and the card that says so in two languages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ncdsurv.catalog.base import Definition, Names, SpellCondition
from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import Kind, Level, Quantity


class Indicator(Definition):
    """An indicator: numerator (always AND the denominator), denominator, unit, interval, over time.

    A quantity (`numerator_quantity`) adds up days or visits of a period in the place of counting persons; over
    another quantity it is a mean, not a share.
    """

    id: str
    names: Names
    definition: Names
    kind: Kind
    numerator: SpellCondition = Condition()
    numerator_quantity: Quantity | None = None
    denominator_quantity: Quantity | None = None
    denominator: SpellCondition | None = None
    denominator_by_preset: dict[str, SpellCondition] = Field(default_factory=dict)
    denominator_source: Literal["spells", "estimated_cases", "population", "none"] = "spells"
    population_ages: tuple[int, ...] | None = Field(default=None, min_length=1, max_length=2)
    unit: Literal["percent", "count", "per_100000", "days"]
    ci_method: Literal["wilson", "poisson", "none"]
    age_standardised: bool = False
    cohort_offset_months: int | None = None
    polarity: Literal["high_good", "low_good", "no_judgement"]
    presets: tuple[str, ...]
    diseases: tuple[str, ...] = ()
    levels: tuple[Level, ...] = tuple(Level)
    cascade_step: str | None = None
    source: str
    verified: bool

    @model_validator(mode="after")
    def _shape(self) -> Indicator:
        needs = self.denominator_source == "spells" and self.denominator_quantity is None
        if needs and self.denominator is None and not set(self.presets) <= set(self.denominator_by_preset):
            raise ValueError("a denominator over spells is missing")
        if not needs and (self.denominator is not None or self.denominator_by_preset):
            raise ValueError(f"denominator given, but denominator_source is {self.denominator_source!r}")
        if (self.unit == "count") != (self.denominator_source == "none"):
            raise ValueError("a count has denominator_source 'none', and only a count has")
        if (self.unit == "days") != (self.denominator_quantity is not None):
            raise ValueError("a mean in days is one quantity over another")
        if self.denominator_quantity is not None and self.numerator_quantity is None:
            raise ValueError("denominator_quantity needs numerator_quantity")
        if self.numerator_quantity is not None and (self.numerator.tests or self.kind is not Kind.FLOW):
            raise ValueError("a quantity is a flow and takes the place of a condition")
        if self.kind is Kind.COHORT and self.cohort_offset_months is None:
            raise ValueError("a cohort needs cohort_offset_months")
        return self

    def denominator_for(self, preset: str) -> Condition | None:
        """The denominator under a preset; None where it does not come from spells."""
        return self.denominator_by_preset.get(preset, self.denominator)

    def numerator_for(self, preset: str) -> Condition:
        """The numerator AND the denominator: n <= d by construction."""
        denominator = self.denominator_for(preset)
        return self.numerator if denominator is None else denominator & self.numerator
