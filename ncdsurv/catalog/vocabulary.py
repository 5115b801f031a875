"""The words of the field: states, kinds, levels, and calendar months. No heavy import here.

Month index = year x 12 + month, on dates in Asia/Ho_Chi_Minh; differences are calendar months
(WHO HEARTS and Simple count the same way).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ncdsurv.errors import UsageError

MONTHS_PER_YEAR = 12
MONTHS_PER_QUARTER = 3
MONTHS_PER_HALF_YEAR = 6
MONTHS_PER_NINE_MONTHS = 9
TIME_ZONE = "Asia/Ho_Chi_Minh"
NATION = "VN"
BOTH_SEXES, ALL_AGES = "both", "all"
REFORM_DATE = date(2025, 7, 1)  # 63 provinces became 34 (Resolution 202/2025/QH15)


class Sex(StrEnum):
    """Sex as recorded."""

    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


class BirthPrecision(StrEnum):
    """How much of a birth date is known."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class VisitKind(StrEnum):
    """What a contact was: a refill is drugs without an exam, a screening is no visit of a managed patient."""

    EXAM = "exam"
    REFILL = "refill"
    SCREENING = "screening"


GLUCOSE_KINDS = ("fasting", "random", "post_prandial", "unknown")
"""When a glucose was taken; unknown is a reading without a word on it."""
CONTACT_FLAGS = ("pregnant",)
"""Yes/no columns of a visit that its ICD-10 codes raise (`contact_flags.toml`)."""
CARE_COLUMNS = (
    "sbp",
    "dbp",
    "glucose_mmol_l",
    "hba1c_percent",
    "lung_grade",
    "asthma_control",
    "weight_kg",
    "height_cm",
    "supply_days",
    "next_visit_on",
    "reported_target",
)
"""Columns of a visit that hold what care leaves behind (`notices.toml`)."""


class Finding(StrEnum):
    """What a screening says of a disease beside its readings: neither a diagnosis nor a reading."""

    SUSPECTED = "suspected"
    FAMILY_HISTORY = "family_history"


class PatientStatus(StrEnum):
    """What a source says of a patient at a contact."""

    MANAGED = "managed"
    TRANSFERRED_IN = "transferred_in"
    TRANSFERRED_OUT = "transferred_out"
    DEAD = "dead"


class CareState(StrEnum):
    """Exclusive and exhaustive state of an enrolled person and disease in a month."""

    UNDER_CARE = "under_care"
    LOST_TO_FOLLOW_UP = "lost_to_follow_up"
    TRANSFERRED_OUT = "transferred_out"
    DEAD = "dead"


class Outcome(StrEnum):
    """Exclusive and exhaustive outcome of an established person under care."""

    CONTROLLED = "controlled"
    UNCONTROLLED = "uncontrolled"
    VISITED_UNMEASURED = "visited_unmeasured"
    MISSED_VISIT = "missed_visit"


class Tenure(StrEnum):
    """Whether the enrolment buffer has passed."""

    NEWLY_ENROLLED = "newly_enrolled"
    ESTABLISHED = "established"


class Treatment(StrEnum):
    """Drugs dispensed within the preset's window, or not."""

    TREATED = "treated"
    UNTREATED = "untreated"


class Suspicion(StrEnum):
    """What readings alone say of somebody not known to have the disease; a suspicion is no diagnosis."""

    NONE = "none"
    AT_RISK = "at_risk"
    SUSPECTED = "suspected"


class Severity(StrEnum):
    """How far off target the outcome's reading was; untold where the target tells no degrees."""

    AT_TARGET = "at_target"
    MODERATE = "moderate"
    SEVERE = "severe"
    UNTOLD = "untold"


class Quantity(StrEnum):
    """Flows of a month that are added up over visits instead of counting people in a state."""

    VISIT_DAYS = "visit_days"
    INTERVALS = "intervals"
    INTERVAL_DAYS = "interval_days"
    TRANSFERS_IN = "transfers_in"


class SpellColumn(StrEnum):
    """The only columns a condition may name (the closed grammar)."""

    KNOWN_CASE = "known_case"
    CARE_STATE = "care_state"
    OUTCOME = "outcome"
    TENURE = "tenure"
    TREATMENT = "treatment"
    MONTHS_SINCE_ENROLMENT = "months_since_enrolment"
    NEWLY_DETECTED = "newly_detected"
    NEWLY_ENROLLED = "newly_enrolled"
    SEEN = "seen"
    DISPENSED = "dispensed"
    SUSPICION = "suspicion"
    KNOWN_OR_SUSPECTED = "known_or_suspected"
    SEVERITY = "severity"
    OVERDUE = "overdue"
    OVERDUE_AT_START = "overdue_at_start"
    UNCONTROLLED_TWICE = "uncontrolled_twice"
    COMPANION_AT_TARGET = "companion_at_target"


class PeriodKind(StrEnum):
    """Lengths of a reporting period (Circular 37/2019/TT-BYT); nine months are January to September."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    NINE_MONTHS = "nine_months"
    YEAR = "year"


PERIOD_MONTHS = {
    PeriodKind.MONTH: 1,
    PeriodKind.QUARTER: MONTHS_PER_QUARTER,
    PeriodKind.HALF_YEAR: MONTHS_PER_HALF_YEAR,
    PeriodKind.NINE_MONTHS: MONTHS_PER_NINE_MONTHS,
    PeriodKind.YEAR: MONTHS_PER_YEAR,
}
"""Months of each kind of period."""
_KIND_OF = {months: kind for kind, months in PERIOD_MONTHS.items()}


class Level(StrEnum):
    """Administrative level, from small to large."""

    COMMUNE = "commune"
    DISTRICT = "district"
    PROVINCE = "province"
    REGION = "region"
    NATION = "nation"


class Unit(StrEnum):
    """A place that is no administrative area: it has no parents, no people of its own and no boundary."""

    FACILITY = "facility"
    SOURCE = "source"


class Vintage(StrEnum):
    """Which list of administrative units a code belongs to; a bare code means nothing."""

    V2024 = "2024"  # 63 provinces, districts, in force until 30 June 2025
    V2025 = "2025"  # 34 provinces, no districts, from 1 July 2025

    @classmethod
    def at(cls, day: date) -> Vintage:
        """The vintage in force on a day."""
        return cls.V2024 if day < REFORM_DATE else cls.V2025


class Flag(StrEnum):
    """What a reader must know about a published value."""

    OK = "ok"
    SMALL_NUMBER = "small_number"
    NO_DENOMINATOR = "no_denominator"
    NO_POPULATION = "no_population"
    TOO_FEW_EVENTS = "too_few_events"
    SUPPRESSED = "suppressed"


HELD_BACK = (Flag.SUPPRESSED, Flag.TOO_FEW_EVENTS)
"""Flags of values not given because the numbers are too small: by disclosure control, or by the method."""


class Kind(StrEnum):
    """How an indicator behaves over time: never average a ratio, never sum a stock."""

    STOCK = "stock"
    FLOW = "flow"
    COHORT = "cohort"


class Language(StrEnum):
    """Languages of names and reports."""

    VI = "vi"
    EN = "en"


def month_index(day: date) -> int:
    """Month index of a day.

    >>> month_index(date(2026, 6, 30)) - month_index(date(2026, 5, 31))
    1
    """
    return day.year * MONTHS_PER_YEAR + day.month


def month_start(index: int) -> date:
    """First day of a month index.

    >>> month_start(month_index(date(2025, 12, 9)))
    datetime.date(2025, 12, 1)
    """
    return date((index - 1) // MONTHS_PER_YEAR, (index - 1) % MONTHS_PER_YEAR + 1, 1)


def month_label(index: int) -> str:
    """`YYYY-MM` of a month index."""
    return f"{month_start(index):%Y-%m}"


_PERIOD = re.compile(
    r"^(?P<year>(?:19|20)\d\d)"
    r"(?:-(?P<month>0[1-9]|1[0-2])|-Q(?P<quarter>[1-4])|-H(?P<half>[12])|-(?P<nine>9M))?$"
)


@dataclass(frozen=True, order=True)
class Period:
    """A month, quarter, half-year, first nine months or year: first and last month index (both included).

    >>> Period.parse("2026-Q2").last_month == Period.parse("2026-06").last_month
    True
    >>> str(Period.parse("2026-Q2")), str(Period.parse("2026-H2")), str(Period.parse("2026-9M"))
    ('2026-Q2', '2026-H2', '2026-9M')
    """

    first_month: int
    last_month: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read `YYYY-MM`, `YYYY-Qn`, `YYYY-Hn`, `YYYY-9M` (January to September) or `YYYY`.

        Raises:
            UsageError: The text is none of these.
        """
        found = _PERIOD.match(str(text))
        if not found:
            raise UsageError(
                "unknown period",
                got=text,
                allowed="a month 2026-06, a quarter 2026-Q2, a half-year 2026-H1, nine months 2026-9M or a year "
                "2026",
                do="write the period like one of these",
            )
        base = int(found["year"]) * MONTHS_PER_YEAR
        if found["month"]:
            month = base + int(found["month"])
            return cls(month, month)
        if found["quarter"]:
            last = base + int(found["quarter"]) * MONTHS_PER_QUARTER
            return cls(last - MONTHS_PER_QUARTER + 1, last)
        if found["half"]:
            last = base + int(found["half"]) * MONTHS_PER_HALF_YEAR
            return cls(last - MONTHS_PER_HALF_YEAR + 1, last)
        if found["nine"]:
            return cls(base + 1, base + MONTHS_PER_NINE_MONTHS)
        return cls(base + 1, base + MONTHS_PER_YEAR)

    @classmethod
    def month(cls, index: int) -> Period:
        """The period of one month index."""
        return cls(index, index)

    @property
    def n_months(self) -> int:
        """Number of months."""
        return self.last_month - self.first_month + 1

    @property
    def kind(self) -> PeriodKind:
        """Month, quarter, half-year, nine months or year."""
        return _KIND_OF[self.n_months]

    @property
    def phrase(self) -> str:
        """Key of the phrase that names it: its kind, the two halves of a year apart.

        >>> Period.parse("2026-H2").phrase, Period.parse("2026-Q2").phrase
        ('half_year_2', 'quarter')
        """
        half = self.words["half"]
        return f"{self.kind}_{half}" if self.kind is PeriodKind.HALF_YEAR else str(self.kind)

    @property
    def words(self) -> dict[str, int]:
        """What the name of the period is made of: year, month, quarter, half (each counted from 1)."""
        first = month_start(self.first_month)
        return {
            "year": first.year,
            "month": first.month,
            "quarter": (first.month - 1) // MONTHS_PER_QUARTER + 1,
            "half": (first.month - 1) // MONTHS_PER_HALF_YEAR + 1,
        }

    @property
    def vintage(self) -> Vintage:
        """The vintage in force at the period's end."""
        return Vintage.at(month_start(self.last_month))

    def __str__(self) -> str:
        first = month_start(self.first_month)
        if self.n_months == 1:
            return f"{first:%Y-%m}"
        if self.n_months == MONTHS_PER_QUARTER:
            return f"{first.year}-Q{(first.month - 1) // MONTHS_PER_QUARTER + 1}"
        if self.n_months == MONTHS_PER_HALF_YEAR:
            return f"{first.year}-H{(first.month - 1) // MONTHS_PER_HALF_YEAR + 1}"
        if self.n_months == MONTHS_PER_NINE_MONTHS:
            return f"{first.year}-9M"
        return str(first.year)
