"""The model of an indicator: what it counts, over what, and the card that says so in two languages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ncdsurv.catalog.base import Citation, Definition, Names, SpellCondition
from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import MONTHS_PER_QUARTER, Kind, Level, Quantity, SpellColumn
from ncdsurv.catalog.windows import JUDGED


class Indicator(Definition):
    """An indicator: numerator (always AND the denominator), denominator, unit, interval, over time; and its card.

    A quantity (`numerator_quantity`) adds up days or visits of a period in the place of counting persons; over
    another quantity it is a mean, not a share. A cohort is enrolled in the quarter that ended
    `cohort_offset_months` before the month that is judged.

    With denominator_source `facilities` stations are counted, not persons (see `indicators.stations`): a stock is
    the stations of the period's last month, a flow the months of all stations, added up.

    Attributes:
        family: The file it stands in, without its number.
        rationale: Why it is worth knowing.
        counts: The numerator in words.
        among: The denominator in words; none for a count.
        caveats: What a reader must not conclude.
        by_facility: Whether it is also published month by month for every facility and every source system.
        version: Rises when the meaning changes.
    """

    id: str
    family: str
    names: Names
    definition: Names
    rationale: Names
    counts: Names
    among: Names | None = None
    caveats: tuple[Names, ...] = Field(min_length=1)
    version: int = Field(ge=1)
    kind: Kind
    numerator: SpellCondition = Condition()
    numerator_quantity: Quantity | None = None
    denominator_quantity: Quantity | None = None
    denominator: SpellCondition | None = None
    denominator_by_preset: dict[str, SpellCondition] = Field(default_factory=dict)
    denominator_source: Literal["spells", "estimated_cases", "population", "facilities", "none"] = "spells"
    population_ages: tuple[int, ...] | None = Field(default=None, min_length=1, max_length=2)
    unit: Literal["percent", "count", "per_100000", "days"]
    ci_method: Literal["wilson", "poisson", "none"]
    age_standardised: bool = False
    cohort_offset_months: int | None = Field(default=None, ge=0)
    polarity: Literal["high_good", "low_good", "no_judgement"]
    presets: tuple[str, ...]
    diseases: tuple[str, ...] = ()
    levels: tuple[Level, ...] = tuple(Level)
    by_facility: bool = False
    cascade_step: str | None = None
    source: Citation
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
        if (self.kind is Kind.COHORT) != (self.cohort_offset_months is not None):
            raise ValueError("a cohort needs cohort_offset_months, and only a cohort has it")
        if self.denominator_source == "facilities" and (self.numerator.tests or self.kind is Kind.COHORT):
            raise ValueError(
                "stations are counted at a period's end or month by month, without a condition on people"
            )
        of_people = self.denominator_source in ("spells", "none") and self.kind is not Kind.COHORT
        if self.by_facility and not of_people:
            raise ValueError("by_facility is for counts of people, month by month, and shares among them")
        if (self.unit == "count") != (self.among is None):
            raise ValueError("among.vi and among.en say the denominator in words; a count has none")
        return self

    def denominator_for(self, preset: str) -> Condition | None:
        """The denominator under a preset; None where it does not come from spells."""
        denominator = self.denominator_by_preset.get(preset, self.denominator)
        return denominator if denominator is None else denominator & self._cohort

    @property
    def judges(self) -> bool:
        """Whether it asks who is at target, above or below: only then does it rest on the visits of a period."""
        conditions = [self.numerator, *(self.denominator_for(preset) for preset in self.presets)]
        return any(JUDGED & set(condition.columns) for condition in conditions if condition is not None)

    def judged_before(self, buffer_months: int) -> bool:
        """Whether part of the cohort is judged while it is too newly enrolled for the preset to judge it.

        That part would have no outcome, and count as not at target; or a reading of it would count too early.

        Args:
            buffer_months: `enrolment_buffer_months` of a preset. Who enrolled in the quarter's last month has been
                enrolled for `cohort_offset_months` when the cohort is judged.
        """
        offset = self.cohort_offset_months
        return offset is not None and offset < buffer_months and self.judges

    @property
    def _cohort(self) -> Condition:
        """Who belongs to the cohort, at the end of the quarter that is judged."""
        if self.cohort_offset_months is None:
            return Condition()
        first = self.cohort_offset_months
        enrolled = {"ge": first, "le": first + MONTHS_PER_QUARTER - 1}
        return Condition.parse({SpellColumn.MONTHS_SINCE_ENROLMENT.value: enrolled})

    def numerator_for(self, preset: str) -> Condition:
        """The numerator AND the denominator: n <= d by construction."""
        denominator = self.denominator_for(preset)
        return self.numerator if denominator is None else denominator & self.numerator
