"""Frozen models of the definitions. What they hold is in `definitions/*.toml`; nothing is decided here."""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property
from typing import Literal

from pydantic import Field, model_validator

from ncdsurv.catalog.base import (
    Citation,
    Definition,
    MeasurementCondition,
    Names,
    SpellCondition,
    write_condition,
)
from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.icd10 import check_set, in_set
from ncdsurv.catalog.indicator import Indicator
from ncdsurv.catalog.vocabulary import CARE_COLUMNS, PatientStatus, VisitKind

__all__ = [
    "AgeBand",
    "ContactFlag",
    "Definition",
    "Disease",
    "Indicator",
    "Measurement",
    "MeasurementCondition",
    "Names",
    "NationalTarget",
    "Notice",
    "Preset",
    "Prevalence",
    "Publication",
    "Reading",
    "SpellCondition",
    "StandardPopulation",
    "Target",
    "write_condition",
]


class Disease(Definition):
    """A disease, or a group counted as one (`members`): names, ICD-10 set, what its control rests on.

    Attributes:
        measurement: Whose readings decide the outcome; without one the source's own verdict does.
        or_reported: Where a contact gives no reading, the source's own verdict (`reported_target`) decides.
        companion: A measurement of another disease that is followed in these people as well.
        below_suspected: By kind of reading: who does not satisfy it is suspected of the disease.
        below_at_risk: By kind of reading: who satisfies the former but not this is at risk.
        suspicion_source: Where the two limits come from.
        rests_on: What an outcome of this disease rests on, for readers.
    """

    id: str
    names: Names
    short: Names
    icd10: tuple[str, ...] = ()
    icd10_excluded: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    measurement: str | None = None
    or_reported: bool = False
    companion: str | None = None
    below_suspected: dict[str, MeasurementCondition] = Field(default_factory=dict)
    below_at_risk: dict[str, MeasurementCondition] = Field(default_factory=dict)
    suspicion_source: Citation | None = None
    suspicion_verified: bool = False
    rests_on: Names
    source: Citation
    verified: bool

    @model_validator(mode="after")
    def _shape(self) -> Disease:
        if bool(self.icd10) == bool(self.members):
            raise ValueError("give either icd10 or members")
        if (self.below_suspected or self.below_at_risk) and (self.measurement is None or self.members):
            raise ValueError("suspicion needs a measurement of the disease, and is not for groups")
        if set(self.below_at_risk) - set(self.below_suspected):
            raise ValueError("below_at_risk names a kind of reading that below_suspected does not")
        if bool(self.below_suspected) != bool(self.suspicion_source):
            raise ValueError("below_suspected and suspicion_source go together")
        check_set((*self.icd10, *self.icd10_excluded))
        return self

    def matches(self, code: str | None) -> bool:
        """Whether an ICD-10 code belongs here: by prefix of the undotted code, dagger and star dropped.

        Args:
            code: As written, for instance `I10`, `E11.9`, `G63.2*`.
        """
        return in_set(code, self.icd10) and not in_set(code, self.icd10_excluded)


class Told(Definition):
    """Something a record says, and what is done about it."""

    id: str
    names: Names
    effect: Names
    source: Citation
    verified: bool


class ContactFlag(Told):
    """What ICD-10 codes say of a contact itself; `id` is the yes/no column of the visit that keeps it.

    `words` say the same in a diagnosis without codes; such a text names no disease of the registry. What stands in
    `denied_before` right before a word, or in `denied_after` right after it, takes it back.
    """

    icd10: tuple[str, ...] = Field(min_length=1)
    words: tuple[str, ...] = ()
    denied_before: tuple[str, ...] = ()
    denied_after: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _shape(self) -> ContactFlag:
        check_set(self.icd10)
        return self

    def matches(self, code: str | None) -> bool:
        """Whether an ICD-10 code, as written, raises the flag."""
        return in_set(code, self.icd10)

    def said_in(self, text: str) -> bool:
        """Whether words without a code raise the flag: one of them stands there and is not denied.

        Case, spaces and the form of Unicode do not matter.

        >>> from ncdsurv.catalog import load_catalog
        >>> flag = load_catalog().contact_flags["pregnant"]
        >>> flag.said_in("CÓ THAI 20 tuần"), flag.said_in("chưa có thai"), flag.said_in("Not pregnant")
        (True, False, False)
        """
        return self.pattern.search(_folded(text)) is not None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """One of the words, not denied; over folded text."""
        before = "".join(rf"(?<!\b{re.escape(_folded(word))}[ -])" for word in self.denied_before)
        after = "|".join(rf" ?{re.escape(_folded(word))}(?!\w)" for word in self.denied_after)
        words = "|".join(re.escape(_folded(word)) for word in self.words) or r"(?!)"
        return re.compile(rf"\b{before}(?:{words})\b" + (f"(?!{after})" if after else ""))


def _folded(text: str) -> str:
    """Composed, without case, with single spaces, none before a colon and one after it."""
    plain = unicodedata.normalize("NFC", text).casefold()
    return re.sub(r"\s*:\s*", ": ", re.sub(r"\s+", " ", plain))


class Notice(Told):
    """Rows that only report a status: they bear a date of contact, but nobody was seen.

    Attributes:
        statuses: What such a row says of the person.
        kinds: The kinds of contact a source may have put it down as.
        filled: Columns that only care fills; a row with one of them is a contact.
        unless: Conditions that only care meets; a row that meets one of them is a contact.
        only_from_last_facility: Statuses that hold only when told by the facility of the last contact.
    """

    statuses: tuple[PatientStatus, ...] = Field(min_length=1)
    kinds: tuple[VisitKind, ...] = Field(min_length=1)
    filled: tuple[str, ...] = Field(min_length=1)
    unless: tuple[MeasurementCondition, ...] = ()
    only_from_last_facility: tuple[PatientStatus, ...] = ()

    @model_validator(mode="after")
    def _shape(self) -> Notice:
        named = {*self.filled, *(column for condition in self.unless for column in condition.columns)}
        if odd := sorted(named - set(CARE_COLUMNS)):
            raise ValueError(
                f"{', '.join(odd)}: no column that care fills; allowed: {', '.join(CARE_COLUMNS)}"
            )
        return self


class Reading(Definition):
    """One kind of reading: the visit columns that must all be present, and what else must hold."""

    columns: tuple[str, ...] = Field(min_length=1)
    where: MeasurementCondition = Condition()


class Measurement(Definition):
    """A measurement: its kinds of reading, in order of preference within one visit."""

    id: str
    names: Names
    unit: Citation
    readings: dict[str, Reading]


class AgeBand(Definition):
    """An age band in completed years; `upper` None is open-ended."""

    id: str
    lower: int
    upper: int | None = None


class Target(Definition):
    """Control of one measurement: for each kind of reading, the condition on its columns.

    `moderate` bounds the readings that are off target, but only moderately; a kind without one leaves the
    degree untold. `source` and `verified` stand where they differ from the preset's.
    """

    measurement: str
    readings: dict[str, MeasurementCondition]
    moderate: dict[str, MeasurementCondition] = Field(default_factory=dict)
    source: Citation | None = None
    verified: bool | None = None


class Preset(Definition):
    """A set of rules of control and follow-up; every published value says which one it used.

    Attributes:
        lost_grace: Nobody is lost before `lost_after_months` have passed since the enrolment.
        default_interval_days: Days until the next visit is due, where a contact names neither an
            appointment nor days of supply.
        overdue_grace_days: Days after the due day on which a person is not yet overdue.
        or_reported: Where a contact gives no reading, the source's own verdict decides on every disease, not only
            on those that say so themselves.
        outcome_of_period: What a quarter, half-year, nine months or year is judged by: the outcome of its last month
            (`last_month`), or the visits of all of it (`whole_period`, see `catalog.whole_periods`). A month is judged
            by `outcome_window_months` either way; `whole_period` wants that window to be 1.
        same_day: Of several readings of one day the last, the lowest of each column, or the mean counts.
    """

    id: str
    names: Names
    among: Names
    outcome_window_months: int = Field(ge=1)
    enrolment_buffer_months: int = Field(ge=0)
    lost_after_months: int = Field(ge=1)
    lost_grace: bool
    default_interval_days: int = Field(ge=1)
    overdue_grace_days: int = Field(ge=0)
    overdue_source: Citation
    overdue_verified: bool
    treated_window_months: int = Field(ge=1)
    reading: Literal["last_reading", "last_visit"]
    or_reported: bool = False
    outcome_of_period: Literal["last_month", "whole_period"] = "last_month"
    same_day: Literal["last", "lowest", "mean"]
    visit_kinds: tuple[VisitKind, ...]
    targets: tuple[Target, ...]
    source: Citation
    verified: bool

    @model_validator(mode="after")
    def _shape(self) -> Preset:
        if self.outcome_of_period == "whole_period" and self.outcome_window_months > 1:
            raise ValueError(
                "outcome_of_period 'whole_period' needs outcome_window_months 1: a month is a period too"
            )
        return self

    def target(self, measurement: str | None) -> Target | None:
        """The target of a measurement, or None where the disease has none."""
        return next((target for target in self.targets if target.measurement == measurement), None)


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
    source: Citation
    verified: bool


class NationalTarget(Definition):
    """A target of a national instrument."""

    id: str
    disease: str
    indicator: str
    percent: float
    year: int
    instrument: Citation
    source: Citation
    verified: bool


class StandardPopulation(Definition):
    """A standard population: weights by five-year group (normalised when used)."""

    id: str
    names: Names
    lower_ages: tuple[int, ...]
    weights: tuple[float, ...]
    default: bool = False
    source: Citation
    verified: bool


class Publication(Definition):
    """Rules of publication: confidence of intervals, and what is flagged as a small number."""

    id: str
    confidence: float = Field(gt=0, lt=1)
    small_denominator: int = Field(ge=1)
    small_count: int = Field(ge=1)
    rate_per: int = Field(ge=1)
    standardisation_fewest_events: int = Field(ge=1)
    source: Citation
    verified: bool
