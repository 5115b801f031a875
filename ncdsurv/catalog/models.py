"""Frozen models of the definitions. What they hold is in `definitions/*.toml`; nothing is decided here."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import Kind, Level, SpellColumn, VisitKind

_ICD = re.compile(r"^[A-Z]\d\d[0-9A-Z]{0,3}$")


def _condition(columns: Any) -> BeforeValidator:
    def read(value: Any) -> Any:
        return value if isinstance(value, Condition) or value is None else Condition.parse(value, columns)

    return BeforeValidator(read)


def write_condition(condition: Condition | None) -> dict[str, Any] | None:
    """A condition as it would stand in a definition file."""
    if condition is None:
        return None
    return {
        test.column: dict(test.bounds)
        if test.bounds
        else (test.values[0] if len(test.values) == 1 else list(test.values))
        for test in condition.tests
    }


_plain = PlainSerializer(write_condition, return_type=dict[str, Any] | None)
SpellCondition = Annotated[Condition, _condition([c.value for c in SpellColumn]), _plain]
MeasurementCondition = Annotated[Condition, _condition(None), _plain]


class Definition(BaseModel):
    """Base: frozen, no unknown field, no silent coercion of text into numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Names(Definition):
    """A name or text in Vietnamese and English."""

    vi: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def __getitem__(self, language: str) -> str:
        return str(getattr(self, language))


class Disease(Definition):
    """A disease, or a group counted as one (`members`): names, ICD-10 set, what its control rests on."""

    id: str
    names: Names
    short: Names
    icd10: tuple[str, ...] = ()
    icd10_excluded: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    measurement: str | None = None
    source: str
    verified: bool

    @model_validator(mode="after")
    def _shape(self) -> Disease:
        if bool(self.icd10) == bool(self.members):
            raise ValueError("give either icd10 or members")
        for part in (*self.icd10, *self.icd10_excluded):
            ends = part.split("-")
            if len(ends) > 2 or not all(_ICD.match(end) for end in ends):
                raise ValueError(f"icd10 {part!r}: want I10 or I10-I15, without dots")
        return self

    def matches(self, code: str | None) -> bool:
        """Whether an ICD-10 code belongs here: by prefix of the undotted code, dagger and star dropped.

        Args:
            code: As written, for instance `I10`, `E11.9`, `G63.2*`.
        """
        plain = re.sub(r"[^A-Z0-9]", "", (code or "").upper())
        if not _ICD.match(plain):
            return False
        inside = any(_covers(part, plain) for part in self.icd10)
        return inside and not any(_covers(part, plain) for part in self.icd10_excluded)


def _covers(part: str, plain: str) -> bool:
    first, _, last = part.partition("-")
    return first <= plain[: len(first)] <= (last or first)


class Reading(Definition):
    """One kind of reading: the visit columns that must all be present, and what else must hold."""

    columns: tuple[str, ...] = Field(min_length=1)
    where: MeasurementCondition = Condition()


class Measurement(Definition):
    """A measurement: its kinds of reading, in order of preference within one visit."""

    id: str
    names: Names
    unit: str
    readings: dict[str, Reading]


class AgeBand(Definition):
    """An age band in completed years; `upper` None is open-ended."""

    id: str
    lower: int
    upper: int | None = None


class Target(Definition):
    """Control of one measurement: for each kind of reading, the condition on its columns."""

    measurement: str
    readings: dict[str, MeasurementCondition]


class Preset(Definition):
    """A set of rules of control and follow-up; every published value says which one it used."""

    id: str
    names: Names
    among: Names
    outcome_window_months: int = Field(ge=1)
    enrolment_buffer_months: int = Field(ge=0)
    lost_after_months: int = Field(ge=1)
    treated_window_months: int = Field(ge=1)
    reading: Literal["last_reading", "last_visit"]
    same_day: Literal["last"]
    visit_kinds: tuple[VisitKind, ...]
    targets: tuple[Target, ...]
    source: str
    verified: bool

    def target(self, measurement: str | None) -> Target | None:
        """The target of a measurement, or None where the disease has none."""
        return next((target for target in self.targets if target.measurement == measurement), None)


class Indicator(Definition):
    """An indicator: numerator (always AND the denominator), denominator, unit, interval, over time."""

    id: str
    names: Names
    definition: Names
    kind: Kind
    numerator: SpellCondition
    denominator: SpellCondition | None = None
    denominator_by_preset: dict[str, SpellCondition] = {}
    denominator_source: Literal["spells", "estimated_cases", "population", "none"] = "spells"
    population_ages: tuple[int, ...] | None = Field(default=None, min_length=1, max_length=2)
    unit: Literal["percent", "count", "per_100000"]
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
        needs = self.denominator_source == "spells"
        if needs and self.denominator is None and not set(self.presets) <= set(self.denominator_by_preset):
            raise ValueError("a denominator over spells is missing")
        if not needs and (self.denominator is not None or self.denominator_by_preset):
            raise ValueError(f"denominator given, but denominator_source is {self.denominator_source!r}")
        if (self.unit == "count") != (self.denominator_source == "none"):
            raise ValueError("a count has denominator_source 'none', and only a count has")
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


class Prevalence(Definition):
    """A survey prevalence used for expected cases, with its own age base."""

    id: str
    disease: str
    percent: float = Field(gt=0, lt=100)
    lower_percent: float | None = None
    upper_percent: float | None = None
    age_from: int
    age_to: int | None = None
    year: int
    default: bool = False
    source: str
    verified: bool


class NationalTarget(Definition):
    """A target of a national instrument."""

    id: str
    disease: str
    indicator: str
    percent: float
    year: int
    instrument: str
    source: str
    verified: bool


class StandardPopulation(Definition):
    """A standard population: weights by five-year group (normalised when used)."""

    id: str
    names: Names
    lower_ages: tuple[int, ...]
    weights: tuple[float, ...]
    default: bool = False
    source: str
    verified: bool


class Publication(Definition):
    """Rules of publication: confidence of intervals, and what is flagged as a small number."""

    id: str
    confidence: float = Field(gt=0, lt=1)
    small_denominator: int = Field(ge=1)
    small_count: int = Field(ge=1)
    rate_per: int = Field(ge=1)
    standardisation_fewest_events: int = Field(ge=1)
    source: str
    verified: bool
